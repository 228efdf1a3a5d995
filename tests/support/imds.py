#!/usr/bin/env python3
"""A metadata service that answers as AWS documents IMDSv2 ("Instance metadata and user data",
"Spot Instance interruption notices"): imds.py HOST PORT NOTICE_FILE [SECONDS].

The machine is a spot instance. Once NOTICE_FILE exists, it is to be terminated SECONDS after the
file appeared (120, as AWS gives).
"""

import datetime
import http.server
import json
import os
import sys

TOKEN = "a-session-token"


class Answers(http.server.BaseHTTPRequestHandler):
    notice_file = None
    seconds = 120

    def log_message(self, *_):
        pass

    def reply(self, code, text=""):
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        is_ours = self.path == "/latest/api/token" and \
            self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        self.reply(200, TOKEN) if is_ours else self.reply(400)

    def do_GET(self):
        if self.headers.get("X-aws-ec2-metadata-token") != TOKEN:
            self.reply(401)
        elif self.path == "/latest/meta-data/instance-life-cycle":
            self.reply(200, "spot")
        elif self.path == "/latest/meta-data/spot/instance-action" and \
                os.path.exists(self.notice_file):
            at = os.path.getmtime(self.notice_file) + self.seconds
            when = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
            self.reply(200, json.dumps({"action": "terminate",
                                        "time": when.strftime("%Y-%m-%dT%H:%M:%SZ")}))
        else:
            self.reply(404)


def command(host, port, notice_file, seconds=120):
    return [sys.executable, __file__, host, str(port), str(notice_file), str(seconds)]


def main():
    host, port, Answers.notice_file, seconds = sys.argv[1:5]
    Answers.seconds = float(seconds)
    http.server.ThreadingHTTPServer((host, int(port)), Answers).serve_forever()


if __name__ == "__main__":
    main()
