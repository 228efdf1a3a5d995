"""What can go wrong, by what the caller does next.

Every error carries one sentence: the daemon's own where the daemon answered (`is_from_daemon`),
else what this package found. `subject` is the node, path, collection or address it is about.
"""

from __future__ import annotations


class SynclineError(Exception):
    """The base of all errors that this package raises on purpose."""

    kind = ""

    def __init__(self, what: str, subject: str = "", is_from_daemon: bool = False) -> None:
        super().__init__(what, subject)
        self.what = what
        self.subject = subject
        self.is_from_daemon = is_from_daemon

    def __str__(self) -> str:
        return f"{self.what} ({self.subject})" if self.subject else self.what


class InvalidRequestError(SynclineError):
    """The request is wrong: correct it."""

    kind = "invalid"


class ConfigurationError(InvalidRequestError):
    """No configuration, or one that does not say where the daemon listens."""


class MissingError(SynclineError):
    """No such collection, node or object."""

    kind = "missing"


class UnreachableError(SynclineError):
    """The daemon, or a node that it needs, does not answer: is it running?"""

    kind = "unreachable"


class OverloadedError(SynclineError):
    """A bound that frees itself: try again after `retry_after_s`."""

    kind = "overloaded"
    retry_after_s: float | None = None


class ExhaustedError(SynclineError):
    """Disk, memory or descriptors ran out on the daemon's machine."""

    kind = "exhausted"


class CorruptError(SynclineError):
    """Bytes were not what they must be."""

    kind = "corrupt"


class ConflictError(SynclineError):
    """Somebody else changed it meanwhile: read again."""

    kind = "conflict"


class DeadlineError(SynclineError):
    """A deadline passed."""

    kind = "cancelled"


class DeniedError(SynclineError):
    """The token is missing or wrong."""

    kind = "denied"


_BY_KIND: dict[str, type[SynclineError]] = {
    error.kind: error
    for error in (InvalidRequestError, MissingError, UnreachableError, OverloadedError,
                  ExhaustedError, CorruptError, ConflictError, DeadlineError, DeniedError)
}


def _kind_of_status(status: int) -> str:
    if status in (401, 403):
        return "denied"
    if status == 404:
        return "missing"
    if status in (429, 503):
        return "overloaded"
    return "unreachable" if status >= 500 else "invalid"


def error_from_answer(status: int, answer: object, retry_after: str = "") -> SynclineError:
    """The error that an answer outside 2xx stands for (docs/schemas/error.json)."""
    detail = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(detail, dict):
        detail = {}
    what = detail.get("what") or f"the daemon answered {status} without a reason"
    kind = detail.get("kind")
    error_class = _BY_KIND.get(kind if isinstance(kind, str) else "",
                               _BY_KIND[_kind_of_status(status)])
    error = error_class(str(what), str(detail.get("subject") or ""), is_from_daemon=True)
    if isinstance(error, OverloadedError):
        try:
            error.retry_after_s = float(retry_after)
        except ValueError:
            error.retry_after_s = None
    return error
