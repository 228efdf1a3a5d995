"""Ending a fleet that an earlier run left up."""

import os
import pathlib
import signal
import time


def stop_kept_fleet(folder):
    """Ends the daemons and programs of a fleet that an earlier run left up. Each is recognised by
    its working folder and program, never by its number alone. Returns how many were ended."""
    folder = pathlib.Path(folder).resolve()
    ended = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            where = (entry / "cwd").resolve()
            name = (entry / "comm").read_text().strip()
        except OSError:
            continue
        if name in ("syncline", "hex_selfplay") and folder in where.parents:
            os.kill(int(entry.name), signal.SIGTERM)
            ended.append(entry)
    deadline = time.monotonic() + 40
    while any(entry.exists() for entry in ended) and time.monotonic() < deadline:
        time.sleep(0.05)
    return len(ended)
