#!/usr/bin/env python3
"""Builds the Debian package out of a finished build: program, units, completions, manual, the older
command line and the Python package, alerts and dashboard.

    python3 deploy/package.py --build build --out build/package
"""

import argparse
import gzip
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
MAINTAINER = "Syncline developers <syncline@localhost>"

POSTINST = """#!/bin/sh
set -e
if [ "$1" = configure ]; then
  if ! getent passwd syncline >/dev/null; then
    useradd --system --user-group --home-dir /var/lib/syncline --no-create-home \\
      --shell /usr/sbin/nologin syncline
  fi
  # Keys lie below: nobody else looks in.
  mkdir -p /var/lib/syncline
  chown syncline:syncline /var/lib/syncline
  chmod 0700 /var/lib/syncline
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
  if [ -z "$2" ]; then
    echo "syncline: make a fleet or join one, then start it: /usr/share/doc/syncline/README.Debian"
  elif [ -d /run/systemd/system ]; then
    systemctl try-restart syncline.service || true
  fi
fi
"""
PRERM = """#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now syncline.service || true
fi
"""
POSTRM = """#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
if [ "$1" = purge ] && [ -d /var/lib/syncline ]; then
  # The journal may hold the only copy of something, the identity is the node's place in its fleet.
  echo "syncline: /var/lib/syncline is left as it is; remove it when nothing in it is needed"
fi
"""
README_DEBIAN = """Syncline on Debian
==================

The first node of a fleet:

    sudo -u syncline syncline init --dir /var/lib/syncline --fleet lab
    sudo ln -s /var/lib/syncline/syncline.toml /etc/syncline/syncline.toml
    sudo systemctl enable --now syncline

Every other: `syncline invite` on a node that runs, then here

    sudo -u syncline syncline join TOKEN --dir /var/lib/syncline
    sudo ln -s /var/lib/syncline/syncline.toml /etc/syncline/syncline.toml
    sudo systemctl enable --now syncline

Declare what is to be kept in sync in syncline.toml ([[collection]]), check it with
`syncline config check`, and look with `syncline status`. Removing or purging this package leaves
/var/lib/syncline alone.
"""


def output(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True).stdout


def write(path, content, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)


def copy(source, target, mode=0o644):
    write(target, source.read_bytes(), mode)


def compressed(content):
    return gzip.compress(content if isinstance(content, bytes) else content.encode(), 9, mtime=0)


def fill(tree, program, version):
    share = tree / "usr" / "share"
    installed = tree / "usr" / "bin" / "syncline"
    copy(program, installed, 0o755)
    subprocess.run(["strip", "--strip-unneeded", str(installed)], check=True)
    write(share / "man" / "man1" / "syncline.1.gz", compressed(output(program, "man")))
    for shell, place in (("bash", "bash-completion/completions/syncline"),
                         ("zsh", "zsh/vendor-completions/_syncline"),
                         ("fish", "fish/vendor_completions.d/syncline.fish")):
        write(share / place, output(program, "completion", shell))
    for unit in sorted((ROOT / "deploy" / "systemd").glob("*.service")):
        copy(unit, tree / "lib" / "systemd" / "system" / unit.name)
    for folder in ("prometheus", "grafana"):
        for file in sorted((ROOT / "deploy" / folder).iterdir()):
            copy(file, share / "syncline" / folder / file.name)
    for file in sorted((ROOT / "python" / "syncline").glob("*")):
        if file.is_file():
            copy(file, tree / "usr/lib/python3/dist-packages/syncline" / file.name)
    write(tree / "usr" / "bin" / "unified_data_sync",
          "#!/usr/bin/python3\nimport sys\n\nfrom syncline.unified_data_sync import main\n\n"
          "sys.exit(main())\n", 0o755)
    (tree / "etc" / "syncline").mkdir(parents=True)
    doc = share / "doc" / "syncline"
    write(doc / "README.Debian", README_DEBIAN)
    write(doc / "changelog.gz", compressed((ROOT / "CHANGELOG.md").read_bytes()))
    write(doc / "changelog.Debian.gz", compressed(
        f"syncline ({version}) unstable; urgency=medium\n\n  * See changelog.gz.\n\n"
        f" -- {MAINTAINER}  Thu, 01 Jan 2026 00:00:00 +0000\n"))
    write(doc / "copyright",
          "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
          "Upstream-Name: syncline\n\nFiles: *\nCopyright: the Syncline developers\n"
          "License: Apache-2.0\n On Debian systems the full text is in\n"
          " /usr/share/common-licenses/Apache-2.0.\n")


def dependencies(tree, work):
    """Which packages the program's libraries are in, as Debian's own tool finds them."""
    write(work / "debian" / "control", "Source: syncline\n\nPackage: syncline\nArchitecture: any\n")
    found = subprocess.run(["dpkg-shlibdeps", "-O", str(tree / "usr" / "bin" / "syncline")],
                           cwd=work, check=True, capture_output=True, text=True).stdout
    return re.search(r"shlibs:Depends=(.*)", found).group(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "package")
    options = parser.parse_args()
    program = options.build / "syncline"
    if not program.exists():
        raise SystemExit(f"{program} is not there; run make build")
    version = output(program, "--version").decode().split()[-1]
    architecture = output("dpkg", "--print-architecture").decode().strip()
    tree = options.out / "tree"
    shutil.rmtree(options.out, ignore_errors=True)
    tree.mkdir(parents=True)
    fill(tree, program, version)
    size_kib = sum(f.stat().st_size for f in tree.rglob("*") if f.is_file()) // 1024
    write(tree / "DEBIAN" / "control", f"""Package: syncline
Version: {version}
Architecture: {architecture}
Maintainer: {MAINTAINER}
Installed-Size: {size_kib}
Depends: {dependencies(tree, options.out / "work")}, passwd
Recommends: rsync, openssh-client, python3
Section: net
Priority: optional
Description: keeps the data of self-play fleets in sync and safe
 Syncline watches the SQLite databases and files that programs write on many
 unlike machines, makes each finished game and model durable on others in
 distinct failure domains, brings them where they are wanted, and says what is
 safe and what is not.
""")
    for name, script in (("postinst", POSTINST), ("prerm", PRERM), ("postrm", POSTRM)):
        write(tree / "DEBIAN" / name, script, 0o755)
    sums = "".join(
        f"{output('md5sum', f).decode().split()[0]}  {f.relative_to(tree)}\n"
        for f in sorted(tree.rglob("*")) if f.is_file() and "DEBIAN" not in f.parts)
    write(tree / "DEBIAN" / "md5sums", sums)
    for folder in [tree, *tree.rglob("*")]:
        if folder.is_dir():
            folder.chmod(0o755)
    package = options.out / f"syncline_{version}_{architecture}.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", str(tree), str(package)],
                   check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    shutil.rmtree(options.out / "work")
    print(f"{package}: {package.stat().st_size / 1e6:.1f} MB; "
          f"install it with: sudo apt install {package.resolve()}")


if __name__ == "__main__":
    sys.exit(main())
