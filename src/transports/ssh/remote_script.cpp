#include "transports/ssh/remote_script.hpp"

#include "transports/ssh/login.hpp"

namespace syncline::transports::ssh {

const char* const kListScript = R"sh(
  cd -- "$1" || return 43
  find . -ignore_readdir_race -type f ! -name '.syncline-*' -printf '%s\t%T@\t%P\0'
)sh";

const char* const kLookScript = R"sh(
  if [ -L "$1" ] || [ ! -f "$1" ]; then return 47; fi
  find "$1" -maxdepth 0 -printf '%s\t%T@\t%f\0'
)sh";

const char* const kPrepareScript = R"sh(
  mkdir -p -- "$1" || return 43
  if [ -d "$2" ]; then return 44; fi
)sh";

// `sync FILE` is GNU's; others sync everything, which is as safe.
const char* const kPlaceScript = R"sh(
  sync -- "$1" 2>/dev/null || sync || return 46
  if [ -d "$2" ]; then rm -f -- "$1"; return 44; fi
  mv -f -- "$1" "$2" || return 46
  sync -- "$3" 2>/dev/null || sync || return 46
)sh";

// The copy is made from one read transaction where the journal is a write-ahead log: writers go
// on and the copy never starts anew. Elsewhere it is made in steps that let writers in between.
// Dots tell that it is alive; "ready PATH" that the copy can be fetched; then it stays until our
// end of its standard input closes, for whatever reason. Left-overs of a machine that fell over
// are removed after a day. The dots end with the copy's folder: a signal that meets a subshell
// just forked, before it has given up its parent's traps, is lost, and the session would stay open.
const char* const kSnapshotScript = R"sh(
  db=$1
  command -v sqlite3 >/dev/null 2>&1 || return 41
  [ -f "$db" ] || return 42
  find "$2" -maxdepth 1 -name 'syncline-snapshot.*' -user "$(id -u)" -mmin +1440 \
    -exec rm -rf {} + 2>/dev/null
  umask 077
  t=$(mktemp -d "$2/syncline-snapshot.XXXXXX") || return 43
  beat=
  trap '[ -z "$beat" ] || kill "$beat" 2>/dev/null; rm -rf "$t"' EXIT
  trap 'exit 1' HUP INT TERM
  trap '' PIPE
  ( while sleep 2 >/dev/null 2>&1 </dev/null && [ -d "$t" ]; do printf . || exit; done ) \
    </dev/null 2>/dev/null &
  beat=$!
  ask() { sqlite3 -readonly -batch -bail -init /dev/null "$db" '.timeout 10000' "$@" </dev/null; }
  mode=$(ask 'PRAGMA journal_mode;') || exit 45
  if [ "$mode" = wal ]; then
    ask 'BEGIN;' 'SELECT count(*) FROM sqlite_master;' ".backup '$t/copy.db'" 'COMMIT;' \
      >/dev/null || exit 45
  else
    ask ".backup '$t/copy.db'" >/dev/null || exit 45
  fi
  kill "$beat" 2>/dev/null
  beat=
  printf '\nready %s\n' "$t/copy.db" || exit 1
  cat >/dev/null
)sh";

std::string script(const std::string& body, const std::vector<std::string>& arguments) {
  std::string text = "syncline_main() {\n" + body + "}\nsyncline_main";
  for (const std::string& argument : arguments) text += " " + shell_quoted(argument);
  return text + "; exit $?\n";
}

}  // namespace syncline::transports::ssh
