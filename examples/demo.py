#!/usr/bin/env python3
"""make demo: what Syncline promises, shown on this machine in about a minute.

Five daemons on loopback: two permanent nodes, a trainer, two spot instances. Real self-play (Hex,
by Monte-Carlo tree search) runs on three of them at once, each writing its own SQLite file. A model
is published. One spot instance gets its provider's notice, delivers what it has and leaves; the
other is killed with kill -9 in the middle of a game. Then plain SQL, read from each replica, says
whether a game that was acknowledged is lost, doubled or torn.

Exit code 0 only if nothing is. `--scenario migration` shows another day: migration.py. KEEP=1
leaves the fleet up; --stop ends a fleet left up.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "examples")]

import games  # noqa: E402
import imds  # noqa: E402
import migration  # noqa: E402
from demo_parts import AckWatcher, ModelWatcher, Screen, publish_model  # noqa: E402
from fleet import GAMES, MODELS, Fleet, FleetError, free_port  # noqa: E402
from kept_fleet import stop_kept_fleet  # noqa: E402

FOLDER = ROOT / "demo-fleet"
MODEL = "canonical_hex8_2p.pth"
MODEL_BYTES = 32 << 20
ACKS = 2
NODES = {
    "home": {"roles": ["coordinator", "backup", "voter"], "what": "permanent"},
    "vault": {"roles": ["backup", "voter"], "what": "permanent"},
    "trainer": {"roles": ["training", "selfplay", "voter"], "what": "permanent, trains and plays"},
    "spot": {"roles": ["selfplay"], "what": "spot instance, may vanish", "ephemeral": True},
    "rented": {"roles": ["selfplay"], "what": "spot instance, gets a notice", "ephemeral": True},
}
# Who plays what. The trainer's program uses the old rollback journal, the spot's WAL.
PLAYERS = {
    "trainer": ["--board", "hex11", "--playouts", "120", "--games-per-second", "4",
                "--journal-mode", "delete"],
    "spot": ["--board", "hex8", "--playouts", "1200", "--games-per-second", "12",
             "--journal-mode", "wal"],
    "rented": ["--board", "hex8", "--playouts", "400", "--games-per-second", "4",
               "--journal-mode", "wal"],
}
NOTICE_S = 120  # as AWS gives
DB = "selfplay.db"


def raise_fleet(screen, fleet):
    for name, node in NODES.items():
        # Its provider's metadata service, over real HTTP, with the answers that AWS documents.
        port = free_port() if name == "rented" else 0
        settings = {"spot": {"metadata_aws": f"http://127.0.0.1:{port}",
                             "poll_interval_ms": 500}} if port else {}
        fleet.add_node(name, roles=node["roles"], collections=[GAMES, MODELS], acks=ACKS,
                       ephemeral=node.get("ephemeral", False), settings=settings)
        if port:
            provider = fleet.spawn(imds.command("127.0.0.1", port, notice_of(fleet), NOTICE_S),
                                   subprocess.DEVNULL, cwd=fleet.nodes[name].folder)
        screen.line(f"  {name:<8} {fleet.nodes[name].peer:<16} {node['what']}")
    fleet.start_all()
    fleet.wait_connected()
    screen.step("five daemons up, each connected to the other four over TLS")
    return provider


def notice_of(fleet):
    return fleet.nodes["rented"].folder / "notice"


def source_of(fleet, name):
    return fleet.nodes[name].root("games") / DB


def play_until(screen, fleet, watchers, games_wanted, seconds_max):
    deadline = time.monotonic() + seconds_max
    while True:
        played = sum(len(games.completed_ids(source_of(fleet, n))) for n in PLAYERS)
        acknowledged = sum(len(w.acknowledged) for w in watchers.values())
        screen.live(f"  {played} games played, {acknowledged} acknowledged by {ACKS} other nodes")
        if played >= games_wanted and all(w.acknowledged for w in watchers.values()):
            screen.end_live()
            return
        if time.monotonic() > deadline:
            screen.end_live()
            raise FleetError(f"after {seconds_max} s only {played} games are played and "
                             f"{acknowledged} acknowledged (wanted {games_wanted})")
        time.sleep(0.2)


def spread_model(screen, fleet):
    watcher = ModelWatcher({n: node.root("models") / MODEL for n, node in fleet.nodes.items()})
    digest = publish_model(fleet.nodes["trainer"].root("models") / MODEL, MODEL_BYTES)
    watcher.begin(digest, MODEL_BYTES)
    fleet.cli("trainer", "sync", "models", "--priority", "high", "--confirm", "--timeout", "30")
    fleet.wait_until(watcher.is_everywhere, 30, "the model to be on every node")
    seconds = watcher.end()
    if watcher.half_seen:
        raise FleetError("a half-written model was visible on " + ", ".join(watcher.half_seen))
    screen.step(f"the trainer published {MODEL} ({MODEL_BYTES >> 20} MiB): on all nodes after "
                f"{seconds:.1f} s, never visible half-written")


def give_notice(screen, fleet, watcher, provider):
    """The provider takes the machine back; its self-play goes on meanwhile."""
    finished = games.completed_ids(source_of(fleet, "rented"))
    notice_of(fleet).touch()
    started = time.monotonic()
    code = fleet.nodes["rented"].process.wait(30)
    watcher.stop()
    fleet.stop_programs("rented")
    provider.kill()
    provider.wait()
    if code != 0:
        raise FleetError(f"rented left with {code}: not all that it had finished was durable")
    screen.step(f"rented got its provider's notice ({NOTICE_S} s), delivered what it had, said so "
                f"(exit code 0) and left after {time.monotonic() - started:.1f} s")
    return finished | watcher.acknowledged


def kill_spot(screen, fleet, watcher):
    source = source_of(fleet, "spot")
    fleet.wait_until(lambda: games.open_games(source), 20, "the spot node to be in a game")
    fleet.kill9("spot")
    watcher.stop()
    committed = games.completed_ids(source)
    under_way = games.open_games(source)
    moves = f" at move {under_way[0][1]} of a game" if under_way else ""
    screen.step(f"kill -9 of spot{moves}: its daemon and its self-play are gone")
    screen.line(f"  it had finished {len(committed)} games; {len(watcher.acknowledged)} of them "
                "were acknowledged before the kill")


def prove(fleet, names, wanted):
    """Inspects the replica of each node once it had time to merge what it holds."""
    written, columns = {}, None
    for player in PLAYERS:
        digests, columns = games.digests(source_of(fleet, player))
        written.update(digests)
    found = {}
    for name in names:
        replica = fleet.nodes[name].replica("games")

        def is_there():
            found[name] = games.inspect(replica, wanted, written, columns)
            return not found[name].missing
        try:
            fleet.wait_until(lambda: replica.exists() and is_there(), 20, f"the replica of {name}")
        except FleetError:
            found[name] = games.inspect(replica, wanted, written, columns) if replica.exists() \
                else games.Inspection(missing=sorted(wanted))
    return found


def show_proof(screen, found, wanted, title):
    bad = [n for n, f in found.items() if not f.is_clean]
    screen.step(f"{title}: " + ("nothing lost, doubled, torn or changed" if not bad
                                else "NOT as promised on " + ", ".join(bad)), ok=not bad)
    screen.line(f"  {'replica of':<10} {'games':>7} {'wanted':>7} {'lost':>5} {'doubled':>8} "
                f"{'torn':>5} {'changed':>8}  quick_check")
    for name, f in found.items():
        screen.line(f"  {name:<10} {f.games:>7} {len(wanted):>7} {len(f.missing):>5} "
                    f"{len(f.doubled):>8} {len(f.torn):>5} {len(f.changed):>8}  {f.integrity}")
    return not bad


def finish_play(screen, fleet, watcher):
    fleet.stop_programs("trainer")
    watcher.stop()
    rc, report = fleet.cli("trainer", "flush", "--acks", ACKS, "--deadline", "20")
    if rc != 0:
        raise FleetError(f"flush on trainer ended with {rc}: {report}")
    screen.step("the trainer's self-play ended; syncline flush says all of it is durable")


def summary(screen, played, durable, lost, latencies, seconds, is_good):
    screen.line("")
    rows = [("games played", f"{played}"), ("durable", f"{durable}"), ("lost", f"{lost}")]
    for name, (p50, p99) in latencies.items():
        rows.append((f"commit → durable, {name}", f"p50 {p50:.1f} ms   p99 {p99:.1f} ms"))
    rows.append(("time", f"{seconds:.0f} s"))
    screen.table(rows)
    screen.line("")
    screen.verdict("Every acknowledged game is on every node, once and whole." if is_good
                   else "The promise was NOT kept; the logs are in demo-fleet/*/daemon.log.",
                   is_good)


def day(screen, fleet):
    """Returns True only if every promise was seen to be kept."""
    started = time.monotonic()
    provider = raise_fleet(screen, fleet)
    watchers = {}
    for name, options in PLAYERS.items():
        fleet.start_selfplay(name, *options, db=DB)
        watchers[name] = AckWatcher(fleet, name, source_of(fleet, name), ACKS)
    screen.step("self-play on trainer (11×11, rollback journal), spot and rented (8×8, WAL)")
    play_until(screen, fleet, watchers, games_wanted=60, seconds_max=40)
    spread_model(screen, fleet)
    play_until(screen, fleet, watchers, games_wanted=150, seconds_max=40)
    of_rented = give_notice(screen, fleet, watchers["rented"], provider)
    kill_spot(screen, fleet, watchers["spot"])
    time.sleep(2)  # the others go on playing without it
    finish_play(screen, fleet, watchers["trainer"])

    of_trainer = games.completed_ids(source_of(fleet, "trainer"))
    acknowledged = watchers["spot"].acknowledged | of_trainer | of_rented
    survivors = ["home", "vault", "trainer"]
    first = prove(fleet, survivors, acknowledged)
    is_good = show_proof(screen, first, acknowledged, "proof by SQL on the three survivors")

    fleet.start("spot")
    everything = of_trainer | of_rented | games.completed_ids(source_of(fleet, "spot"))
    # It played on while it delivered: what it finished in that time counts where it arrived.
    everything |= games.completed_ids(source_of(fleet, "rented")) & \
        games.completed_ids(fleet.nodes["home"].replica("games"))
    rc, report = fleet.cli("spot", "flush", "--acks", ACKS, "--deadline", "20")
    if rc != 0:
        raise FleetError(f"flush on the restarted spot ended with {rc}: {report}")
    screen.step("spot came back with its disk: what it had not yet sent is durable now too")
    second = prove(fleet, [*survivors, "spot"], everything)
    is_good = show_proof(screen, second, everything, "proof by SQL on all four") and is_good
    rc, report = fleet.cli("home", "verify", "games")
    screen.step("syncline verify games: the fingerprints of all replicas agree" if rc == 0
                else f"syncline verify games ended with {rc}: {report}", ok=rc == 0)
    is_good = is_good and rc == 0

    lost = set()
    for f in [*first.values(), *second.values()]:
        lost |= set(f.missing)
    latencies = {n: w.latency for n, w in watchers.items() if w.latency}
    durable = len(everything - lost)
    is_good = is_good and set(latencies) == set(PLAYERS)
    summary(screen, len(everything), durable, len(lost), latencies, time.monotonic() - started,
            is_good)
    return is_good


SCENARIOS = {
    "day": ("Syncline: a fleet of five on this machine", day),
    "migration": ("Syncline: a fleet of the older programs moves over", migration.run),
}


def show_how_to_look(screen, fleet):
    program = os.path.relpath(fleet.program)
    screen.line("\nThe fleet is still up. To look at it:")
    for name in ("home", "spot"):
        screen.line(f"  export SYNCLINE_CONFIG={fleet.nodes[name].config}   # be on {name}")
    for command in ("status", "nodes", "sync games --explain", "events --follow"):
        screen.line(f"  {program} {command}")
    screen.line(f"  sqlite3 {fleet.nodes['vault'].replica('games')} "
                "'SELECT board_type, count(*) FROM games GROUP BY 1'")
    screen.line("  python3 examples/demo.py --stop   # ends it")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="day")
    parser.add_argument("--folder", type=pathlib.Path, default=FOLDER, help="of the fleet")
    parser.add_argument("--stop", action="store_true", help="end a fleet that KEEP=1 left up")
    options = parser.parse_args()
    screen = Screen()
    ended = stop_kept_fleet(options.folder)
    if options.stop:
        screen.line(f"{ended} processes of the demo's fleet ended")
        return 0
    shutil.rmtree(options.folder, ignore_errors=True)
    is_kept = os.environ.get("KEEP", "") not in ("", "0")
    title, play = SCENARIOS[options.scenario]
    screen.title(title)
    try:
        with Fleet(options.folder, is_kept=is_kept) as fleet:
            is_good = play(screen, fleet)
            if is_kept:
                show_how_to_look(screen, fleet)
            return 0 if is_good else 1
    except FleetError as error:
        screen.end_live()
        screen.verdict(f"{error}", is_good=False)
        return 1
    except KeyboardInterrupt:
        screen.end_live()
        screen.line("stopped")
        return 130


if __name__ == "__main__":
    sys.exit(main())
