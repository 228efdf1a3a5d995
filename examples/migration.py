"""make demo SCENARIO=migration: a small fleet of the older programs moves over.

Three hosts with the data that the older programs left: games, ratings whose surrogate ids collide,
a registry, models, archives. Their hosts file is imported; the older command line runs the service,
then the new one. Each time plain SQL and SHA-256 say whether all nodes have the same, by count and
by content.
"""

import hashlib
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time
import tomllib

import games
from fleet import FleetError

ROOT = pathlib.Path(__file__).resolve().parents[1]
OLDER_COMMAND = ROOT / "python" / "unified_data_sync"
HOSTS_FILE = "distributed_hosts.yaml"
HOSTS = """sync_routing:
  max_disk_usage_percent: 99
  target_disk_usage_percent: 98
  min_free_disk_percent: 0
  replication_target: 2
auto_sync: {interval_seconds: 5}
elo_sync: {coordinator: home, sync_interval: 300}
p2p_voters: [home]
hosts:
  home: {role: coordinator}
  trainer-1: {role: training}
  spot-1: {role: ephemeral, nat_blocked: true}
"""
NODES = {"home": "coordinator", "trainer-1": "trains and plays", "spot-1": "spot instance, plays"}
DATA_NODES = ["home", "trainer-1"]  # where games and archives belong
# Columns of the match table as three generations of the older programs named them.
SIDES = {"home": ("participant_a", "participant_b"), "trainer-1": ("model_a", "model_b"),
         "spot-1": ("model_a_id", "model_b_id")}
MATCHES = {
    "home": [("m1", "canonical_v1", "random", "canonical_v1", 10.0),
             ("m2", "canonical_v1", "canonical_v2", "canonical_v2", 20.0)],
    "trainer-1": [("m3", "canonical_v2", "random", "canonical_v2", 15.0),
                  ("m2", "canonical_v1", "canonical_v2", "canonical_v2", 20.0)],
    "spot-1": [("m4", "canonical_v2", "canonical_v1", "draw", 12.0)],
}
MATCH_SQL = ("SELECT game_id, participant_a, participant_b, winner, timestamp FROM match_history "
             "ORDER BY game_id")
RATING_SQL = "SELECT participant_id, rating, games_played FROM elo_ratings ORDER BY 1"
VERSION_SQL = ("SELECT m.model_id, v.version, v.stage FROM versions AS v "
               "JOIN models AS m ON m.model_id = v.model_id ORDER BY 1, 2")


def run(screen, fleet):
    """Returns True only if all nodes had the same each time, and all of it."""
    started = time.monotonic()
    os.environ["SYNCLINE_PROGRAM"] = str(fleet.program)
    make_machines(screen, fleet)
    import_hosts(screen, fleet)
    start_older_service(screen, fleet)
    run_older(screen, fleet, "home", "--once")
    is_good = show_same(screen, fleet, "run by the older command line")
    move_over(screen, fleet)
    work_on(screen, fleet)
    for name in NODES:  # the new call, on each node: what it made is where it belongs
        code, answer = fleet.cli(name, "sync", "all", "--timeout", "60")
        if code != 0:
            raise FleetError(f"syncline sync all on {name} ended with {code}: {answer}")
    screen.step("syncline sync all, on each node: every collection verified at its targets")
    is_good = show_same(screen, fleet, "run by the new one, with a day's new data") and is_good
    code, report = fleet.cli("home", "verify")
    screen.step("syncline verify: the fingerprints of all replicas agree" if code == 0
                else f"syncline verify ended with {code}: {report}", ok=code == 0)
    is_good = is_good and code == 0
    screen.line("")
    screen.verdict(f"The fleet has moved over, in {time.monotonic() - started:.0f} s; every node "
                   "has the same data." if is_good else
                   "NOT every node has the same; the logs are in demo-fleet/*/daemon.log.", is_good)
    return is_good


# ── the fleet as it was ──

def make_machines(screen, fleet):
    for name, what in NODES.items():
        fleet.add_node(name, collections=[], acks=1)
        screen.line(f"  {name:<10} {fleet.nodes[name].peer:<16} {what}")
    if fleet.nodes["home"].is_running:
        fleet.stop("home")  # it ran to hand out invitations
    for number, name in enumerate(NODES, 1):
        folder = fleet.nodes[name].folder
        for sub in ("data/games", "data/training", "models"):
            (folder / sub).mkdir(parents=True)
        (folder / HOSTS_FILE).write_text(HOSTS)
        play(fleet, name, "selfplay.db", 5 * number, seed=number)
        add_matches(folder, name, MATCHES[name])
        add_version(folder, f"model-of-{name}", number, "staging")
        add_file(folder / "models" / f"canonical_{name}_2p.pth", number)
        if name in DATA_NODES:
            add_file(folder / "data" / "training" / f"{name}_2p.npz", number + 10)
    screen.step("three machines with what the older programs left: games, matches whose ids "
                "collide, a registry, models, archives")


def play(fleet, name, file, count, seed):
    done = subprocess.run(
        [fleet.selfplay, "--db", fleet.nodes[name].folder / "data" / "games" / file, "--games",
         str(count), "--playouts", "5", "--seed", str(seed)], stdout=subprocess.DEVNULL,
        check=False)
    if done.returncode != 0:
        raise FleetError(f"hex_selfplay ended with {done.returncode}")


def add_matches(folder, name, matches):
    a, b = SIDES[name]
    with sqlite3.connect(folder / "data" / "unified_elo.db") as db:
        db.execute("CREATE TABLE IF NOT EXISTS match_history ("
                   f"id INTEGER PRIMARY KEY AUTOINCREMENT, {a} TEXT, {b} TEXT, winner TEXT, "
                   "board_type TEXT, num_players INTEGER, timestamp REAL, game_id TEXT)")
        db.executemany(
            f"INSERT INTO match_history (game_id, {a}, {b}, winner, timestamp, board_type, "
            "num_players) VALUES (?, ?, ?, ?, ?, 'hex8', 2)", matches)
    db.close()


def add_version(folder, model, version, stage):
    with sqlite3.connect(folder / "data" / "model_registry.db") as db:
        db.executescript(
            "CREATE TABLE IF NOT EXISTS models (model_id TEXT PRIMARY KEY, updated_at TEXT);"
            "CREATE TABLE IF NOT EXISTS versions (id INTEGER PRIMARY KEY AUTOINCREMENT, "
            "model_id TEXT REFERENCES models (model_id), version INTEGER, stage TEXT, "
            "updated_at TEXT, UNIQUE (model_id, version));")
        db.execute("INSERT OR IGNORE INTO models VALUES (?, '2026-01-01')", [model])
        db.execute("INSERT INTO versions (model_id, version, stage, updated_at) "
                   "VALUES (?, ?, ?, '2026-01-01')", [model, version, stage])
    db.close()


def add_file(path, seed):
    """Written under another name, then renamed: as the older programs did."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(hashlib.shake_256(bytes([seed])).digest(1 << 20))
    draft.rename(path)


# ── from the older command line to the new one ──

def import_hosts(screen, fleet):
    folder = fleet.nodes["home"].folder
    done = subprocess.run([fleet.program, "config", "import", HOSTS_FILE, "--out", "imported"],
                          cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise FleetError(f"config import ended with {done.returncode}: {done.stderr}")
    screen.step(f"syncline config import {HOSTS_FILE}: {done.stdout.splitlines()[0]}")
    for name, node in fleet.nodes.items():
        imported = tomllib.loads((folder / "imported" / f"{name}.toml").read_text())
        node.collections = imported["collection"]


def start_older_service(screen, fleet):
    for node in fleet.nodes.values():
        with open(node.log, "ab") as log:
            node.process = fleet.spawn([sys.executable, OLDER_COMMAND, "--hosts", HOSTS_FILE], log,
                                       cwd=node.folder)
    for name in NODES:
        fleet.wait_until(lambda name=name: fleet.cli(name, "status")[0] in (0, 1), 30,
                         f"the service of {name} to answer")
    fleet.wait_connected()
    screen.step(f"the older service on each: unified_data_sync --hosts {HOSTS_FILE}")


def run_older(screen, fleet, name, *flags):
    done = subprocess.run([sys.executable, OLDER_COMMAND, *flags], cwd=fleet.nodes[name].folder,
                          capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise FleetError(f"unified_data_sync {' '.join(flags)} ended with {done.returncode}: "
                         f"{done.stderr}{done.stdout}")
    screen.step(f"unified_data_sync {' '.join(flags)} on {name}; it says on standard error:")
    for line in done.stderr.strip().splitlines():
        screen.line(f"    {line}")


def move_over(screen, fleet):
    for name, node in fleet.nodes.items():
        fleet.stop(name)
        # What the older command made of the hosts file and this node's own addresses.
        shutil.copyfile(node.folder / "unified_data_sync.toml", node.config)
    fleet.start_all()
    fleet.wait_connected()
    screen.step("the new service on each: syncline daemon, with the imported configuration")


def work_on(screen, fleet):
    spot, trainer = fleet.nodes["spot-1"].folder, fleet.nodes["trainer-1"].folder
    play(fleet, "spot-1", "evening.db", 10, seed=21)
    add_matches(spot, "spot-1", [("m5", "canonical_v3", "canonical_v2", "canonical_v3", 30.0)])
    add_file(trainer / "models" / "canonical_v3.pth", 31)
    add_version(trainer, "model-of-home", 2, "production")
    screen.step("a day's work: 10 games and a match on spot-1, a model and a version on trainer-1")


# ── the proof ──

def ask(path, sql):
    if not path.exists():
        return []
    db = games.connect(path)
    try:
        return db.execute(sql).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise
    finally:
        db.close()


def contents(fleet, name):
    """What the node has, by collection: {key: content}."""
    node = fleet.nodes[name]
    found = {}
    if name in DATA_NODES:
        replica = node.replica("games")
        found["games"] = games.digests(replica)[0] if replica.exists() else {}
        found["npz"] = files_below(node.root("npz"))
    found["models"] = files_below(node.root("models"))
    found["matches"] = {row[0]: row[1:] for row in ask(node.replica("elo"), MATCH_SQL)}
    found["ratings"] = {row[0]: row[1:] for row in ask(node.replica("elo"), RATING_SQL)}
    found["registry"] = {row[:2]: row[2] for row in ask(node.replica("registry"), VERSION_SQL)}
    return found


def files_below(root):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in root.glob("*.*") if path.suffix in (".pth", ".npz")}


def written(fleet):
    """What the programs wrote on all machines: what every node must have."""
    wanted = {"games": {}, "npz": {}, "models": {}, "matches": {}, "registry": {}}
    for name, node in fleet.nodes.items():
        for path in (node.folder / "data" / "games").glob("*.db"):
            wanted["games"].update(games.digests(path)[0])
        wanted["npz"].update(files_below(node.folder / "data" / "training"))
        wanted["models"].update(files_below(node.folder / "models"))
        sql = MATCH_SQL
        for side, kept in zip(SIDES[name], SIDES["home"]):
            sql = sql.replace(kept, side)
        rows = ask(node.folder / "data" / "unified_elo.db", sql)
        wanted["matches"].update({row[0]: row[1:] for row in rows})
        rows = ask(node.folder / "data" / "model_registry.db", VERSION_SQL)
        wanted["registry"].update({row[:2]: row[2] for row in rows})
    return wanted


def show_same(screen, fleet, title):
    wanted = written(fleet)
    found = {}

    def is_same():
        for name in NODES:
            found[name] = contents(fleet, name)
        return all(content == wanted.get(kind, found["home"][kind])
                   for one in found.values() for kind, content in one.items())
    try:
        fleet.wait_until(is_same, 60, "every node to have the same")
    except FleetError:
        pass  # the table says where not
    is_good = is_same()
    screen.step(f"{title}: every node has the same, by count and by content" if is_good
                else f"{title}: NOT the same", ok=is_good)
    screen.line(f"  {'':<10}" + "".join(f"{name:>12}" for name in NODES) + "    content")
    for kind in ("games", "models", "npz", "matches", "ratings", "registry"):
        here = {name: one[kind] for name, one in found.items() if kind in one}
        digests = {hashlib.sha256(repr(sorted(c.items())).encode()).hexdigest()[:12]
                   for c in here.values()}
        counts = "".join(f"{len(here[name]) if name in here else '–':>12}" for name in NODES)
        screen.line(f"  {kind:<10}{counts}    {' ≠ '.join(sorted(digests))}")
    return is_good
