"""A mock of a model that tells domains made by malware from legitimate ones.

GET /apply?host=NAME answers {"is_malicious": "legit"} for the two domains it knows, else {"is_malicious": "malicious"}.
GET /ping answers 200. Python's standard library only. On start it binds a free port and writes endpoint.dat into its
working directory: complete, under another name first, so that nobody ever reads half of it.
"""

import json
import os
import signal
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

LEGIT = {"yahoo.com", "amazon.com"}
ENDPOINT_FILE = "endpoint.dat"


class Handler(BaseHTTPRequestHandler):
    """Answers one connection; it is kept open between calls."""

    protocol_version = "HTTP/1.1"
    server_version = "mock-dga/1.0"
    disable_nagle_algorithm = True
    # An idle connection does not hold a thread for ever.
    timeout = 60

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/ping":
            self.answer(200, {"status": "ok"})
        elif url.path == "/apply":
            self.apply(parse_qs(url.query, keep_blank_values=True))
        else:
            self.answer(404, {"error": "no such function; there is /apply?host=NAME"})

    def apply(self, query):
        hosts = query.get("host", [])
        if len(hosts) != 1 or not hosts[0]:
            self.answer(400, {"error": "give one host: /apply?host=NAME"})
            return
        self.answer(200, {"is_malicious": "legit" if hosts[0] in LEGIT else "malicious"})

    def not_allowed(self):
        # The body of the request is not read, so the connection can't be used again.
        self.close_connection = True
        self.answer(405, {"error": "only GET is answered here"}, {"Allow": "GET", "Connection": "close"})

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = not_allowed

    def answer(self, status, document, headers=None):
        body = (json.dumps(document) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        # Headers and body in one write: two small ones would wait for each other's acknowledgement.
        self._headers_buffer.append(b"\r\n")
        if self.command != "HEAD":
            self._headers_buffer.append(body)
        self.flush_headers()

    def send_error(self, code, message=None, explain=None):
        """Errors of the protocol itself (a bad request line, an unknown method) are JSON too."""
        self.close_connection = True
        self.answer(405 if code == 501 else code, {"error": message or "bad request"}, {"Connection": "close"})

    def log_message(self, format, *args):
        sys.stderr.write("%s %s\n" % (self.client_address[0], format % args))


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A thread a connection. Not http.server's own class: that looks up host names while it starts."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        # A caller that hangs up is no news.
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def write_endpoint(port):
    endpoint = {"url": "http://localhost:%d" % port, "functions": {"apply": "apply"}}
    temporary = "%s.%d.tmp" % (ENDPOINT_FILE, os.getpid())
    with open(temporary, "w", encoding="ascii") as file:
        json.dump(endpoint, file)
    os.replace(temporary, ENDPOINT_FILE)


def main():
    server = Server(("0.0.0.0", 0), Handler)

    def stop(_signal, _frame):
        # shutdown() waits for the loop below, which this very thread runs.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    port = server.server_address[1]
    write_endpoint(port)
    print("mock DGA listens on port %d" % port, flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
