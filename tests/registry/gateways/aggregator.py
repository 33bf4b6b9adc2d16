"""A service that sends short messages, as a process of its own: python aggregator.py LOG SECRET

It prints its port, verifies each call's signature by its own means, writes a line of JSON for each, and
answers by the last two digits of the number.
"""

import base64
import hashlib
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOG, SECRET = Path(sys.argv[1]), sys.argv[2]

ANSWERS = {"01": 400, "02": 429, "03": 500, "04": 503, "05": 302, "06": 401}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        identifier, moment = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        mac = hmac.new(SECRET.encode(), f"{identifier}.{moment}.".encode() + body, hashlib.sha256)
        wanted = "v1," + base64.b64encode(mac.digest()).decode()
        content = json.loads(body)
        with LOG.open("a") as file:
            signed = self.headers["webhook-signature"] == wanted
            file.write(json.dumps({"signed": signed, "id": identifier, "at": moment, **content}) + "\n")
        ending = content["to"][-2:]
        if ending == "08":
            time.sleep(3)
        if ending == "09":
            self.connection.close()
            return
        status = ANSWERS.get(ending, 200)
        answer = b"x" * 200_000 if ending == "10" else b"[" * 50_000 if ending == "11" else b"{}"
        if status == 200 and ending == "00":
            answer = json.dumps({"ids": [f"agg-{identifier}"]}).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
