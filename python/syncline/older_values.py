"""What the older programs' names answer, and how each says what to call now."""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger("syncline")
_said: set[str] = set()


def warn_of(name: str, call: str, stacklevel: int = 3) -> None:
    """A DeprecationWarning at the caller; and, since Python shows those to few, one line in the log
    per name and process."""
    text = f"{name} is deprecated; call instead: {call}"
    warnings.warn(text, DeprecationWarning, stacklevel=stacklevel)
    if name not in _said:
        _said.add(name)
        _log.warning("%s", text)


def instead(call: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Marks a function or method: each call warns with the new one."""
    def mark(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def warned(*args: P.args, **options: P.kwargs) -> T:
            warn_of(function.__qualname__, call)
            return function(*args, **options)
        return warned
    return mark


@dataclass
class SyncRoute:
    """One target or source, best first."""

    node_id: str
    score: float = 0.0
    reason: str = ""
    transport: str = ""


@dataclass
class SyncRecommendation:
    """Something that is older than its target, or on its way to be."""

    data_type: str
    config_key: str
    priority: str
    reason: str
    age_seconds: float
    target_seconds: float

    @property
    def call(self) -> str:
        """What to do about it, as code."""
        return f'await syncline.sync("{self.data_type}", priority="{self.priority}")'


@dataclass
class ClusterDataStatus:
    """The fleet's data as one node sees it."""

    total_hosts: int = 0
    healthy_hosts: int = 0
    stale_hosts: int = 0                # not connected now
    unsynced_games: int = 0             # local games without their copies
    bytes_at_risk: int = 0
    oldest_unsynced_seconds: float = 0.0
    host_states: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    is_safe: bool = False
