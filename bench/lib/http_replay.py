"""Requests that can be made once only, sent by several clients at once, each a process so that they do not wait for each other."""
import http.client
import json
import multiprocessing
import time

from http_load import HttpCost
from measure import process_cpu


class Client:
    """One connection that is kept."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, path, body):
        """(status, JSON of the answer)."""
        self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")


def _share(port, story, items, ready, results):
    client, took = Client(port), []
    ready.wait()
    for item in items:
        began = time.perf_counter()
        good = story(client, item)
        took.append((time.perf_counter() - began, good))
    results.put(took)


def replay(pid, port, story, items, clients):
    """Has a story(client, item), which says whether it went well, told once of each item; what that costs the server's process."""
    context = multiprocessing.get_context("fork")
    ready, results = context.Barrier(clients + 1), context.Queue()
    shares = [context.Process(target=_share, args=(port, story, items[n::clients], ready, results), daemon=True) for n in range(clients)]
    for share in shares:
        share.start()
    ready.wait()
    cpu, began = process_cpu(pid), time.perf_counter()
    took = [one for _ in shares for one in results.get()]
    elapsed, cpu = time.perf_counter() - began, process_cpu(pid) - cpu
    for share in shares:
        share.join()
    latencies = sorted(seconds * 1e3 for seconds, _ in took)
    at = lambda part: latencies[min(int(len(latencies) * part), len(latencies) - 1)]
    return HttpCost(cpu / 1e3 / len(took), len(took) / elapsed, at(0.5), at(0.99), len(took), sum(not good for _, good in took))
