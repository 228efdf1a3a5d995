"""A whole fleet of real daemons on this machine's loopback: for process tests, benchmarks and the
demo. Standard library only.

    with Fleet("/tmp/fleet") as fleet:
        fleet.add_node("home", roles=["coordinator", "backup"], collections=[GAMES])
        fleet.add_node("spot", roles=["selfplay"], collections=[GAMES], ephemeral=True)
        fleet.start_all()
        fleet.wait_connected()
        fleet.kill9("spot")

Every node has its own folder, keys and ports, and is told that it is a machine of its own (host and
storage domain), since k copies on one machine would rightly count as one.
A fleet that is not kept dies with the process that made it, kill -9 included.
"""

import ctypes
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Waits are written down as what they take on a quiet machine, with room to spare. A shared one may
# stand still for longer than that: a wait fails only after so many times its figure. What passes
# passes as soon as before.
PATIENCE = float(os.environ.get("SYNCLINE_TEST_PATIENCE", "4"))

# Collections as most tests want them; copy and change: {**GAMES, "copies": 2}.
GAMES = {
    "name": "games",
    "kind": "sqlite",
    "root": "data/games",
    "include": ["**/*.db"],
    "replica": "data/replica/games.db",
    "unit": "games",
    "complete_when": "completed_at IS NOT NULL",
    "config_key": ["board_type", "num_players"],
    "copies": 3,
    "priority": "high",
    "freshness_target_s": 60,
}
MODELS = {
    "name": "models",
    "kind": "files",
    "root": "models",
    "include": ["**/*.pth"],
    "copies": 3,
    "priority": "high",
    "stable_ms": 300,
    "freshness_target_s": 60,
}


class FleetError(Exception):
    """Something in the fleet is not as asked; the text says what and where to look."""


class DaemonEnded(FleetError):
    """A daemon that was to run has exited: no waiting will help."""


def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {toml_value(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }"
    return json.dumps(str(value))


def toml_text(sections, collections):
    lines = []
    for section, keys in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {toml_value(value)}" for key, value in keys.items()]
        lines.append("")
    for collection in collections:
        lines.append("[[collection]]")
        lines += [f"{key} = {toml_value(value)}" for key, value in collection.items()]
        lines.append("")
    return "\n".join(lines)


def free_port():
    """A port below the kernel's ephemeral range that is free for TCP and UDP on loopback."""
    for _ in range(500):
        port = random.SystemRandom().randint(12000, 29999)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise FleetError("no free port on loopback")


def die_with_parent():
    """In the child, before exec: SIGKILL when the parent is gone (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)


class Node:
    def __init__(self, fleet, name, folder, peer):
        self.fleet = fleet
        self.name = name
        self.folder = folder
        self.peer = peer              # "127.0.0.1:port"
        self.config = folder / "syncline.toml"
        self.log = folder / "daemon.log"
        self.process = None
        self.prefix = []              # before each command of this node: its network namespace
        self.programs = []            # self-play and others started on this node
        self.collections = []

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def collection(self, name):
        for collection in self.collections:
            if collection["name"] == name:
                return collection
        raise FleetError(f"{self.name} has no collection {name}")

    def root(self, name):
        return self.folder / self.collection(name)["root"]

    def replica(self, name):
        collection = self.collection(name)
        return self.folder / collection.get("replica", collection["root"])


class Fleet:
    def __init__(self, folder, program=None, selfplay=None, is_kept=False, network=None):
        build = pathlib.Path(os.environ.get("SYNCLINE_BUILD", ROOT / "build"))
        self.folder = pathlib.Path(folder).resolve()
        self.program = pathlib.Path(program or build / "syncline")
        self.selfplay = pathlib.Path(selfplay or build / "examples" / "hex_selfplay")
        self.is_kept = is_kept        # leave the processes running when this one ends
        self.network = network        # each node is a machine of its own in it
        self.nodes = {}
        for needed in (self.program, self.selfplay):
            if not os.access(needed, os.X_OK):
                raise FleetError(f"{needed} is not there; run make build")
        self.folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.is_kept:
            self.close()

    # ── making nodes ──

    def add_node(self, name, roles=(), collections=(), ephemeral=False, acks=2, seeds=None,
                 settings=None, mbit=None):
        """Makes a node: the first with `init`, others by `invite` and `join` (the first is started
        for that). `settings` are further sections or keys: {"durability": {"extra_pushes": 0}}.
        """
        folder = self.folder / name
        folder.mkdir(parents=True)
        node = Node(self, name, folder, f"127.0.0.1:{free_port()}")
        if self.network:
            machine = self.network.add(name, mbit)
            node.peer, node.prefix = f"{machine.address}:8750", machine.prefix
        where = ["--dir", str(folder), "--id", name, "--peer-listen", node.peer,
                 "--http-listen", "unix:state/api.sock"]
        first = next(iter(self.nodes.values()), None)
        if first is None:
            self.run("init", *where)
        else:
            if not first.is_running:
                self.start(first.name)
            token = self.run("invite", "--dir", str(first.folder)).split()[-1]
            self.run("join", token, *where, prefix=node.prefix)
        node.collections = [dict(c) for c in collections]
        sections = {
            "node": {
                "id": name,
                "roles": list(roles),
                "ephemeral": bool(ephemeral),
                "host": f"host-{name}",
                "storage_domain": f"disk-{name}",
                "peer_listen": node.peer,
                "http_listen": ["unix:state/api.sock"],
                "state_dir": "state",
                "seeds": list(seeds) if seeds is not None else [first.peer] if first else [],
            },
            "durability": {"acks": acks},
            # This machine's disk is everybody's here, and may be as full as it likes.
            "disk": {"used_max_percent": 99, "used_target_percent": 98, "free_min_percent": 0},
        }
        for section, keys in (settings or {}).items():
            sections.setdefault(section, {}).update(keys)
        node.config.write_text(toml_text(sections, node.collections))
        for collection in node.collections:
            (folder / collection["root"]).mkdir(parents=True, exist_ok=True)
        self.nodes[name] = node
        return node

    def run(self, *arguments, timeout=30, prefix=()):
        """A command that needs no daemon; returns its output, raises FleetError if it failed."""
        done = subprocess.run([*prefix, str(self.program), *arguments], capture_output=True,
                              text=True, timeout=timeout * PATIENCE)
        if done.returncode != 0:
            raise FleetError(f"syncline {arguments[0]} failed with {done.returncode}: "
                             f"{(done.stderr or done.stdout).strip()}")
        return done.stdout.strip()

    # ── running ──

    def start(self, name, timeout=15):
        node = self.nodes[name]
        if node.is_running:
            return
        with open(node.log, "ab") as log:
            node.process = self.spawn([*node.prefix, self.program, "daemon", "--config",
                                       node.config], log, cwd=node.folder)
        (node.folder / "daemon.pid").write_text(str(node.process.pid))

        def answers():
            if not node.is_running:
                raise DaemonEnded(f"the daemon of {name} ended with {node.process.returncode}: "
                                 f"{self.log_tail(name)}")
            return self.cli(name, "status")[0] in (0, 1)
        self.wait_until(answers, timeout, f"the daemon of {name} to answer (log: {node.log})")

    def start_all(self):
        for name in self.nodes:
            self.start(name)

    def spawn(self, command, output, cwd=None):
        return subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, cwd=cwd, start_new_session=True,
            preexec_fn=None if self.is_kept else die_with_parent)

    def kill9(self, name, with_programs=True):
        """The machine vanishes: its daemon and, unless told otherwise, all programs on it."""
        node = self.nodes[name]
        victims = [node.process] + (node.programs if with_programs else [])
        for process in victims:
            if process is not None and process.poll() is None:
                process.kill()
        for process in victims:
            if process is not None:
                process.wait()
        if with_programs:
            node.programs = []

    def stop(self, name, timeout=40):
        """SIGTERM to the daemon; returns its exit code."""
        node = self.nodes[name]
        if node.process is None:
            return None
        if node.is_running:
            node.process.terminate()
        try:
            return node.process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            node.process.kill()
            node.process.wait()
            raise FleetError(f"the daemon of {name} did not stop within {timeout} s") from None

    def close(self):
        for node in self.nodes.values():
            self.stop_programs(node.name)
        for node in self.nodes.values():
            if node.is_running:
                node.process.terminate()
        # Told twice, a daemon drains no longer: all leave at once, so that nobody could take it.
        for patience in (2, 40):
            for node in self.nodes.values():
                if node.process is None:
                    continue
                try:
                    node.process.wait(patience)
                except subprocess.TimeoutExpired:
                    node.process.send_signal(signal.SIGTERM if patience == 2 else signal.SIGKILL)
        for node in self.nodes.values():
            if node.process is not None:
                node.process.wait()

    def start_selfplay(self, name, *options, db="selfplay.db", collection="games"):
        """Runs hex_selfplay on a node; its output, a line per game, goes to <node>/<db>.log."""
        node = self.nodes[name]
        with open(node.folder / f"{db}.log", "ab") as log:
            process = self.spawn(
                [self.selfplay, "--db", node.root(collection) / db, "--print-games",
                 "--source", f"hex_selfplay/{name}", *options], log, cwd=node.folder)
        node.programs.append(process)
        return process

    def stop_programs(self, name, timeout=30):
        """SIGTERM to the node's programs and waits: self-play ends its game first."""
        node = self.nodes[name]
        for process in node.programs:
            if process.poll() is None:
                process.terminate()
        for process in node.programs:
            process.wait(timeout * PATIENCE)
        node.programs = []

    # ── asking ──

    def cli(self, name, *arguments, timeout=120):
        """Runs `syncline ARGUMENTS --json` as somebody on that node would.
        Returns (exit code, JSON answer), or (exit code, text) where the answer is no JSON.
        """
        node = self.nodes[name]
        command = [str(self.program), *map(str, arguments)]
        if "--json" not in arguments:
            command.append("--json")
        environment = {**os.environ, "SYNCLINE_CONFIG": str(node.config)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                              cwd=node.folder, env=environment)
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            return done.returncode, (done.stdout + done.stderr).strip()

    def ask(self, name, *arguments, timeout=120):
        """The same for answers that must be JSON: raises FleetError with what came instead."""
        rc, answer = self.cli(name, *arguments, timeout=timeout)
        if not isinstance(answer, (dict, list)):
            raise FleetError(f"syncline {' '.join(map(str, arguments))} on {name} ended with {rc}: "
                             f"{answer or 'no answer'}")
        return answer

    def status(self, name):
        return self.ask(name, "status")

    def collection_status(self, name, collection):
        for row in self.status(name)["collections"]:
            if row["name"] == collection:
                return row
        raise FleetError(f"the status of {name} does not mention {collection}")

    def connected_peers(self, name):
        return {p["id"] for p in self.status(name)["peers"] if p["state"] == "connected"}

    def wait_connected(self, names=None, timeout=20):
        """Until each of the nodes sees each other one as connected."""
        names = set(names or self.nodes)
        for name in names:
            self.wait_until(lambda n=name: self.connected_peers(n) >= names - {n}, timeout,
                            f"{name} to be connected to {sorted(names - {name})}")

    def wait_until(self, predicate, timeout, what="the condition"):
        """Polls until predicate() is true and returns its value."""
        timeout *= PATIENCE
        deadline = time.monotonic() + timeout
        last_error = None
        while True:
            try:
                value = predicate()
                last_error = None
                if value:
                    return value
            except DaemonEnded:
                raise
            except (FleetError, subprocess.TimeoutExpired) as error:
                last_error = error
            if time.monotonic() > deadline:
                raise FleetError(f"waited {timeout} s for {what}"
                                 + (f"; last answer: {last_error}" if last_error else ""))
            time.sleep(0.05)

    def log_tail(self, name, lines=5):
        try:
            text = self.nodes[name].log.read_text(errors="replace")
            return " | ".join(text.splitlines()[-lines:])
        except OSError:
            return "no log"
