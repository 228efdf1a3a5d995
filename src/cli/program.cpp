#include "cli/program.hpp"

#include <exception>
#include <ostream>

#include "cli/arguments.hpp"
#include "cli/door.hpp"
#include "cli/exit_code.hpp"

namespace syncline::cli {

int run_program(Context& context, const std::vector<std::string>& line) {
  const ParsedLine parsed = parse_line(line);
  if (!parsed.error.empty()) {
    complain(context, parsed.error);
    return kUsage;
  }
  if (parsed.command == nullptr) {
    context.out << parsed.help;
    return kDone;
  }
  try {
    return parsed.command->run(context, parsed.arguments);
  } catch (const std::exception& exception) {
    complain(context, std::string("this should not have happened: ") + exception.what());
    return kFailed;
  }
}

}  // namespace syncline::cli
