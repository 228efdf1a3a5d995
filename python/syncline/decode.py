"""JSON answers into values. A newer daemon may answer fields that are not known here: they are
skipped. A field of the wrong type is an error, never a surprise further on.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any, TypeVar

from .errors import CorruptError
from .values import SyncBackend

T = TypeVar("T")


@functools.cache
def _fields_of(cls: type) -> dict[str, tuple[str, Any]]:
    hints = typing.get_type_hints(cls)
    return {f.metadata.get("json", f.name): (f.name, hints[f.name])
            for f in dataclasses.fields(cls)}


def decode(cls: type[T], answer: object) -> T:
    """`answer`, parsed from JSON, as a value of the dataclass `cls`. CorruptError if it is not."""
    return typing.cast(T, _value(cls, answer, cls.__name__))


def decode_list(cls: type[T], answer: object, key: str) -> list[T]:
    """The list below `key` of an answer such as {"nodes": […]}."""
    if not isinstance(answer, dict) or not isinstance(answer.get(key), list):
        raise CorruptError(f"the daemon's answer is not understood: no list '{key}'")
    return [decode(cls, row) for row in answer[key]]


def _value(wanted: Any, given: object, where: str) -> Any:
    origin = typing.get_origin(wanted)
    if origin is types.UnionType:                       # T | None
        inner = next(a for a in typing.get_args(wanted) if a is not type(None))
        return None if given is None else _value(inner, given, where)
    if origin is list and isinstance(given, list):
        (inner,) = typing.get_args(wanted)
        return [_value(inner, item, where) for item in given]
    if origin is dict and isinstance(given, dict):
        inner = typing.get_args(wanted)[1]
        return {str(key): _value(inner, item, f"{where}.{key}") for key, item in given.items()}
    if dataclasses.is_dataclass(wanted) and isinstance(given, dict):
        fields = _fields_of(typing.cast(type, wanted))
        return wanted(**{fields[key][0]: _value(fields[key][1], item, f"{where}.{key}")
                         for key, item in given.items() if key in fields})
    if wanted is SyncBackend and isinstance(given, str):
        return _backend(given)
    if wanted is float and isinstance(given, (int, float)) and not isinstance(given, bool):
        return float(given)
    if wanted in (str, bool, int) and type(given) is wanted:
        return given
    raise CorruptError(f"the daemon's answer is not understood: {where} is {given!r:.60}")


def _backend(text: str) -> SyncBackend | str:
    """A backend of a newer daemon stays the text that it is."""
    try:
        return SyncBackend(text)
    except ValueError:
        return text
