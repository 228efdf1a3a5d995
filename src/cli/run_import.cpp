// config import.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/answer.hpp"
#include "cli/door.hpp"
#include "cli/exit_code.hpp"
#include "cli/import_hosts.hpp"
#include "cli/runs.hpp"

namespace syncline::cli {
namespace {

constexpr std::uintmax_t kFileMax = 8u << 20;

core::Result<std::string> read_text(const std::string& path) {
  std::error_code failure;
  const auto size = std::filesystem::file_size(path, failure);
  if (failure) return core::Error{core::ErrorKind::kMissing, failure.message(), path};
  if (size > kFileMax) {
    return core::Error{core::ErrorKind::kInvalid, "the file is larger than 8 MiB", path};
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(size, '\0');
  file.read(text.data(), static_cast<std::streamsize>(size));
  if (!file) return core::Error{core::ErrorKind::kMissing, "cannot read the file", path};
  return text;
}

core::Status write_new(const std::filesystem::path& path, const std::string& text) {
  if (std::filesystem::exists(path)) {
    return core::Error{core::ErrorKind::kConflict, "the file is there already; choose another --out",
                       path.string()};
  }
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return core::Error{core::ErrorKind::kExhausted, "cannot write the file", path.string()};
  return {};
}

std::string toml_of(const ImportedHost& host, const std::string& source) {
  return "# Node " + host.name + ", imported from " + source +
         ".\n# Relative paths begin at this file's folder" +
         (host.folder.empty() ? "" : ": put it into " + host.folder) +
         ".\n# Join the fleet there first: syncline join TOKEN --id " + host.name + "\n\n" +
         core::config_to_toml(host.config);
}

const char* word_of(Fate fate) {
  switch (fate) {
    case Fate::kTranslated: return "translated";
    case Fate::kNotApplicable: return "not_applicable";
    case Fate::kNotUnderstood: return "not_understood";
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
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) return core::Error{core::ErrorKind::kInvalid, failure.message(), folder.string()};
  SYNCLINE_TRY(write_new(folder / "import-report.txt", report_of(import)));
  for (const ImportedHost& host : import.hosts) {
    SYNCLINE_TRY(write_new(folder / (host.name + ".toml"), toml_of(host, source)));
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
  const auto text = read_text(here / source);
  if (!text.ok()) return failed(context, text.error());
  const auto document = parse_yaml(*text);
  if (!document.ok()) return failed(context, {document.error().kind, document.error().what, source});
  const auto import = import_hosts(*document);
  if (!import.ok()) return failed(context, import.error());
  const std::string out = arguments.has("--out") ? arguments.text("--out") : "imported";
  const auto written =
      write_all(*import, here / out, std::filesystem::path(source).filename().string());
  if (!written.ok()) return failed(context, written.error());
  if (wants_json(arguments)) {
    print_json(context, json_of(*import));
  } else {
    context.out << report_of(*import).substr(0, report_of(*import).find('\n') + 1)
                << "Written to " << out << "; " << out
                << "/import-report.txt names every setting and what became of it.\n";
  }
  for (const Note& note : import->notes) {
    if (note.fate == Fate::kNotUnderstood) complain(context, note.path + ": " + note.text);
  }
  return import->count(Fate::kNotUnderstood) == 0 ? kDone : kPartlyDone;
}

}  // namespace syncline::cli
