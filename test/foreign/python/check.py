"""Does verified work on an immudb server through immu-py.

Whatever that client refuses to verify, or reads back differently from what was written, ends it with an error.
Otherwise it prints one JSON line: the calls it made, and the state that the client held after each verified one.
"""

import argparse
import json
import os
from collections import Counter

from immudb import ImmudbClient
from immudb.datatypes import DeleteKeysRequest, KeyValue, ReferenceRequest, ZAddRequest
from immudb.rootService import PersistentRootService

CALL_WITHIN_SECONDS = 30


def require(call, got, want):
    if got != want:
        raise AssertionError(f"{call}: {got!r} instead of {want!r}")


class Worker:
    """The client under observation, logged in."""

    def __init__(self, options):
        self.round = options.round
        self.calls = Counter()
        self.held = []
        self.states = PersistentRootService(os.path.join(options.state, "immu-py.state"))
        self.client = ImmudbClient(
            options.address,
            rs=self.states,
            publicKeyFile=options.public_key,
            timeout=CALL_WITHIN_SECONDS,
        )
        self.client.login("immudb", "immudb", options.database)
        require("known state at the start", self.states.get().txId > 0, self.round > 1)

    def key(self, name):
        return f"py/{self.round}/{name}".encode()

    def plain(self, call, *args, **kwargs):
        answer = getattr(self.client, call)(*args, **kwargs)
        self.calls[call] += 1
        return answer

    def verified(self, call, tx, *args, **kwargs):
        """Makes a verified call.

        The client's state must then stand where that call must have left it: at the transaction of the answer (or
        at `tx`, for calls that do not say it) when that is newer than what was held, and unmoved otherwise.
        """
        before = self.states.get()
        answer = self.plain(call, *args, **kwargs)
        if tx is None:
            require(f"{call} verified", answer.verified, True)
            tx = answer.id
        after = self.states.get()
        require(f"tx of the state after {call}", after.txId, max(tx, before.txId))
        if after.txId == before.txId:
            require(f"hash of the state after {call}", after.txHash, before.txHash)
        self.held.append({"tx": after.txId, "hash": after.txHash.hex()})
        return answer

    def get(self, name, want, call="verifiedGet", **kwargs):
        found = self.verified(call, None, self.key(name), **kwargs)
        require(f"{call} {name}", found.value, want)
        return found

    def verified_sets(self):
        for i in range(6):
            self.verified("verifiedSet", None, self.key(f"set/{i}"), b"value %d" % i)
        self.verified("verifiedSet", None, self.key("empty"), b"")

    def verified_gets(self):
        """Reads what is older than the client's state, and what others wrote since."""
        for i in range(6):
            self.get(f"set/{i}", b"value %d" % i)
        self.get("empty", b"")
        for i in range(9):
            self.plain("set", self.key(f"plain/{i}"), b"unseen")
        for i in (0, 4, 2, 8):
            self.get(f"plain/{i}", b"unseen")

    def versions(self):
        txs = [
            self.verified("verifiedSet", None, self.key("versions"), b"version %d" % i).id for i in (1, 2, 3)
        ]
        for i, tx in enumerate(txs, 1):
            self.get("versions", b"version %d" % i, "verifiedGetAt", atTx=tx)
            found = self.get("versions", b"version %d" % i, atRevision=i)
            require("revision", found.revision, i)
        self.get("versions", b"version 2", atRevision=-1)
        self.get("versions", b"version 3", "verifiedGetSince", sinceTx=txs[1])

    def references(self):
        for i in range(3):
            self.verified("verifiedSetReference", None, self.key(f"set/{i}"), self.key(f"ref/{i}"))
        for i in range(3):
            found = self.get(f"ref/{i}", b"value %d" % i)
            require("key behind a reference", (found.key, found.refkey), (self.key(f"set/{i}"), self.key(f"ref/{i}")))

    def sorted_sets(self):
        for i, score in enumerate((3.0, 0.5, 0.0, 1e9, 0.1)):
            self.verified("verifiedZAdd", None, self.key("zset"), score, self.key(f"set/{i}"))
        found = self.plain("zScan", self.key("zset"), limit=10, minscore=0.0, maxscore=1e10)
        require(
            "zScan",
            [(entry.score, entry.entry.value) for entry in found.entries],
            [(0.0, b"value 2"), (0.1, b"value 4"), (0.5, b"value 1"), (3.0, b"value 0"), (1e9, b"value 3")],
        )

    def many_entries(self):
        self.plain("setAll", {self.key(f"all/{i:02}"): b"one of many %d" % i for i in range(21)})
        for i in (0, 20, 7, 16):
            self.get(f"all/{i:02}", b"one of many %d" % i)
        self.plain(
            "execAll",
            [
                KeyValue(self.key("exec"), b"in one go"),
                ReferenceRequest(self.key("exec/ref"), self.key("set/0")),
                ZAddRequest(self.key("exec/zset"), 7.0, self.key("set/1")),
            ],
        )
        self.get("exec", b"in one go")
        self.get("exec/ref", b"value 0")
        self.plain("delete", DeleteKeysRequest([self.key("plain/0")]))

    def streams(self):
        for i, size in enumerate((1, 70_000, 150_000)):
            key, value = self.key(f"stream/{i}"), b"abc"[i : i + 1] * size
            self.verified("streamVerifiedSetFullValue", None, key, value)
            require("streamVerifiedGet", self.verified("streamVerifiedGet", None, key=key).value, value)

    def transactions(self):
        """Reads every transaction there is with proof, the newest first and then from the oldest on."""
        newest = self.plain("currentState").txId
        for tx in (newest, *range(1, newest + 1)):
            keys = self.verified("verifiedTxById", tx, tx)
            require(f"keys of tx {tx}", keys, self.plain("txById", tx))
        require("txScan", [tx.header.id for tx in self.plain("txScan", 1, 5).txs], [1, 2, 3, 4, 5])

    def plain_reads(self):
        require("get", self.plain("get", self.key("set/3")).value, b"value 3")
        require("get of a deleted key", self.plain("get", self.key("plain/0")), None)
        found = self.plain("getAll", [self.key(name) for name in ("set/1", "nothing", "set/5")])
        require("getAll", found, {self.key("set/1"): b"value 1", self.key("set/5"): b"value 5"})
        found = self.plain("scan", b"", self.key("set/"), True, 4)
        require("scan", list(found.items()), [(self.key(f"set/{i}"), b"value %d" % i) for i in (5, 4, 3, 2)])
        found = self.plain("history", self.key("versions"), 0, 10, False)
        require("history", [entry.value for entry in found], [b"version 1", b"version 2", b"version 3"])
        require("healthCheck", self.plain("healthCheck"), True)

    def work(self):
        self.verified_sets()
        self.verified_gets()
        self.versions()
        self.references()
        self.sorted_sets()
        self.many_entries()
        self.streams()
        self.transactions()
        self.plain_reads()
        self.client.logout()
        self.client.shutdown()
        return {"calls": self.calls, "states": self.held}


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("address", help="host:port")
    options.add_argument("-state", required=True, help="folder for the client's state")
    options.add_argument("-database", default="defaultdb")
    options.add_argument("-public-key", help="PEM file with the key that the server signs states with")
    options.add_argument("-round", type=int, default=1, help="a later one must find the state of the one before")
    print(json.dumps(Worker(options.parse_args()).work()))


main()
