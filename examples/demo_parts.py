"""Parts of the demo: what it prints, and the witnesses that look on from outside."""

import hashlib
import os
import subprocess
import sys
import threading
import time

import games
from fleet import FleetError


class Screen:
    """Plain lines; colour and a line that updates in place only where a person looks on."""

    def __init__(self):
        self.is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.started = time.monotonic()
        self.has_live = False
        self.last_live = ""

    def paint(self, text, code):
        return f"\x1b[{code}m{text}\x1b[0m" if self.is_terminal else text

    def line(self, text):
        self.end_live()
        print(text, flush=True)

    def title(self, text):
        self.line(self.paint(text, "1"))

    def step(self, text, ok=True):
        mark = self.paint("✓", "32") if ok else self.paint("✗", "31")
        self.line(f"{mark} {time.monotonic() - self.started:5.1f} s  {text}")

    def live(self, text):
        self.last_live = text
        if self.is_terminal:
            print("\r\x1b[K" + text, end="", flush=True)
            self.has_live = True

    def end_live(self):
        if self.has_live:
            print(flush=True)
            self.has_live = False
        elif self.last_live:
            print(self.last_live, flush=True)
        self.last_live = ""

    def table(self, rows):
        width = max(len(name) for name, _ in rows)
        span = max(len(value) for _, value in rows)
        edge = "─" * (width + 2)
        print(f"┌{edge}┬{'─' * (span + 2)}┐")
        for name, value in rows:
            print(f"│ {name:<{width}} │ {value:<{span}} │")
        print(f"└{edge}┴{'─' * (span + 2)}┘", flush=True)

    def verdict(self, text, is_good):
        self.line(self.paint(text, "1;32" if is_good else "1;31"))


class AckWatcher:
    """Learns which games a node has promised to keep: reads the finished games from the program's
    own database, then asks for a flush; when that says "durable", those games are acknowledged.
    Nothing counts that the daemon did not confirm after the games were seen.
    """

    def __init__(self, fleet, name, source, acks):
        self.fleet, self.name, self.source, self.acks = fleet, name, source, acks
        self.acknowledged = set()
        self.latency = None             # (p50, p99) in ms, as last reported by the node
        self.error = None
        self.is_stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_stopping.is_set():
            try:
                seen = games.completed_ids(self.source)
                if seen - self.acknowledged:
                    rc, _ = self.fleet.cli(self.name, "flush", "--acks", self.acks,
                                           "--deadline", "10")
                    if rc == 0:
                        self.acknowledged = self.acknowledged | seen
                stats = self.fleet.ask(self.name, "stats")
                if stats["durable_p99_ms"] > 0:
                    self.latency = (stats["durable_p50_ms"], stats["durable_p99_ms"])
            except (FleetError, subprocess.TimeoutExpired) as error:
                self.error = error  # the node was killed: that is what the demo is about
            self.is_stopping.wait(0.25)

    def stop(self):
        self.is_stopping.set()
        self.thread.join()


def publish_model(path, size_bytes):
    """Writes a model as training programs do: straight to its name. Returns its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with open(path, "wb") as out:
        for _ in range(size_bytes >> 20):
            step = os.urandom(1 << 20)
            digest.update(step)
            out.write(step)
    return digest.hexdigest()


class ModelWatcher:
    """Looks at a path on every node all the time: what is visible there must be the whole file."""

    def __init__(self, paths):
        self.paths = paths              # node -> path
        self.whole = {}                 # node -> seconds until it was seen whole
        self.half_seen = set()
        self.is_stopping = threading.Event()

    def begin(self, digest, size_bytes):
        self.digest, self.size_bytes = digest, size_bytes
        self.started = time.monotonic()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_stopping.is_set():
            for node, path in self.paths.items():
                if node not in self.whole and path.exists():
                    data = path.read_bytes()
                    if hashlib.sha256(data).hexdigest() == self.digest:
                        self.whole[node] = time.monotonic() - self.started
                    else:
                        self.half_seen.add(node)
            self.is_stopping.wait(0.01)

    def is_everywhere(self):
        return set(self.whole) == set(self.paths)

    def end(self):
        """Seconds until the last node had it."""
        self.is_stopping.set()
        self.thread.join()
        return max(self.whole.values())
