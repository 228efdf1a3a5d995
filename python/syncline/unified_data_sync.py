"""The older command line, kept alive: unified_data_sync with all its flags.

It runs the new commands and says on standard error which: `syncline config import` for --hosts,
`syncline daemon` for the service, `syncline sync all` for --once. Exit codes are those of syncline.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile

from .derived_config import with_http_port, with_import, with_interval, write_config
from .endpoint import find_config, read_config, state_dir_of
from .errors import ConfigurationError, SynclineError
from .supervise import Supervisor, Watch, is_serving

FAILED, USAGE, PARTLY, UNREACHABLE = 1, 2, 3, 5
DERIVED = "unified_data_sync.toml"
IMPORTED = "unified_data_sync.imported"
USUAL_HOSTS = ("config/distributed_hosts.yaml", "distributed_hosts.yaml")


def say(text: str) -> None:
    print(f"unified_data_sync: {text}", file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="unified_data_sync",
        description="Deprecated: runs syncline, and says with which command.",
        epilog="syncline.toml is found as syncline finds it: --config, $SYNCLINE_CONFIG, "
               "./syncline.toml, /etc/syncline/syncline.toml.")
    p.add_argument("--config", metavar="F", help="syncline.toml, or the older program's YAML")
    p.add_argument("--hosts", metavar="F", help="distributed_hosts.yaml, imported first")
    p.add_argument("--once", action="store_true", help="one sync of everything, then end")
    p.add_argument("--dry-run", action="store_true", help="say what would happen; move nothing")
    p.add_argument("--interval", metavar="S", type=_positive, help="seconds between full looks")
    p.add_argument("--http-port", metavar="P", type=_port, help="the API on 127.0.0.1:P too")
    p.add_argument("-v", "--verbose", action="store_true", help="print each command that is run")
    p.add_argument("--force", action="store_true", help="sync at once, at high priority")
    p.add_argument("--watchdog", action="store_true", help="restart the daemon when it ends")
    p.add_argument("--watchdog-interval", metavar="S", type=_positive, default=30.0)
    p.add_argument("--max-restarts", metavar="N", type=_count, default=10)
    return p


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86400:
        raise ValueError
    return value


def _port(text: str) -> int:
    if not 0 < int(text) < 65536:
        raise ValueError
    return int(text)


def _count(text: str) -> int:
    if int(text) < 0:
        raise ValueError
    return int(text)


class Run:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.program = find_program()
        self.older_yaml: pathlib.Path | None = None
        self.hosts = pathlib.Path(options.hosts) if options.hosts else None
        self.base = self._find_base()

    def _find_base(self) -> pathlib.Path | None:
        named = self.options.config
        if named and not named.endswith(".toml"):
            self.older_yaml = pathlib.Path(named)
            if not self.older_yaml.is_file():
                raise ConfigurationError("there is no such configuration file", named)
            named = None
        try:
            return find_config(named)
        except ConfigurationError:
            if named or os.environ.get("SYNCLINE_CONFIG"):
                raise
        return None

    def run(self) -> int:
        self._read_older_yaml()
        if self.hosts is None and self.base is None:
            self.hosts = next((p for p in map(pathlib.Path, USUAL_HOSTS) if p.is_file()), None)
        if self.options.dry_run:
            return self._dry_run()
        if self.base is None:
            say("this machine is no node of a fleet yet. On the first one run 'syncline init', on "
                "each other one 'syncline join TOKEN' with what 'syncline invite' prints there; "
                "then start this again")
            return USAGE
        config = self._derive(self.base)
        return self._once(config) if self.options.once else self._serve(config)

    # ── configuration ──

    def _read_older_yaml(self) -> None:
        """Its `hosts` are imported; every other setting of it is named, none dropped in silence."""
        if self.older_yaml is None:
            return
        text = self.older_yaml.read_text(errors="replace")
        if self.hosts is None and re.search(r"^hosts\s*:", text, re.MULTILINE):
            self.hosts = self.older_yaml
            return
        for line in text.splitlines():
            setting = re.match(r"\s*(?:- )?([\w.-]+)\s*:\s*([^#\s].*)", line)
            if setting:
                say(f"--config {self.older_yaml}: {setting[1]} = {setting[2].strip()} is not read; "
                    "its place is syncline.toml (docs/migration.md)")

    def _import(self, out: pathlib.Path, *how: str) -> int:
        code = self._call("config", "import", str(self.hosts), "--out", str(out), *how)
        if code == PARTLY:
            say(f"some settings of {self.hosts} are not understood: named above and in "
                f"{out}/import-report.txt")
        elif code != 0:
            raise ConfigurationError(
                "the hosts file cannot be imported; it has to name this node as syncline.toml does "
                "(node.id)", str(self.hosts))
        return code

    def _derive(self, base: pathlib.Path) -> pathlib.Path:
        """The configuration that the flags ask for; the node's own one if they ask for nothing."""
        options, config = self.options, read_config(base)
        origins = [str(base)]
        if self.hosts is not None:
            config = with_import(config, self._imported(base.parent, config))
            origins.append(str(self.hosts))
        if options.interval:
            config = with_interval(config, options.interval)
            origins.append(f"--interval {options.interval:g}")
        if options.http_port:
            config = with_http_port(config, options.http_port)
            origins.append(f"--http-port {options.http_port}")
            token = (config.get("api", {}).get("token_file")
                     or state_dir_of(config, base) / "api.token")
            say(f"http://127.0.0.1:{options.http_port}/v1/status wants 'Authorization: Bearer' "
                f"with the content of {base.parent / token}")
        if len(origins) == 1:
            return base
        path = base.with_name(DERIVED)
        write_config(path, config, ", ".join(origins))
        return path

    def _imported(self, folder: pathlib.Path, own: dict[str, dict[str, str]]) -> dict[str, object]:
        """This node's part of the hosts file. The folder with all of it is replaced."""
        out = folder / IMPORTED
        name = own.get("node", {}).get("id") or socket.gethostname()
        with tempfile.TemporaryDirectory(prefix=".import-", dir=folder) as draft:
            fresh = pathlib.Path(draft) / "all"
            # The other hosts are polled over SSH, as before, but for those with a daemon.
            self._import(fresh, "--poll-by", name)
            shutil.rmtree(out, ignore_errors=True)
            fresh.rename(out)
        mine = out / f"{name}.toml"
        if not mine.is_file():
            raise ConfigurationError(
                f"the hosts file has no host '{name}' in use; name this node as it does (node.id "
                "in syncline.toml)", str(self.hosts))
        return read_config(mine)

    # ── what it does ──

    def _sync_arguments(self) -> list[str]:
        return ["sync", "all", *(["--priority", "high"] if self.options.force else [])]

    def _dry_run(self) -> int:
        if self.hosts is not None:
            with tempfile.TemporaryDirectory(prefix="syncline-import-") as folder:
                out = pathlib.Path(folder) / "all"
                self._import(out)
                print((out / "import-report.txt").read_text())
        if self.base is not None and is_serving(self.base):
            return self._call(*self._sync_arguments(), "--dry-run", "--config", str(self.base))
        say("no daemon runs here, so where the data would go is not known; start 'syncline daemon' "
            "and ask again")
        return 0 if self.hosts is not None else UNREACHABLE

    def _once(self, config: pathlib.Path) -> int:
        base = self.base or config
        if is_serving(base):
            if config != base:
                say("a daemon runs here already: --hosts, --interval and --http-port have effect "
                    f"when it is started with {config}")
            return self._call(*self._sync_arguments(), "--config", str(base))
        daemon = Supervisor(self.program, config, say)
        self._print("daemon", "--config", str(config))
        daemon.start()
        if not daemon.wait_serving():
            say("the daemon did not come up; its own lines above say why")
            return daemon.stop() or UNREACHABLE
        code = self._call(*self._sync_arguments(), "--config", str(config))
        daemon.stop()
        return code

    def _serve(self, config: pathlib.Path) -> int:
        options = self.options
        if is_serving(self.base or config):
            say("a daemon runs here already: this one is not needed")
            return 0
        watch = Watch(options.watchdog_interval, options.max_restarts) if options.watchdog else None
        daemon = Supervisor(self.program, config, say)
        self._print("daemon", "--config", str(config))
        daemon.start()
        if options.force and daemon.wait_serving():
            self._call(*self._sync_arguments(), "--config", str(config))
        return daemon.run(watch)

    def _print(self, *arguments: str) -> None:
        if self.options.verbose:
            say("runs: " + shlex.join([self.program, *arguments]))

    def _call(self, *arguments: str) -> int:
        self._print(*arguments)
        sys.stdout.flush()
        return subprocess.run([self.program, *arguments], check=False).returncode


def find_program() -> str:
    """$SYNCLINE_PROGRAM, else syncline on the path, else the build of this checkout."""
    built = pathlib.Path(__file__).resolve().parents[2] / "build" / "syncline"
    for candidate in (os.environ.get("SYNCLINE_PROGRAM"), shutil.which("syncline"), str(built)):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise ConfigurationError("the program syncline is not on the path; install it, or name it with "
                             "SYNCLINE_PROGRAM")


def advice(options: argparse.Namespace) -> str:
    """What to type instead of this very line."""
    lines = ["deprecated; use instead:"]
    if options.hosts:
        lines.append(f"  syncline config import {shlex.quote(options.hosts)}"
                     "        once; then each host has its own syncline.toml")
    force = " --priority high" if options.force else ""
    if options.dry_run:
        lines.append(f"  syncline sync all{force} --dry-run")
    elif options.once:
        lines.append(f"  syncline sync all{force}        with 'syncline daemon' running")
    else:
        lines.append("  syncline daemon")
        lines += [f"  syncline sync all{force}"] if force else []
    if options.interval:
        lines.append(f"  poll_ms = {int(options.interval * 1000)} in syncline.toml, per collection")
    if options.http_port:
        lines.append(f"  node.http_listen = [\"unix:state/api.sock\", "
                     f"\"127.0.0.1:{options.http_port}\"] in syncline.toml")
    if options.watchdog:
        lines.append("  systemctl enable --now syncline        restarts it and watches it")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    say(advice(options))
    try:
        return Run(options).run()
    except SynclineError as error:
        say(str(error))
        return USAGE if isinstance(error, ConfigurationError) else FAILED


if __name__ == "__main__":
    sys.exit(main())
