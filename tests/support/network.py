"""Several machines on one: a network namespace per node, joined by a bridge, with shaped links that
can be cut one way or both. Needs root, iproute2, and namespaces of the kernel.

    with Network() as network:
        a = network.add("a", mbit=200)      # a.address, a.prefix for commands
        network.cut("a", "b")               # a's packets to b are dropped; b's still reach a
        network.heal()
"""

import itertools
import os
import shutil
import subprocess

from fleet import FleetError

_numbers = itertools.count()


class Machine:
    def __init__(self, name, namespace, address):
        self.name = name
        self.namespace = namespace
        self.address = address
        self.prefix = ["ip", "netns", "exec", namespace]


class Network:
    def __init__(self, subnet="10.77.0"):
        self.tag = f"sl{os.getpid()}-{next(_numbers)}"
        self.subnet = subnet
        self.machines = {}
        self.cuts = set()
        self.hub = f"{self.tag}-hub"
        _ip("netns", "add", self.hub)
        self._in(self.hub, "link", "add", "br0", "type", "bridge")
        self._in(self.hub, "link", "set", "br0", "up")

    @staticmethod
    def why_not():
        """Why there can be none here; empty if there can."""
        if os.geteuid() != 0:
            return "network namespaces need root"
        if not shutil.which("ip") or not shutil.which("tc"):
            return "iproute2 is not installed"
        try:
            Network().close()
        except FleetError as error:
            return str(error)
        return ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add(self, name, mbit=None):
        number = len(self.machines) + 1
        machine = Machine(name, f"{self.tag}-{number}", f"{self.subnet}.{number + 1}")
        self.machines[name] = machine
        port = f"v{number}"
        _ip("netns", "add", machine.namespace)
        _ip("link", "add", "eth0", "netns", machine.namespace, "type", "veth", "peer", "name", port,
            "netns", self.hub)
        self._in(self.hub, "link", "set", port, "master", "br0", "up")
        self._in(machine.namespace, "address", "add", f"{machine.address}/24", "dev", "eth0")
        self._in(machine.namespace, "link", "set", "lo", "up")
        self._in(machine.namespace, "link", "set", "eth0", "up")
        if mbit:
            self.shape(machine.namespace, "eth0", mbit)     # what it sends
            self.shape(self.hub, port, mbit)                # what it receives
        return machine

    @staticmethod
    def shape(namespace, device, mbit):
        _run(["tc", "-n", namespace, "qdisc", "replace", "dev", device, "root", "tbf", "rate",
              f"{mbit}mbit", "burst", "256kb", "latency", "50ms"])

    def cut(self, sender, receiver):
        """What the one sends does not reach the other any more."""
        if (sender, receiver) not in self.cuts:
            self.cuts.add((sender, receiver))
            self._route("add", sender, receiver)

    def partition(self, one, other):
        for a in one:
            for b in other:
                self.cut(a, b)
                self.cut(b, a)

    def heal(self):
        for sender, receiver in self.cuts:
            self._route("delete", sender, receiver)
        self.cuts.clear()

    def close(self):
        for machine in self.machines.values():
            _run(["ip", "netns", "delete", machine.namespace])
        self.machines.clear()
        _run(["ip", "netns", "delete", self.hub])

    def _route(self, action, sender, receiver):
        self._in(self.machines[sender].namespace, "route", action, "blackhole",
                 f"{self.machines[receiver].address}/32")

    @staticmethod
    def _in(namespace, *arguments):
        _ip("-n", namespace, *arguments)


def _ip(*arguments):
    _run(["ip", *arguments])


def _run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise FleetError(f"{' '.join(command)} failed: {done.stderr.strip()}")
