"""A provider's hook for the tests of SMS: takes what rampartd posts, and verifies it by its own reading of Standard Webhooks."""
import base64
import hashlib
import hmac
import http.server
import json
import re
import ssl
import threading
import time

SECRET = "whsec_" + base64.b64encode(b"the secret of the tests, 32 byte").decode()
PATH = "/send?key=a-key-in-the-path"


def verified(secret, headers, body):
    """Whether a request is signed as Standard Webhooks has it, within five minutes."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [part.split(",", 1)[1] for part in headers["webhook-signature"].split() if part.startswith("v1,")]
    return abs(time.time() - int(headers["webhook-timestamp"])) < 300 and any(hmac.compare_digest(expected, one) for one in given)


class Hook:
    """Answers 200, except where `answers` has others: a status, or a function of the request's handler. One each."""

    def __init__(self, tls=None, port=0):
        self.posts = []  # dictionaries: id, good, to, text, type, timestamp
        self.answers = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posts.append({"id": self.headers["webhook-id"], "good": verified(SECRET, self.headers, body), "path": self.path,
                                   "timestamp": self.headers["webhook-timestamp"], "content": self.headers["Content-Type"], **json.loads(body)})
                answer = hook.answers.pop(0) if hook.answers else 200
                if callable(answer):
                    answer(self)
                else:
                    self.send_response(answer)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads, self.server.handle_error = True, lambda *_: None
        self.scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://localhost:{self.port}{PATH}"

    @property
    def settings(self):
        return {"hook_url": self.url, "secret": SECRET, "connect_seconds": 2, "total_seconds": 2}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait(self, count, seconds=15):
        """Until so many posts have come, or not."""
        deadline = time.monotonic() + seconds
        while len(self.posts) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return len(self.posts) >= count

    def code(self, number):
        """The six digits of the last SMS to a number, once one has come after those that were there before."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            texts = [post["text"] for post in self.posts if post["to"] == number]
            if texts:
                self.posts.clear()
                return re.search(r"\b\d{6}\b", texts[-1])[0]
            time.sleep(0.02)
        raise AssertionError(f"no SMS has come to {number}")
