// What we run over there: small scripts for sh, given to it on its standard input, so that no
// login shell's quoting rules matter. The shell ends with the function, whatever its input.
#pragma once

#include <string>
#include <vector>

namespace syncline::transports::ssh {

// `body` becomes a function that is read whole before it runs; $1, $2 … are the arguments.
std::string script(const std::string& body, const std::vector<std::string>& arguments);

// Temporary names over there; left out of every list.
inline constexpr const char* kPushPrefix = ".syncline-push-";

extern const char* const kListScript;      // $1 root
extern const char* const kLookScript;      // $1 file
extern const char* const kPlaceScript;     // $1 temporary, $2 target, $3 its folder
extern const char* const kPrepareScript;   // $1 folder, $2 target
extern const char* const kSnapshotScript;  // $1 database, $2 folder for temporary files

// Exit codes of the scripts.
enum class ScriptExit {
  kNoSqlite = 41,
  kNoDatabase = 42,
  kNoFolder = 43,
  kIsFolder = 44,
  kBackupFailed = 45,
  kNotSynced = 46,
  kNoFile = 47,
};

}  // namespace syncline::transports::ssh
