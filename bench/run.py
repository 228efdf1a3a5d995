#!/usr/bin/env python3
"""Every benchmark, one after the other: whole programs beside their peers, then single rooms.

Names on the command line choose some: `bench/run.py w2 route`. Exit code 1 when a figure that is
wanted was not met.
"""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("SYNCLINE_BUILD", HERE.parent / "build"))


def main():
    chosen = sys.argv[1:]
    commands = {path.stem: [sys.executable, str(path)] for path in sorted(HERE.glob("w*_*.py"))}
    commands |= {path.name: [str(path)] for path in sorted((BUILD / "bench").glob("*_bench"))}
    missed = []
    for name, command in commands.items():
        if chosen and not any(name.startswith(word) for word in chosen):
            continue
        print(f"── {name}", flush=True)
        if subprocess.run(command).returncode != 0:
            missed.append(name)
    if missed:
        print("not met: " + ", ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
