"""A provider behind HTTP for adapters with an endpoint: the guide's adapter, kept by a process of its own.

Usage: centre.py FOLDER   prints its port and serves until its standard input ends.
POST /OWNER/VERB with the params; 200 with the result, or 409 with {"kind", "message"}."""
import http.server
import json
import os
import pathlib
import sys
import threading

from example import Adapter, Refused

folder = pathlib.Path(sys.argv[1])
installations = {}


def installation(owner):
    if owner not in installations:
        path = folder / owner
        path.mkdir(exist_ok=True)
        installations[owner] = Adapter()
        installations[owner].initialize(1, "centre", owner, str(path), {"slots": 24}, [])
    return installations[owner]


class Desk(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        # What runs a task is a child of this process, and must not hold the caller's connection open.
        self.server.open = [self.server.socket, self.connection]
        owner, verb = self.path.strip("/").split("/")
        params = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            code, answer = 200, getattr(installation(owner), verb)(**params)
        except Refused as refused:
            code, answer = 409, dict(zip(("kind", "message"), refused.args))
        body = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Desk)
os.register_at_fork(after_in_child=lambda: [os.close(one.fileno()) for one in server.open])
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
print(server.server_address[1], flush=True)
server.serve_forever()
