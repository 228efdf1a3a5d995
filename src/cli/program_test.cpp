// Whole command lines against the real server over real sockets.
#include "cli/program.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "http/json.hpp"
#include "http/server_fixture.hpp"
#include "syncline/values.hpp"

namespace syncline::cli {
namespace {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

class ProgramTest : public http::ServerTest {
 protected:
  Outcome run(std::vector<std::string> line) {
    std::ostringstream out;
    std::ostringstream err;
    Context context{out, err};
    context.working_directory = folder_;
    context.environment = [this](const std::string& name) {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::string() : found->second;
    };
    context.run_daemon = [this](const std::string& path) {
      daemon_config_ = path;
      return 0;
    };
    const int code = run_program(context, line);
    return {code, out.str(), err.str()};
  }

  // The same with the daemon under test named.
  Outcome ask(std::vector<std::string> line) {
    line.insert(line.end(), {"--api", "unix:" + socket()});
    return run(std::move(line));
  }

  std::map<std::string, std::string> environment_;
  std::string daemon_config_;
};

TEST_F(ProgramTest, export_prints_or_writes_what_describes_a_file) {
  start();
  const Outcome printed = ask({"export", "metalink", "models", "a b/m.pth"});
  EXPECT_EQ(printed.code, 0) << printed.err;
  EXPECT_EQ(printed.out, "metalink of models/a b/m.pth");
  const Outcome written = ask({"export", "torrent", "models", "m&n.pth", "--out", "m.torrent"});
  EXPECT_EQ(written.code, 0) << written.err;
  std::ostringstream content;
  content << std::ifstream(folder_ + "/m.torrent").rdbuf();
  EXPECT_EQ(content.str(), "torrent of models/m&n.pth");
  EXPECT_EQ(ask({"export", "zip", "models", "m.pth"}).code, 2);
  EXPECT_EQ(ask({"export", "torrent", "models", "none"}).code, 2);
}

TEST_F(ProgramTest, status_says_whether_all_is_safe_in_words_and_code) {
  start();
  api_.status_answer.node = "home";
  api_.status_answer.is_safe = true;
  const auto safe = ask({"status"});
  EXPECT_EQ(safe.code, 0);
  EXPECT_NE(safe.out.find("Safe:"), std::string::npos);
  EXPECT_EQ(safe.out.find('\033'), std::string::npos);
  EXPECT_EQ(safe.err, "");
  api_.status_answer.is_safe = false;
  const auto unsafe = ask({"status", "--json"});
  EXPECT_EQ(unsafe.code, 1);
  const auto read = http::from_json<StatusReport>(unsafe.out, http::Strictness::kStrict);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->node, "home");
}

TEST_F(ProgramTest, every_report_answers_as_text_and_as_json) {
  start();
  api_.status_answer.is_safe = true;
  api_.status_answer.peers.resize(1);
  api_.freshness_answer.resize(1);
  api_.transfers_answer.resize(1);
  for (const char* command : {"status", "nodes", "freshness", "stats", "transfers", "events"}) {
    const auto text = ask({command});
    EXPECT_EQ(text.code, 0) << command << text.err;
    const auto json = ask({command, "--json"});
    EXPECT_EQ(json.code, 0) << command;
    EXPECT_EQ(json.out.front(), '{') << command;
    EXPECT_EQ(std::count(json.out.begin(), json.out.end(), '\n'), 1) << command;
  }
  EXPECT_EQ(ask({"config", "show"}).out, "[node]\nid = \"a\"\n");
}

TEST_F(ProgramTest, sync_hands_over_every_argument) {
  start();
  facade::SyncResponse response;
  response.success = true;
  response.nodes_synced = {"a", "b"};
  response.backend_used = "router";
  response.bytes_transferred = 4'100'000;
  api_.sync_answer = response;
  const auto done = ask({"sync",          "games",    "--target",           "a",
                         "--target",      "b",        "--exclude",          "c",
                         "--priority",    "critical", "--board-type",       "hex8",
                         "--num-players", "2",        "--prefer-ephemeral", "--confirm",
                         "--timeout",     "9",        "--bandwidth-limit",  "7",
                         "--transport",   "p2p"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "✓ games: verified on a and b (router, 4.1 MB, 0 s)\n");
  const auto& asked = api_.asked;
  EXPECT_EQ(asked.targets, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(asked.exclude_nodes, std::vector<std::string>{"c"});
  EXPECT_EQ(asked.priority, core::Priority::kCritical);
  EXPECT_EQ(asked.board_type, "hex8");
  EXPECT_EQ(asked.num_players, 2);
  EXPECT_TRUE(asked.prefer_ephemeral);
  EXPECT_TRUE(asked.require_confirmation);
  EXPECT_EQ(asked.timeout_s, 9);
  EXPECT_EQ(asked.bandwidth_limit_mbps, 7);
  EXPECT_EQ(asked.transport, "p2p");
  EXPECT_FALSE(asked.is_dry_run);
}

TEST_F(ProgramTest, sync_tells_what_became_of_each_node_and_what_to_do) {
  start();
  facade::SyncResponse response;
  response.nodes.push_back({"a", facade::NodeOutcome::kVerified, "", 0});
  response.nodes.push_back({"b", facade::NodeOutcome::kFailed, "disk full", 3});
  response.nodes_synced = {"a"};
  response.errors = {"b: disk full"};
  api_.sync_answer = response;
  const auto partly = ask({"sync", "games"});
  EXPECT_EQ(partly.code, 3);
  EXPECT_NE(partly.out.find("verified on 1 of 2 nodes"), std::string::npos);
  EXPECT_NE(partly.out.find("disk full"), std::string::npos);
  EXPECT_NE(partly.out.find("syncline route games --explain"), std::string::npos);
  response.nodes = {{"b", facade::NodeOutcome::kPending, "", 3}};
  response.nodes_synced.clear();
  api_.sync_answer = response;
  EXPECT_EQ(ask({"sync", "games"}).code, 4);
  response.nodes = {{"b", facade::NodeOutcome::kFailed, "", 3}};
  api_.sync_answer = response;
  EXPECT_EQ(ask({"sync", "games", "--json"}).code, 1);
  api_.sync_answer = core::Error{core::ErrorKind::kMissing, "no such collection", "gmaes"};
  const auto refused = ask({"sync", "gmaes"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(refused.err, "syncline: no such collection (gmaes)\n");
}

TEST_F(ProgramTest, a_dry_run_moves_nothing_and_explains_every_node) {
  start();
  facade::SyncResponse response;
  response.route.collection = "games";
  response.route.backend = "hybrid";
  response.route.verdicts.push_back({"trainer-1", true, 80, "training role +30", "p2p"});
  response.route.verdicts.push_back({"spot-2", false, 0, "disk 83 % full", ""});
  api_.sync_answer = response;
  api_.route_answer = response.route;
  for (const char* option : {"--dry-run", "--explain"}) {
    const auto plan = ask({"sync", "games", option});
    EXPECT_EQ(plan.code, 0) << plan.err;
    EXPECT_TRUE(api_.asked.is_dry_run);
    EXPECT_NE(plan.out.find("trainer-1"), std::string::npos) << plan.out;
    EXPECT_NE(plan.out.find("spot-2"), std::string::npos) << plan.out;
    EXPECT_EQ(ask({"route", "games", option == std::string("--explain") ? option : "--json"}).code,
              0);
  }
  response.route.verdicts.erase(response.route.verdicts.begin());
  api_.route_answer = response.route;
  EXPECT_EQ(ask({"route", "games"}).code, 1);
}

TEST_F(ProgramTest, flush_ends_with_4_when_the_deadline_passes) {
  start();
  facade::FlushReport report;
  report.is_durable = true;
  api_.flush_answer = report;
  EXPECT_EQ(ask({"flush", "--acks", "2", "--deadline", "1.5"}).code, 0);
  EXPECT_EQ(api_.flush_acks, 2);
  EXPECT_EQ(api_.flush_deadline, core::milliseconds(1500));
  report.is_durable = false;
  facade::CollectionStatus games;
  games.name = "games";
  games.pending = 12;
  games.why = "no peer answers";
  report.pending.push_back(games);
  api_.flush_answer = report;
  const auto late = ask({"flush"});
  EXPECT_EQ(late.code, 4);
  EXPECT_NE(late.out.find("no peer answers"), std::string::npos);
}

TEST_F(ProgramTest, verify_names_each_difference) {
  start();
  api_.verify_answers["games"].collection = "games";
  EXPECT_EQ(ask({"verify", "games"}).code, 0);
  api_.verify_answers["games"].differences.push_back({"spot-1", "3 units missing"});
  const auto differs = ask({"verify", "games"});
  EXPECT_EQ(differs.code, 1);
  EXPECT_NE(differs.out.find("spot-1: 3 units missing"), std::string::npos);
  EXPECT_EQ(ask({"verify", "nothing"}).code, 2);
}

TEST_F(ProgramTest, notify_takes_details_as_pairs) {
  start();
  EXPECT_EQ(ask({"notify", "model-promoted", "model=a=b.pth", "stage=prod"}).code, 0);
  EXPECT_EQ(api_.notified["model-promoted"]["model"], "a=b.pth");
  EXPECT_EQ(ask({"notify", "model-promoted", "oops"}).code, 2);
}

TEST_F(ProgramTest, events_are_filtered_and_followed_across_a_restart) {
  const auto add = [this](std::uint64_t id, const char* type) {
    facade::EventRow event;
    event.id = id;
    event.type = type;
    event.message = "message " + std::to_string(id);
    api_.add_event(event);
  };
  add(1, "data_sync_started");
  add(2, "data_sync_failed");
  start();
  const auto failed = ask({"events", "--type", "data_sync_failed"});
  EXPECT_EQ(failed.out.find("message 1"), std::string::npos);
  EXPECT_NE(failed.out.find("message 2"), std::string::npos);
  EXPECT_EQ(run({"events", "--follow", "--api", "unix:" + folder_ + "/none.sock"}).code, 5);

  // Output that fails after the third event ends the following, as a closed pipe does.
  struct Three : std::stringbuf {
    int newlines = 0;
    std::streamsize xsputn(const char* s, std::streamsize n) override {
      newlines += static_cast<int>(std::count(s, s + n, '\n'));
      const auto put = std::stringbuf::xsputn(s, n);
      return newlines >= 3 ? 0 : put;
    }
  } buffer;
  std::ostream out(&buffer);
  std::ostringstream err;
  Context context{out, err};
  context.environment = [](const std::string&) { return std::string(); };
  std::thread restarter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    server_->stop();
    start();
    add(3, "data_sync_completed");
  });
  const int code =
      run_program(context, {"events", "--follow", "--json", "--api", "unix:" + socket()});
  restarter.join();
  EXPECT_EQ(code, 0) << err.str();
  std::istringstream lines(buffer.str());
  std::vector<std::uint64_t> seen;
  for (std::string line; std::getline(lines, line);) {
    seen.push_back(http::from_json<EventRow>(line, http::Strictness::kStrict)->id);
  }
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(ProgramTest, ends_with_5_when_no_daemon_answers) {
  const auto none = ask({"status"});
  EXPECT_EQ(none.code, 5);
  EXPECT_EQ(none.out, "");
  EXPECT_NE(none.err.find("syncline daemon"), std::string::npos);
  EXPECT_EQ(std::count(none.err.begin(), none.err.end(), '\n'), 1);
  EXPECT_EQ(run({"status", "--api", "http://127.0.0.1:1"}).code, 5);
}

TEST_F(ProgramTest, asks_over_tcp_with_the_token_of_a_file) {
  start();
  api_.status_answer.is_safe = true;
  const std::string address = server_->addresses().at(1);
  EXPECT_EQ(run({"status", "--api", address, "--token-file", "api.token"}).code, 0);
  const auto denied = run({"status", "--api", address});
  EXPECT_EQ(denied.code, 1);
  EXPECT_NE(denied.err.find("api.token_file"), std::string::npos);
  EXPECT_EQ(run({"status", "--api", "nonsense:"}).code, 2);
}

TEST_F(ProgramTest, finds_its_configuration_where_it_was_told_or_where_it_stands) {
  start();
  api_.status_answer.is_safe = true;
  const auto nowhere = run({"status"});
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_NE(nowhere.err.find("syncline init"), std::string::npos);
  std::ofstream(folder_ + "/syncline.toml")
      << "[node]\nid = \"home\"\nhttp_listen = [\"unix:api.sock\"]\n";
  EXPECT_EQ(run({"status"}).code, 0);
  EXPECT_EQ(run({"status", "--config", "syncline.toml"}).code, 0);
  EXPECT_EQ(run({"status", "--config", "other.toml"}).code, 2);
  EXPECT_EQ(run({"status", "--dir", folder_}).code, 0);
  environment_["SYNCLINE_CONFIG"] = folder_ + "/syncline.toml";
  EXPECT_EQ(run({"status"}).code, 0);
  EXPECT_EQ(run({"daemon"}).code, 0);
  EXPECT_EQ(daemon_config_, folder_ + "/syncline.toml");
}

TEST_F(ProgramTest, imports_the_older_hosts_file_and_overwrites_nothing) {
  std::ofstream(folder_ + "/hosts.yaml") << "hosts:\n  home: {role: coordinator, gpu: M3}\n"
                                            "  spot-1: {role: selfplay}\n";
  const auto done = run({"config", "import", "hosts.yaml", "--out", "fleet"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.out.find("2 hosts, 3 settings"), std::string::npos) << done.out;
  EXPECT_EQ(run({"config", "check", "fleet/home.toml"}).code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/fleet/import-report.txt"));
  EXPECT_EQ(run({"config", "import", "hosts.yaml", "--out", "fleet"}).code, 1);
  std::ofstream(folder_ + "/odd.yaml") << "hosts:\n  home: {colour: blue}\n";
  const auto odd = run({"config", "import", "odd.yaml", "--json"});
  EXPECT_EQ(odd.code, 3);
  EXPECT_NE(odd.err.find("hosts.home.colour"), std::string::npos);
  EXPECT_NE(odd.out.find("not_understood"), std::string::npos);
  EXPECT_EQ(run({"config", "import", "none.yaml"}).code, 1);
}

TEST_F(ProgramTest, usage_mistakes_are_one_line_and_end_with_2) {
  const auto mistyped = run({"statsu"});
  EXPECT_EQ(mistyped.code, 2);
  EXPECT_EQ(mistyped.out, "");
  EXPECT_EQ(mistyped.err, "syncline: unknown command 'statsu'; did you mean 'status'?\n");
  EXPECT_EQ(run({"sync", "games", "--explian"}).code, 2);
  EXPECT_EQ(run({"--help"}).code, 0);
  EXPECT_EQ(run({"completion", "bash"}).code, 0);
  EXPECT_EQ(run({"man"}).code, 0);
}

}  // namespace
}  // namespace syncline::cli
