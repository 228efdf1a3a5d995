// config import.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/answer.hpp"
#include "cli/door.hpp"
#include "cli/exit_code.hpp"
#include "cli/import_hosts.hpp"
#include "cli/runs.hpp"
#include "env/files.hpp"

namespace syncline::cli {
namespace {

constexpr std::size_t kFileMax = 8u << 20;

std::string toml_of(const ImportedHost& host, const std::string& source) {
  return "# Node " + host.name + ", imported from " + source +
         ".\n# Relative paths begin at this file's folder" +
         (host.folder.empty() ? "" : ": put it into " + host.folder) +
         ".\n# Join the fleet there first: syncline join TOKEN --id " + host.name + "\n\n" +
         core::config_to_toml(host.config);
}

const char* word_of(Fate fate) {
  switch (fate) {
    case Fate::kTranslated:
      return "translated";
    case Fate::kNotApplicable:
      return "not_applicable";
    case Fate::kNotUnderstood:
      return "not_understood";
  }
  return "";
}

std::string json_of(const Import& import) {
  nlohmann::ordered_json json = {{"hosts", nlohmann::ordered_json::array()},
                                 {"settings", nlohmann::ordered_json::array()}};
  for (const ImportedHost& host : import.hosts) {
    json["hosts"].push_back({{"name", host.name}, {"folder", host.folder}});
  }
  for (const Note& note : import.notes) {
    json["settings"].push_back({{"path", note.path},
                                {"value", note.value},
                                {"fate", word_of(note.fate)},
                                {"text", note.text}});
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

core::Status write_all(const Import& import, const std::filesystem::path& folder,
                       const std::string& source) {
  SYNCLINE_TRY(env::make_folders(folder.string(), 0755));
  const auto path = [&folder](const std::string& name) { return (folder / name).string(); };
  SYNCLINE_TRY(env::create_file_atomic(path("import-report.txt"), report_of(import), 0644));
  for (const ImportedHost& host : import.hosts) {
    SYNCLINE_TRY(env::create_file_atomic(path(host.name + ".toml"), toml_of(host, source), 0644));
  }
  return {};
}

int failed(Context& context, const core::Error& error) {
  complain(context, error.what, error.subject);
  return kFailed;
}

}  // namespace

int run_config_import(Context& context, const Arguments& arguments) {
  const std::filesystem::path here(context.working_directory);
  const std::string source = arguments.text("FILE");
  const auto text = env::read_file((here / source).string(), kFileMax);
  if (!text.ok()) return failed(context, text.error());
  const auto document = parse_yaml(*text);
  if (!document.ok())
    return failed(context, {document.error().kind, document.error().what, source});
  ImportOptions options;
  if (arguments.has("--poll-by")) options.poll_by = arguments.text("--poll-by");
  options.home = context.environment("HOME");
  const auto import = import_hosts(*document, options);
  if (!import.ok()) return failed(context, import.error());
  const std::string out = arguments.has("--out") ? arguments.text("--out") : "imported";
  const auto written =
      write_all(*import, here / out, std::filesystem::path(source).filename().string());
  if (!written.ok()) return failed(context, written.error());
  if (wants_json(arguments)) {
    print_json(context, json_of(*import));
  } else {
    context.out << report_of(*import).substr(0, report_of(*import).find('\n') + 1) << "Written to "
                << out << "; " << out
                << "/import-report.txt names every setting and what became of it.\n";
  }
  for (const Note& note : import->notes) {
    if (note.fate == Fate::kNotUnderstood) complain(context, note.path + ": " + note.text);
  }
  for (const std::string& line : import->unpolled) complain(context, "not polled: " + line);
  const bool is_whole = import->unpolled.empty() && import->count(Fate::kNotUnderstood) == 0;
  return is_whole ? kDone : kPartlyDone;
}

}  // namespace syncline::cli
