"""A configuration made from another one: what flags and an imported hosts file change in it.

The result stands beside the node's own syncline.toml, so that its relative paths begin at the same
folder, and is written anew each time.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
from typing import Any

from .errors import ConfigurationError

# What makes a node itself: never taken from a hosts file, which knows nothing of it.
OWN_KEYS = ("id", "host", "storage_domain", "peer_listen", "http_listen", "state_dir")


def with_import(own: dict[str, Any], imported: dict[str, Any]) -> dict[str, Any]:
    """The imported file, as the node that `own` describes: its name, addresses, state and keys."""
    node = {**imported.get("node", {})}
    mine = own.get("node", {})
    for key in OWN_KEYS:
        if mine.get(key):
            node[key] = mine[key]
    node["seeds"] = list(dict.fromkeys([*mine.get("seeds", []), *node.get("seeds", [])]))
    return {**imported, "node": node, **{key: own[key] for key in ("api", "ssh") if key in own}}


def with_interval(config: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Full looks every so many seconds; changes are noticed at once all the same."""
    collections = []
    for one in config.get("collection", []):
        is_sqlite = one.get("kind") == "sqlite"
        pace = {"poll_ms": int(seconds * 1000)} if is_sqlite else {
            "scan_interval_s": max(1, round(seconds))}
        collections.append({**one, **pace})
    return {**config, "collection": collections}


def with_http_port(config: dict[str, Any], port: int) -> dict[str, Any]:
    node = {**config.get("node", {})}
    listeners = list(node.get("http_listen", ["unix:state/api.sock"]))
    entry = f"127.0.0.1:{port}"
    if entry not in listeners:
        listeners.append(entry)
    return {**config, "node": {**node, "http_listen": listeners}}


def write_config(path: pathlib.Path, config: dict[str, Any], origin: str) -> None:
    """Whole or not at all: a reader never sees half of it."""
    text = f"# Made by unified_data_sync from {origin}; written anew each time.\n\n"
    draft = path.with_name(f"{path.name}.new.{os.getpid()}")
    try:
        draft.write_text(text + to_toml(config))
        draft.replace(path)
    except OSError as error:
        raise ConfigurationError(f"the configuration cannot be written: {error.strerror}",
                                 str(path)) from None


def to_toml(config: dict[str, Any]) -> str:
    """Plain values first, then a table per section, then the lists of tables."""
    plain, tables, lists = [], [], []
    for key, value in config.items():
        if isinstance(value, dict):
            tables.append(f"\n[{_key(key)}]\n" + "".join(
                f"{_key(name)} = {_value(item)}\n" for name, item in value.items()))
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            lists += [f"\n[[{_key(key)}]]\n" + "".join(
                f"{_key(name)} = {_value(item)}\n" for name, item in one.items())
                for one in value]
        else:
            plain.append(f"{_key(key)} = {_value(value)}\n")
    return "".join([*plain, *tables, *lists])


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return "{ " + inside + " }" if inside else "{}"
    return _text(str(value))


def _text(text: str) -> str:
    """JSON's escapes are TOML's too, but for DEL and what is beyond 16 bits, which stays itself."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
