// What the commands do. Each answers the exit code (exit_code.hpp); complaints go to context.err.
#pragma once

#include "cli/arguments.hpp"
#include "cli/context.hpp"

namespace syncline::cli {

int run_init(Context& context, const Arguments& arguments);
int run_invite(Context& context, const Arguments& arguments);
int run_join(Context& context, const Arguments& arguments);
int run_daemon_command(Context& context, const Arguments& arguments);

int run_sync(Context& context, const Arguments& arguments);
int run_route(Context& context, const Arguments& arguments);
int run_status(Context& context, const Arguments& arguments);
int run_nodes(Context& context, const Arguments& arguments);
int run_remove(Context& context, const Arguments& arguments);
int run_dead_letter(Context& context, const Arguments& arguments);
int run_freshness(Context& context, const Arguments& arguments);
int run_stats(Context& context, const Arguments& arguments);
int run_transfers(Context& context, const Arguments& arguments);
int run_events(Context& context, const Arguments& arguments);
int run_flush(Context& context, const Arguments& arguments);
int run_verify(Context& context, const Arguments& arguments);
int run_notify(Context& context, const Arguments& arguments);
int run_pause(Context& context, const Arguments& arguments);
int run_resume(Context& context, const Arguments& arguments);
int run_rotate_key(Context& context, const Arguments& arguments);
int run_export(Context& context, const Arguments& arguments);

int run_config_check(Context& context, const Arguments& arguments);
int run_config_show(Context& context, const Arguments& arguments);
int run_config_import(Context& context, const Arguments& arguments);
int run_completion(Context& context, const Arguments& arguments);
int run_man(Context& context, const Arguments& arguments);

}  // namespace syncline::cli
