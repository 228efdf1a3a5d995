"""A daemon's API with recorded answers, for tests of clients: real HTTP over a real socket. What
it is asked and what it answers is checked against docs/schemas."""

import asyncio
import json
import threading
import urllib.parse

from schema import Schema

ANSWERS = {
    "POST /v1/sync": "sync-response", "POST /v1/flush": "flush", "POST /v1/verify": "verify",
    "GET /v1/status": "status", "GET /v1/stats": "stats", "GET /v1/nodes": "nodes",
    "GET /v1/freshness": "freshness", "GET /v1/transfers": "transfers",
    "GET /v1/events": "events", "GET /v1/routes": "route",
}
REQUESTS = {"POST /v1/sync": "sync-request", "POST /v1/flush": "flush-request",
            "POST /v1/verify": "verify-request", "POST /v1/notify": "notify-request"}


def event(number, kind="data_sync_completed"):
    return {"id": number, "at_ms": 1700000000000 + number, "type": kind, "collection": "games",
            "node": "a", "message": "everything arrived", "details": {"backend": "hybrid"}}


class RecordedDaemon:
    """with RecordedDaemon(folder / "api.sock") as daemon: … daemon.address, daemon.asked"""

    def __init__(self, socket_path=None, token=""):
        self.socket_path = socket_path
        self.token = token
        self.asked = []             # (what, body or query, headers)
        self.overrides = {}         # what -> (status, body as bytes or JSON value, headers)
        self.events = []            # as a stream sends them
        self.streams = 0
        self.is_chunked = True
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.listen(), self.loop).result(10)
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.close(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def listen(self):
        if self.socket_path:
            self.server = await asyncio.start_unix_server(self.serve, str(self.socket_path))
            self.address = f"unix:{self.socket_path}"
            return
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.address = "http://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def close(self):
        self.server.close()
        await self.server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    async def serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = head[0].split(" ")
            headers = {n.strip().lower(): v.strip() for n, _, v in
                       (line.partition(":") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            path, _, query = target.partition("?")
            what = f"{method} {path}"
            if headers.get("accept") == "text/event-stream":
                await self.stream(writer, query)
                return
            value = json.loads(body) if body else urllib.parse.parse_qs(query)
            if what in REQUESTS:
                Schema(REQUESTS[what]).check(value)
            self.asked.append((what, value, headers))
            self.write(writer, *self.answer(what, headers))
            await writer.drain()
        finally:
            writer.close()

    def answer(self, what, headers):
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            return 401, error("denied", "the token is wrong"), {}
        if what in self.overrides:
            return self.overrides[what]
        if what in ANSWERS:
            schema = Schema(ANSWERS[what])
            return 200, schema.check(schema.sample()), {}
        if what == "POST /v1/notify":
            return 200, {"is_accepted": True}, {}
        if what in ("GET /readyz", "GET /healthz"):
            return 200, b"ok\n", {}
        return 404, error("missing", "there is nothing at this path", what), {}

    @staticmethod
    def write(writer, status, body, headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)

    async def stream(self, writer, query):
        """Sends what is there, in pieces that cut lines anywhere, and breaks off."""
        self.streams += 1
        after = urllib.parse.parse_qs(query)["after"][0]
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        text = b": nothing to say\n\n"
        for one in self.events:
            if after != "latest" and one["id"] > int(after):
                Schema("event").check(one)
                text += (f"id: {one['id']}\nevent: {one['type']}\n"
                         f"data: {json.dumps(one)}\n\n").encode()
        for start in range(0, len(text), 37):
            piece = text[start:start + 37]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()


def error(kind, what, subject=""):
    return Schema("error").check({"error": {"kind": kind, "what": what, "subject": subject}})
