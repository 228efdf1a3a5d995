"""One HTTP request over one connection, as the daemon serves them. Standard library, asyncio.

Bounds: a head of 64 KiB, a body of 256 MiB, one line of an event stream of 1 MiB. A connection that
says nothing for longer than the caller's patience is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

from .endpoint import Endpoint
from .errors import ConfigurationError, CorruptError, UnreachableError, error_from_answer

HEAD_BYTES_MAX = 64 << 10
BODY_BYTES_MAX = 256 << 20
LINE_BYTES_MAX = 1 << 20
SOCKET_PATH_BYTES_MAX = 107         # sun_path
STREAM_SILENCE_S = 60.0             # the server speaks every 15 s at least


@dataclass
class Answer:
    status: int
    headers: dict[str, str]         # names in lower case
    body: bytes

    def json(self) -> object:
        try:
            return json.loads(self.body)
        except ValueError:
            raise CorruptError("the daemon's answer is not JSON") from None

    def check(self) -> Answer:
        """Itself, or the error that it stands for."""
        if 200 <= self.status < 300:
            return self
        try:
            detail: object = json.loads(self.body)
        except ValueError:
            detail = None
        raise error_from_answer(self.status, detail, self.headers.get("retry-after", ""))


async def exchange(endpoint: Endpoint, method: str, path: str, body: object = None,
                   patience_s: float = 60.0) -> Answer:
    """Sends a request and reads the whole answer, whatever its status."""
    try:
        async with asyncio.timeout(patience_s), _connected(endpoint) as (reader, writer):
            writer.write(_request(endpoint, method, path, body))
            await writer.drain()
            status, headers = await _read_head(reader)
            chunks, size = [], 0
            async for chunk in _body(reader, headers, is_bodiless=method == "HEAD"):
                chunks.append(chunk)
                size += len(chunk)
                if size > BODY_BYTES_MAX:
                    raise CorruptError("the daemon's answer is larger than 256 MiB")
            return Answer(status, headers, b"".join(chunks))
    except TimeoutError:
        raise UnreachableError(f"the daemon gave no answer within {patience_s:g} s",
                               endpoint.address) from None
    except (asyncio.IncompleteReadError, OSError):
        raise UnreachableError("the daemon closed the connection without an answer",
                               endpoint.address) from None


async def stream_events(endpoint: Endpoint, after: int | str) -> AsyncIterator[object]:
    """The data of each message of GET /v1/events, parsed. Ends by UnreachableError when the stream
    breaks off, or when the iterator is closed."""
    path = f"/v1/events?after={after}"
    try:
        async with _connected(endpoint) as (reader, writer):
            writer.write(_request(endpoint, "GET", path, accept="text/event-stream"))
            await writer.drain()
            async with asyncio.timeout(STREAM_SILENCE_S):
                status, headers = await _read_head(reader)
            if status != 200:
                parts = [chunk async for chunk in _body(reader, headers)]
                Answer(status, headers, b"".join(parts)).check()
            rest, data = b"", b""
            chunks = _body(reader, headers)
            while True:
                async with asyncio.timeout(STREAM_SILENCE_S):
                    rest += await anext(chunks)
                *lines, rest = rest.split(b"\n")
                if len(rest) + len(data) > LINE_BYTES_MAX:
                    raise CorruptError("an event of the daemon is larger than 1 MiB")
                for line in lines:
                    line = line.removesuffix(b"\r")
                    if line.startswith(b"data:"):
                        data += line[5:].strip()
                    elif not line and data:
                        complete, data = data, b""
                        yield json.loads(complete)
    except (asyncio.IncompleteReadError, StopAsyncIteration, TimeoutError, OSError):
        raise UnreachableError("the stream of events broke off", endpoint.address) from None
    except ValueError:
        raise CorruptError("an event of the daemon is not JSON", endpoint.address) from None


@contextlib.asynccontextmanager
async def _connected(
        endpoint: Endpoint) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    try:
        async with asyncio.timeout(endpoint.connect_timeout_s):
            reader, writer = await _open(endpoint)
    except (OSError, TimeoutError) as error:
        why = getattr(error, "strerror", "") or f"{type(error).__name__}"
        raise UnreachableError(
            f"no daemon answers ({why}); start it with 'syncline daemon', or name another with "
            "SYNCLINE_CONFIG", endpoint.address) from None
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


async def _open(endpoint: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if not endpoint.socket_path:
        host, port = endpoint.host_and_port()
        context = _tls_context(endpoint) if endpoint.is_tls else None
        return await asyncio.open_connection(host, port, ssl=context, limit=HEAD_BYTES_MAX)
    folder, name = os.path.split(os.path.abspath(endpoint.socket_path))
    if len(os.fsencode(endpoint.socket_path)) <= SOCKET_PATH_BYTES_MAX:
        return await asyncio.open_unix_connection(endpoint.socket_path, limit=HEAD_BYTES_MAX)
    # Too long for the address of a socket: by way of its opened folder.
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        return await asyncio.open_unix_connection(f"/proc/self/fd/{descriptor}/{name}",
                                                  limit=HEAD_BYTES_MAX)
    finally:
        os.close(descriptor)


def _tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    """The fleet's certificates name nodes, not hosts, and its CA signs nothing else: where it is
    the CA, the chain says enough."""
    try:
        context = ssl.create_default_context(cafile=endpoint.authority or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = not endpoint.authority
        if endpoint.certificate:
            context.load_cert_chain(endpoint.certificate, endpoint.key or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"the node's certificate cannot be used: {error}",
                                 endpoint.certificate or endpoint.authority) from None
    return context


def _request(endpoint: Endpoint, method: str, path: str, body: object = None,
             accept: str = "application/json") -> bytes:
    if endpoint.socket_path:
        host = "localhost"
    else:
        name, port = endpoint.host_and_port()
        host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Accept: {accept}",
             "Connection: close"]
    if endpoint.token:
        lines.append(f"Authorization: Bearer {endpoint.token}")
    content = b""
    if body is not None:
        content = json.dumps(body).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise CorruptError("the head of the daemon's answer is larger than 64 KiB") from None
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
        raise CorruptError("what answers is no HTTP server", first[:60])
    pairs = (line.partition(":") for line in lines if ":" in line)
    return int(parts[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: dict[str, str],
                is_bodiless: bool = False) -> AsyncIterator[bytes]:
    """The body in pieces as they come. IncompleteReadError when it ends early."""
    if is_bodiless:
        return
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := _whole((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        return
    if "content-length" in headers:
        left = _whole(headers["content-length"].encode(), 10)
        while left > 0:
            chunk = await reader.read(min(left, 1 << 16))
            if not chunk:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(chunk)
            yield chunk
        return
    while chunk := await reader.read(1 << 16):
        yield chunk


def _whole(text: bytes, base: int) -> int:
    try:
        size = int(text.strip(), base)
    except ValueError:
        size = -1
    if not 0 <= size <= BODY_BYTES_MAX:
        raise CorruptError("the daemon's answer has no sensible length")
    return size
