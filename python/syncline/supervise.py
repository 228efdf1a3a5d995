"""Runs `syncline daemon` as a child: passes SIGTERM and SIGINT on, and restarts it as a watchdog
would. Where there is systemd, deploy/systemd does this better: Restart= and WatchdogSec=.
"""

from __future__ import annotations

import asyncio
import ctypes
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from .client import Client
from .endpoint import endpoint_of, read_config
from .errors import SynclineError

READY_WAIT_S = 60.0         # a daemon with much to recover takes its time
SILENCES_MAX = 3            # checks in a row without an answer: it hangs
STOP_WAIT_S = 90.0          # it delivers what it can first: spot.drain_deadline_s


def is_serving(config: pathlib.Path, patience_s: float = 10.0) -> bool:
    """A daemon answers at the configuration's own listener."""
    try:
        client = Client(endpoint=endpoint_of(read_config(config), config))
        answer = asyncio.run(client.raw("GET", "/healthz", patience_s=patience_s))
        return answer.status == 200
    except SynclineError:
        return False


@dataclass(frozen=True)
class Watch:
    interval_s: float = 30.0
    restarts_max: int = 10


class Supervisor:
    """One daemon. Made and used in the main thread: it takes the signals over."""

    def __init__(self, program: str, config: pathlib.Path, say: Callable[[str], None]) -> None:
        self._command = [program, "daemon", "--config", str(config)]
        self._config = config
        self._say = say
        self._child: subprocess.Popen[bytes] | None = None
        self._is_stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        self._is_stopping = True
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)

    def start(self) -> None:
        if not self._is_stopping:
            self._child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL,
                                           start_new_session=True, preexec_fn=_end_with_parent)
        if self._is_stopping and self._child is not None:       # a signal came meanwhile
            self._child.terminate()

    def wait_serving(self) -> bool:
        """Until it answers; false if it ended instead, or a signal came."""
        deadline = time.monotonic() + READY_WAIT_S
        while time.monotonic() < deadline and not self._is_stopping:
            if self._ended() is not None:
                return False
            if is_serving(self._config):
                return True
            time.sleep(0.1)
        return False

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        child = self._child
        if child is None:
            return 0
        if child.poll() is None:
            child.terminate()
        try:
            return child.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()

    def run(self, watch: Watch | None) -> int:
        """Until it ends for good; the exit code of the last one."""
        restarts = silences = 0
        while True:
            code = self._wait(watch.interval_s if watch else None)
            if self._is_stopping:
                return self.stop()
            if code is None and watch:
                silences = 0 if is_serving(self._config) else silences + 1
                if silences < SILENCES_MAX:
                    continue
                self._say(f"the daemon gave no answer at {silences} checks in a row: it is ended")
                code = self._kill()
            if watch is None or code is None or code == 0:
                return _as_a_shell_would(code or 0)
            if restarts == watch.restarts_max:
                self._say(f"the daemon ended with {code}; it was restarted {restarts} times, which "
                          "is all that --max-restarts allows")
                return _as_a_shell_would(code)
            restarts, silences = restarts + 1, 0
            self._say(f"the daemon ended with {code}; restart {restarts} of {watch.restarts_max}")
            time.sleep(min(watch.interval_s, float(restarts)))
            self.start()

    def _wait(self, seconds: float | None) -> int | None:
        """The exit code, or None when it still runs after so long."""
        if self._child is None:
            return 0
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def _ended(self) -> int | None:
        return 0 if self._child is None else self._child.poll()

    def _kill(self) -> int:
        if self._child is None:
            return 0
        self._child.kill()
        return self._child.wait()


def _as_a_shell_would(code: int) -> int:
    """A signal's number is negative in Python, and 128 + N everywhere else."""
    return code if code >= 0 else 128 - code


def _end_with_parent() -> None:
    """In the child, before exec: SIGTERM when the parent is gone (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM)
