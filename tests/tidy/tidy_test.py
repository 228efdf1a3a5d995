"""The rules of the house, as a failing test with the mend in its message.

Checked on every tracked or new source file:
- includes stay inside the graph of rooms (ROOMS below is DESIGN's graph; a new edge needs a record
  in docs/decisions)
- a core never includes a shell room, a system's I/O header, or a clock
- a third party's header stands in no header outside its one room, and never in include/
- every *_test.cpp, *.cpp and fuzz target is named in its folder's CMakeLists.txt
- a file has at most 400 lines, a line at most 100 columns
- no word that marks unfinished work
- clang-format has nothing to change
"""

import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

CORES = {
    "core": set(),
    "wire": {"core"},
    "membership": {"core"},
    "catalog": {"core"},
    "gossip": {"core", "catalog"},
    "reconcile": {"core"},
    "replication": {"core"},
    "routing": {"core", "facade_values"},
    "scheduling": {"core", "facade_values"},
    "strategy": {"core", "routing", "scheduling", "facade_values"},
    "transfer": {"core"},
    "coordination": {"core"},
    "collecting": {"core"},
    "facade": {"core", "routing", "scheduling", "strategy", "transfer"},
    "engine": {
        "core", "membership", "catalog", "gossip", "reconcile", "replication", "routing",
        "scheduling", "strategy", "transfer", "facade", "coordination",
    },
}
SHELL = {
    "env": {"core"},
    "spot": {"core", "env"},
    "hooks": {"core", "env"},
    "etcd": {"core", "env"},
    "sqlite": {"core"},
    "storage": {"core", "env", "sqlite"},
    "identity": {"core", "env"},
    "collections": {"core", "env", "reconcile", "sqlite"},
    "net": {"core", "env", "wire"},
    "transports": {"core", "env", "wire", "net", "transfer"},
    "http": {"core", "env", "facade"},
    "node": None,  # wires everything
    "cli": {"core", "env", "http", "identity", "net", "node", "facade"},
}
# Values of facade/ (reports.hpp, types.hpp) that rooms below it answer with.
FACADE_VALUES = {"facade/reports.hpp", "facade/types.hpp"}

# Angle-bracket headers that a core must never see.
IO_HEADERS = re.compile(
    r"^(asio|sqlite3|openssl/(ssl|bio)|filesystem|thread|mutex|shared_mutex|condition_variable|"
    r"future|fstream|iostream|sys/|unistd|fcntl|random|ctime|time\.h|httplib|libtorrent|spdlog)"
)
# Third parties and the one room whose headers may show them (None: no header may).
THIRD_PARTY = {
    r"asio|openssl": "net",
    r"httplib|nlohmann": "http",
    r"sqlite3|google/protobuf|toml\+\+|yaml-cpp|CLI|libtorrent|prometheus|zstd|spdlog|fmt|boost|"
    r"systemd": None,
}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|not implemented|for now\b", re.IGNORECASE)
LINES_MAX = 400
COLUMNS_MAX = 100


def tracked(*patterns):
    out = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()
    return sorted(p for p in (ROOT / name for name in set(out)) if p.exists())


def room_of(path):
    parts = path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found.group(1) == "<", found.group(2)


class Tidy(unittest.TestCase):
    def check(self, problems, mend):
        self.assertFalse(problems, "\n" + "\n".join(problems) + "\n→ " + mend)

    def test_includes_stay_inside_the_graph_of_rooms(self):
        problems = []
        for path in tracked("src/*.cpp", "src/*.hpp"):
            room = room_of(path)
            if room is None:
                continue
            self.assertTrue(room in CORES or room in SHELL, f"src/{room} is not a known room")
            allowed = CORES.get(room, SHELL.get(room))
            if allowed is None:
                continue
            is_test = path.name.endswith("_test.cpp")
            for number, angle, name in includes(path):
                first = name.split("/")[0]
                if angle or first == room or (first not in CORES and first not in SHELL):
                    continue
                if name in FACADE_VALUES and "facade_values" in allowed:
                    continue
                if first not in allowed and not (is_test and first in ("env", "identity")):
                    problems.append(f"{path.relative_to(ROOT)}:{number}: {room} may not use {name}")
        self.check(problems, "move the code to a room that may, or record the new edge in "
                             "docs/decisions and in tests/tidy/tidy_test.py")

    def test_a_core_sees_no_io_clock_or_thread(self):
        problems = []
        for path in tracked("src/*.cpp", "src/*.hpp"):
            if room_of(path) not in CORES or path.name.endswith("_test.cpp"):
                continue
            for number, angle, name in includes(path):
                if angle and IO_HEADERS.match(name):
                    problems.append(f"{path.relative_to(ROOT)}:{number}: includes <{name}>")
        self.check(problems, "take the value as an event or an argument; the shell does the I/O")

    def test_third_party_types_stay_out_of_headers(self):
        problems = []
        for path in tracked("src/*.hpp", "include/*.hpp"):
            for number, angle, name in includes(path):
                rooms = [room for pattern, room in THIRD_PARTY.items()
                         if angle and re.match(rf"({pattern})(/|\.|$|_)", name + "/")]
                if rooms and (rooms[0] is None or rooms[0] != room_of(path)):
                    problems.append(f"{path.relative_to(ROOT)}:{number}: shows <{name}>")
        self.check(problems, "hide it behind a pointer to an implementation in the .cpp")

    def test_every_source_is_registered_in_its_cmake_file(self):
        problems = []
        for path in tracked("src/*.cpp", "fuzz/*.cpp", "bench/*.cpp", "simulation/*.cpp",
                            "examples/*.cpp", "tests/*.cpp"):
            folder = path.parent
            while folder != ROOT and not (folder / "CMakeLists.txt").exists():
                folder = folder.parent
            listing = folder / "CMakeLists.txt"
            name = str(path.relative_to(folder))
            text = listing.read_text()
            stem = path.stem.removesuffix("_fuzz").removesuffix("_bench")
            if not re.search(rf"(?<![\w/]){re.escape(name)}(?!\w)", text) and not (
                path.parts[-2] in ("fuzz", "bench") and re.search(rf"\b{re.escape(stem)}\b", text)
            ):
                problems.append(f"{path.relative_to(ROOT)} is not in {listing.relative_to(ROOT)}")
        self.check(problems, "a test that no build file names is not a test: add it")

    def test_files_and_lines_are_short_enough_to_read(self):
        problems = []
        for path in tracked("*.cpp", "*.hpp", "*.py"):
            lines = path.read_text().splitlines()
            if len(lines) > LINES_MAX:
                shown = path.relative_to(ROOT)
                problems.append(f"{shown}: {len(lines)} lines (at most {LINES_MAX})")
            for number, line in enumerate(lines, 1):
                if len(line) > COLUMNS_MAX and "http" not in line:
                    problems.append(f"{path.relative_to(ROOT)}:{number}: {len(line)} columns")
        self.check(problems, "one file, one idea: split it where the idea changes")

    def test_nothing_is_left_unfinished(self):
        problems = []
        for path in tracked("*.cpp", "*.hpp", "*.py", "*.sql", "*.proto", "*.sh"):
            if path.name == "tidy_test.py":
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if UNFINISHED.search(line):
                    problems.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
        self.check(problems, "finish it")

    def test_sources_are_formatted(self):
        files = [str(path) for path in tracked("*.cpp", "*.hpp")]
        run = subprocess.run(["clang-format", "--dry-run", *files], cwd=ROOT, capture_output=True,
                             text=True)
        problems = sorted({line.split(":")[0] for line in run.stderr.splitlines()
                           if "-Wclang-format-violations" in line})
        self.assertEqual(run.returncode, 0, run.stderr[-500:])
        self.check(problems, "make format")

    def test_every_room_says_what_it_is(self):
        problems = [
            f"src/{room} has no README.md"
            for room in [*CORES, *SHELL]
            if (ROOT / "src" / room).is_dir() and any((ROOT / "src" / room).rglob("*.cpp"))
            and not any((ROOT / "src" / room).rglob("README.md"))
        ]
        self.check(problems, "say what lives here, what it may use, what never")


if __name__ == "__main__":
    unittest.main()
