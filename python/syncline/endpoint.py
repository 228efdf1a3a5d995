"""Where the daemon is: found as the command line finds it.

An explicit address, else the configuration: $SYNCLINE_CONFIG, ./syncline.toml,
/etc/syncline/syncline.toml. Of its listeners the one that is nearest: a Unix socket, an open
loopback port, a port with a token, TLS with this node's certificate.
"""

from __future__ import annotations

import os
import pathlib
import tomllib
import urllib.parse
from dataclasses import dataclass
from typing import Any

from .errors import ConfigurationError

DEFAULT_PORT = 8751
TOKEN_BYTES_MIN = 16
TOKEN_FILE_BYTES_MAX = 4096
CONFIG_BYTES_MAX = 4 << 20


@dataclass(frozen=True)
class Endpoint:
    """How to reach a daemon. Unix sockets and open ports need no token."""

    address: str                  # unix:/path/api.sock, http://host:port, https://host:port
    token: str = ""
    certificate: str = ""         # https: PEM files of a node of the fleet, instead of a token …
    key: str = ""
    authority: str = ""           # … and the fleet's CA, which the daemon's certificate must have
    connect_timeout_s: float = 5.0

    @property
    def socket_path(self) -> str:
        """Empty unless it is a Unix socket."""
        return self.address.removeprefix("unix:") if self.address.startswith("unix:") else ""

    @property
    def is_tls(self) -> bool:
        return self.address.startswith("https://")

    def host_and_port(self) -> tuple[str, int]:
        """REQUIRES: not a Unix socket."""
        text = self.address if "://" in self.address else f"http://{self.address}"
        malformed = ConfigurationError(
            "a daemon's address is unix:/path/api.sock or http://host:port", self.address)
        try:
            parts = urllib.parse.urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise malformed from None
        if parts.scheme not in ("http", "https") or not host or port == 0 \
                or parts.path not in ("", "/") or parts.query or parts.username:
            raise malformed
        return host, DEFAULT_PORT if port is None else port

    def check(self) -> None:
        """ConfigurationError for an address that nobody can dial."""
        if self.address == "unix:":
            raise ConfigurationError("unix: needs a path, as in unix:/path/api.sock")
        if not self.socket_path:
            self.host_and_port()


def find_endpoint(config: str | os.PathLike[str] | None = None) -> Endpoint:
    """The daemon of this machine, or of the configuration given."""
    path = find_config(config)
    return endpoint_of(read_config(path), path)


def find_config(named: str | os.PathLike[str] | None = None) -> pathlib.Path:
    """The file itself, absolute, symbolic links followed: relative paths begin at its folder."""
    given = os.fspath(named) if named else os.environ.get("SYNCLINE_CONFIG", "")
    if given:
        path = pathlib.Path(given)
        if not path.is_file():
            raise ConfigurationError("there is no such configuration file", str(path.absolute()))
        return path.resolve()
    for usual in ("syncline.toml", "/etc/syncline/syncline.toml"):
        path = pathlib.Path(usual)
        if path.is_file():
            return path.resolve()
    raise ConfigurationError(
        "there is no syncline.toml here; run 'syncline init' or 'syncline join', or name one with "
        "SYNCLINE_CONFIG")


def read_config(path: pathlib.Path) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            text = file.read(CONFIG_BYTES_MAX + 1)
        if len(text) > CONFIG_BYTES_MAX:
            raise ConfigurationError("the configuration is larger than 4 MiB", str(path))
        return tomllib.loads(text.decode())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the configuration cannot be read: {error}", str(path)) from None


def state_dir_of(config: dict[str, Any], path: pathlib.Path) -> pathlib.Path:
    named = os.environ.get("SYNCLINE_STATE_DIR") or config.get("node", {}).get("state_dir", "state")
    return path.parent / named


def endpoint_of(config: dict[str, Any], path: pathlib.Path) -> Endpoint:
    """The listener that a program on the same machine uses. `path` is where the file lies."""
    listeners = config.get("node", {}).get("http_listen", ["unix:state/api.sock"])
    if not isinstance(listeners, list) or not all(isinstance(one, str) for one in listeners):
        raise ConfigurationError("node.http_listen must be a list of addresses", str(path))
    usable = [one for one in map(_Listener, listeners) if one.is_usable]
    if not usable:
        raise ConfigurationError("the configuration has no listener that can be asked",
                                 "node.http_listen")
    best = min(usable, key=lambda one: one.rank)
    state = state_dir_of(config, path)
    if best.kind == "unix":
        return Endpoint(f"unix:{path.parent / best.rest}")
    if best.kind == "open":
        return Endpoint(f"http://{best.callable_address}")
    if best.kind == "tls":
        identity = state / "identity"
        return Endpoint(f"https://{best.callable_address}", certificate=str(identity / "node.pem"),
                        key=str(identity / "node-key.pem"), authority=str(identity / "ca.pem"))
    named = config.get("api", {}).get("token_file", "")
    token_file = path.parent / named if named else state / "api.token"
    return Endpoint(f"http://{best.callable_address}", token=read_token(token_file))


class _Listener:
    """One entry of node.http_listen."""

    def __init__(self, entry: str) -> None:
        self.kind, self.rest = "token", entry
        for kind in ("unix", "open", "tls"):
            if entry.startswith(kind + ":"):
                self.kind, self.rest = kind, entry[len(kind) + 1:]
        self.rank = ("unix", "open", "token", "tls").index(self.kind)

    @property
    def is_usable(self) -> bool:
        if self.kind == "unix":
            return bool(self.rest)
        port = self.rest.rpartition(":")[2]
        return port.isdigit() and 0 < int(port) < 65536

    @property
    def callable_address(self) -> str:
        """A wildcard is where one listens, not where one calls."""
        host, _, port = self.rest.rpartition(":")
        return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host) + ":" + port


def read_token(path: str | os.PathLike[str]) -> str:
    """The content of a token file, with the checks that the daemon makes itself."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            token = file.read(TOKEN_FILE_BYTES_MAX).decode(errors="replace").strip()
    except OSError as error:
        raise ConfigurationError(f"cannot read the API token: {error.strerror}",
                                 os.fspath(path)) from None
    if mode & 0o077:
        raise ConfigurationError("the API token can be read by others: chmod 600 the file",
                                 os.fspath(path))
    if len(token) < TOKEN_BYTES_MIN:
        raise ConfigurationError("the API token is shorter than 16 characters: write a longer one",
                                 os.fspath(path))
    return token
