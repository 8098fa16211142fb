"""Measures one operation of immu-py on a running immudb server.

Prints one JSON line when done: the calls made, and the seconds they took. Whatever comes back wrong, or is refused,
ends it with an error. Lanes are threads of one client, or with --own-clients processes with a client each: threads of
Python share one interpreter.
"""

import argparse
import json
import multiprocessing
import os
import sys
import threading
import time

from immudb import ImmudbClient

VALUE_BYTES = 100
MANY_ENTRIES = 1000
CALL_WITHIN_SECONDS = 30
READY_WITHIN_SECONDS = 60


def key_of(i):
    return b"key/%05d" % i


def value_of(i):
    return (b"value %d " % i).ljust(VALUE_BYTES, b".")


class Lane:
    """One caller: it waits for an answer before it asks again."""

    def __init__(self, options, client, index):
        self.options = options
        self.client = client
        self.index = index
        self.random = options.seed + index * 7919
        self.made = 0
        self.last_tx = 0
        calls = {
            "get": lambda: self.read(client.get),
            "verifiedGet": lambda: self.read(client.verifiedGet, verified=True),
            "set": lambda: self.write(client.set),
            "verifiedSet": lambda: self.write(client.verifiedSet, verified=True),
            "setAll": self.set_all,
        }
        self.call = calls[options.operation]

    def next(self, below):
        """The order of reads that all peers share: a linear congruential generator."""
        self.random = (self.random * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.random >> 8) % below

    def read(self, get, verified=False):
        i = self.next(self.options.keys)
        entry = get(key_of(i))
        if entry is None or entry.value != value_of(i) or (verified and not entry.verified):
            raise AssertionError(f"{self.options.operation} of key {i}: read {entry!r}")

    def written_key(self, call, entry=0):
        return b"%s/%d/%d/%d" % (self.options.run.encode(), self.index, call, entry)

    def write(self, put, verified=False):
        answer = put(self.written_key(self.made), value_of(self.made))
        if verified and not answer.verified:
            raise AssertionError("a set that is not verified")
        self.wrote(answer)

    def set_all(self):
        value = value_of(self.made)
        self.wrote(self.client.setAll({self.written_key(self.made, i): value for i in range(MANY_ENTRIES)}))

    def wrote(self, answer):
        if answer.id <= self.last_tx:
            raise AssertionError(f"tx {answer.id} after tx {self.last_tx}")
        self.last_tx = answer.id
        self.made += 1

    def read_back(self):
        """Requires the last entry written to be there."""
        if self.made == 0:
            return
        entry = self.client.get(self.written_key(self.made - 1))
        if entry is None or entry.value != value_of(self.made - 1) or entry.tx != self.last_tx:
            raise AssertionError(f"read back {entry!r}")

    def during(self, seconds):
        """Calls for that long; the calls made."""
        until = time.monotonic() + seconds
        calls = 0
        while time.monotonic() < until:
            self.call()
            calls += 1
        return calls


def connect(options):
    client = ImmudbClient(options.address, timeout=CALL_WITHIN_SECONDS)
    client.login(options.user, options.password, options.database)
    return client


def work(lane, options, barrier, results):
    """Warms up, waits for the others, measures. A lane that fails breaks the barrier for all."""
    try:
        lane.during(options.warmup)
        barrier.wait(READY_WITHIN_SECONDS)
        start = time.monotonic()
        calls = lane.during(options.seconds)
        results.append((calls, start, time.monotonic()))
        lane.read_back()
    except BaseException:
        barrier.abort()
        raise


def in_threads(options):
    client = connect(options)
    barrier, results, failures = threading.Barrier(options.concurrency), [], []

    def lane(index):
        try:
            work(Lane(options, client, index), options, barrier, results)
        except threading.BrokenBarrierError:
            pass  # Another lane failed, and says so.
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=lane, args=(i,)) for i in range(options.concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


def process_lane(options, index, barrier, results):
    """Body of a process with a client of its own."""
    mine = []
    try:
        work(Lane(options, connect(options), index), options, barrier, mine)
    except threading.BrokenBarrierError:
        sys.exit(1)
    results.put(mine[0])


def in_processes(options):
    # gRPC does not survive a fork.
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(options.concurrency), context.Queue()
    processes = [
        context.Process(target=process_lane, args=(options, i, barrier, queue), daemon=True)
        for i in range(options.concurrency)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError("a process of the bench failed")
    return [queue.get(timeout=READY_WITHIN_SECONDS) for _ in processes]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--address", default="127.0.0.1:3322", help="host:port")
    options.add_argument("--database", default="defaultdb")
    options.add_argument("--user", default="immudb")
    options.add_argument("--password", default="immudb")
    options.add_argument("--operation", required=True, help="get, verifiedGet, set, verifiedSet or setAll")
    options.add_argument("--concurrency", type=int, default=1)
    options.add_argument("--own-clients", action="store_true", help="a process with its own client for every lane")
    options.add_argument("--seconds", type=float, default=3)
    options.add_argument("--warmup", type=float, default=1, help="seconds of the same work before")
    options.add_argument("--seed", type=int, default=1, help="of the order of reads")
    options.add_argument("--keys", type=int, default=10_000, help="how many keys there are to read")
    options.add_argument("--run", default="run", help="part of the names of keys written, not used before")
    options.add_argument("--state", help="not used: this client keeps its state in memory by default")
    given = options.parse_args()
    results = in_processes(given) if given.own_clients else in_threads(given)
    print(
        json.dumps(
            {
                "operation": given.operation,
                "concurrency": given.concurrency,
                "calls": sum(calls for calls, _, _ in results),
                "seconds": max(end for _, _, end in results) - min(start for _, start, _ in results),
            }
        ),
        flush=True,
    )
    # The client's threads of gRPC would hold the process up.
    os._exit(0)


if __name__ == "__main__":
    main()
