"""Each older name in include/syncline/compat compiles alone, and says what to call now."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPAT = ROOT / "include" / "syncline" / "compat"
COMPILER = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")

# header → (name, what its warning must show)
NAMES = {
    "sync_coordinator": ("SyncCoordinator", 'client.sync({.data_type = "games"})'),
    "sync_scheduler": ("SyncScheduler", ".priority = syncline::Priority::kHigh"),
    "unified_data_sync": ("UnifiedDataSyncService", "syncline daemon"),
    "sync_orchestrator": ("SyncOrchestrator", 'client.sync({.data_type = "all"})'),
    "auto_sync_daemon": ("AutoSyncDaemon", "syncline daemon"),
    "cluster_data_sync_daemon": ("ClusterDataSyncDaemon", ".priority = syncline::Priority::kHigh"),
    "sync_router": ("SyncRouter", 'client.route({.data_type = "games"})'),
    "ephemeral_sync_daemon": ("EphemeralSyncDaemon", ".prefer_ephemeral = true"),
}


def compiled(source, *flags):
    """Exit code and what the compiler says."""
    done = subprocess.run(
        [COMPILER, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *flags,
         f"-I{ROOT / 'include'}", "-x", "c++", "-"],
        input=source, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr


class CompatHeaders(unittest.TestCase):
    def test_there_is_one_for_each_of_the_eight_programs(self):
        self.assertEqual({path.stem for path in COMPAT.glob("*.hpp")}, set(NAMES))
        self.assertEqual(len(NAMES), 8)

    def test_including_them_warns_of_nothing(self):
        code, said = compiled("".join(f'#include "syncline/compat/{h}.hpp"\n' for h in NAMES))
        self.assertEqual(code, 0, said)

    def test_using_one_fails_where_warnings_are_errors_and_shows_the_new_call(self):
        for header, (name, call) in NAMES.items():
            with self.subTest(name):
                source = (f'#include "syncline/compat/{header}.hpp"\n'
                          "void use(const syncline::Client& client) {\n"
                          f"  const syncline::compat::{name} old(client);\n"
                          "  (void)old;\n}\n")
                code, said = compiled(source, "-Werror=deprecated-declarations")
                self.assertNotEqual(code, 0, "it must warn")
                self.assertIn("deprecated", said)
                self.assertRegex(said, f"{name}. is deprecated: call instead:")
                self.assertIn(call, said.replace('\\"', '"'))
                code, said = compiled(source, "-Wno-deprecated-declarations")
                self.assertEqual(code, 0, f"the warning is all that is wrong with it: {said}")

    def test_every_new_call_of_the_warnings_compiles(self):
        """A call that is shown and does not compile would be worse than none."""
        calls = set()
        for header in NAMES:
            text = (COMPAT / f"{header}.hpp").read_text()
            calls |= set(re.findall(r"//.*?(client\.\w+\(.*\))$", text, re.MULTILINE))
        self.assertGreaterEqual(len(calls), 4, calls)
        body = "".join(f"  (void){call};\n" for call in sorted(calls))
        code, said = compiled('#include "syncline/client.hpp"\n'
                              f"void use(const syncline::Client& client) {{\n{body}}}\n",
                              "-Wno-missing-field-initializers")
        self.assertEqual(code, 0, said)


if __name__ == "__main__":
    unittest.main()
