// export: one file described for other programs.
#include <filesystem>

#include "cli/answer.hpp"
#include "cli/door.hpp"
#include "cli/exit_code.hpp"
#include "cli/runs.hpp"
#include "env/files.hpp"

namespace syncline::cli {

int run_export(Context& context, const Arguments& arguments) {
  const Door door = reach(context, arguments);
  if (!door.client) return door.exit_code;
  const auto text = door.client->export_file(arguments.text("FORM"), arguments.text("TYPE"),
                                             arguments.text("PATH"));
  if (!text) return complain(context, text.error());
  if (!arguments.has("--out")) {
    context.out << *text;
    return kDone;
  }
  const std::string path =
      (std::filesystem::path(context.working_directory) / arguments.text("--out")).string();
  const core::Status written = env::write_file_atomic(path, *text, 0644);
  if (!written.ok()) {
    complain(context, written.error().what, written.error().subject);
    return kFailed;
  }
  context.out << "written to " << path << "\n";
  return kDone;
}

}  // namespace syncline::cli
