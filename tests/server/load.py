"""Requests from several clients at once, each over a connection of its own, for as long as something else happens."""
import http.client
import threading
import time


class Load:
    """Clients that go on until the block ends. `make(number)` gives each a function that sends one request and returns its Answer.

    What is not answered, or not with an expected status, is a failure.
    """

    def __init__(self, make, clients, expected=(200,), pause=0.0):
        self.make, self.expected, self.pause = make, expected, pause
        self.answered, self.failures, self.statuses, self.slowest = 0, [], {}, 0.0
        self.lock, self.stop = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self._client, args=(i,), daemon=True) for i in range(clients)]

    def _client(self, number):
        send = self.make(number)
        while not self.stop.is_set():
            started = time.monotonic()
            try:
                answer = send()
                failure = None if answer.status in self.expected else repr(answer)
                status = answer.status
            except (OSError, http.client.HTTPException) as error:
                failure, status = repr(error), None
            self._count(status, failure, time.monotonic() - started)
            self.stop.wait(self.pause)

    def _count(self, status, failure, took):
        with self.lock:
            self.answered += failure is None
            self.slowest = max(self.slowest, took)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if failure:
                self.failures.append(f"{time.strftime('%H:%M:%S')} {failure}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(timeout=30)
