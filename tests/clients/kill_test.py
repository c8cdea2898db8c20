#!/usr/bin/python3
"""A `devstack registry` with data on disk is killed with SIGKILL again and again, some of the times before it is up, while
twenty clients write, lock and commit transactions. What they were told must hold:

  - every acknowledged write is there afterwards, as it was or overwritten by a later one of the same client;
  - two keys that are only ever written in one transaction are always equal;
  - a lock has one holder at a time, and the fencing token (LockIndex) never serves two sessions;
  - sessions without a TTL outlive every kill, and those with one end;
  - X-Consul-Index never goes backwards.

KILL_TEST_SEED repeats a run's choices (not its timing), KILL_TEST_ROUNDS is how often it kills.
"""
import base64
import collections
import http.client
import json
import os
import random
import sys
import threading
import time

from support import Registry, folder, wait_for

SEED = int(os.environ.get("KILL_TEST_SEED") or random.SystemRandom().randrange(2**32))
ROUNDS = int(os.environ.get("KILL_TEST_ROUNDS") or 50)
LOCKS = ("lock/one", "lock/two")
LEASE = "lock/lease"


class Down(Exception):
    """No answer: what was asked for may have happened or not."""


class Broken(Exception):
    """A promise that was not kept."""


class Run:
    """What the clients have in common."""

    def __init__(self, registry):
        self.registry = registry
        self.stop = threading.Event()
        self.guard = threading.Lock()
        self.broken = []
        self.done = collections.Counter()
        self.counters = {}                              # client -> last acknowledged number
        self.unique = set()                             # acknowledged keys
        self.holder = {}                                # lock -> client that was told it has it
        self.fences = collections.defaultdict(dict)     # lock -> ModifyIndex -> (LockIndex, session)


    def audit(self, auditor):
        try:
            auditor.look()
            auditor.check_fences()
        except Broken as error:
            self.broken.append(str(error))
            self.stop.set()


class Client(threading.Thread):
    def __init__(self, run, number):
        super().__init__(daemon=True)
        self.run_, self.number = run, number
        self.random = random.Random(SEED * 1000 + number)
        self.connection = None

    def run(self):
        try:
            self.work()
        except Down:
            pass
        except Exception as error:
            self.run_.broken.append(f"{type(self).__name__} {self.number}: {error!r}")
            self.run_.stop.set()

    def once(self, method, path, body=None):
        """Status, headers, body; Down when the connection broke."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.run_.registry.http_port, timeout=20)
            self.connection.request(method, path, body)
            answer = self.connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connection = None
            raise Down from error

    def call(self, method, path, body=None):
        """Until it is answered: only for what may be said twice. The last is whether there was doubt."""
        doubt = False
        while True:
            try:
                return (*self.once(method, path, body), doubt)
            except Down:
                if self.run_.stop.is_set():
                    raise
                doubt = True
                time.sleep(0.01)

    def put(self, path, body=None):
        status, _, answer, doubt = self.call("PUT", path, body)
        if status != 200:
            raise Broken(f"PUT {path}: {status} {answer.decode()}")
        return json.loads(answer), doubt

    def entry(self, key):
        status, _, answer, _ = self.call("GET", "/v1/kv/" + key)
        return json.loads(answer)[0] if status == 200 else None

    def seen(self, key, entry):
        """Notes a state of a lock that somebody saw."""
        state = (entry["LockIndex"], entry.get("Session", ""))
        if self.run_.fences[key].setdefault(entry["ModifyIndex"], state) != state:
            raise Broken(f"{key} had two states at index {entry['ModifyIndex']}")


class Writer(Client):
    """Counts up a key of its own, and leaves every number behind in a key of its own."""

    def work(self):
        number, last_index = 0, 0
        while not self.run_.stop.is_set():
            number += 1
            key = f"u/{self.number}/{number}"
            size = self.random.choice((0, 10, 2000))
            for path, value in ((key, "x" * size), (f"w/{self.number}", str(number))):
                if self.put("/v1/kv/" + path, value)[0] is not True:
                    raise Broken(f"a plain PUT of {path} said false")
                self.run_.done["writes"] += 1
            self.run_.counters[self.number] = number
            self.run_.unique.add(key)
            if number % 5 == 0:
                entry = self.entry(f"w/{self.number}")
                if entry is None or base64.b64decode(entry["Value"]) != str(number).encode():
                    raise Broken(f"wrote {number} and read {entry}")
                if entry["ModifyIndex"] <= last_index:
                    raise Broken(f"ModifyIndex {entry['ModifyIndex']} after {last_index}")
                last_index = entry["ModifyIndex"]


class Pair(Client):
    """Writes the same number to two keys, in one transaction."""

    def work(self):
        number = 0
        while not self.run_.stop.is_set():
            number += 1
            value = base64.b64encode(str(number).encode()).decode()
            operations = [{"KV": {"Verb": "set", "Key": f"pair/{self.number}/{half}", "Value": value}} for half in "ab"]
            self.put("/v1/txn", json.dumps(operations))
            self.run_.counters[f"pair/{self.number}"] = number
            self.run_.done["transactions"] += 1
            self.check_pairs()

    def check_pairs(self):
        status, _, answer, _ = self.call("GET", "/v1/kv/pair/?recurse")
        halves = collections.defaultdict(set)
        for entry in json.loads(answer) if status == 200 else ():
            halves[entry["Key"][:-1]].add(entry["Value"])
        for key, values in halves.items():
            if len(values) != 1:
                raise Broken(f"half a transaction: {key} {values}")


class Locker(Client):
    """Takes a lock by a session without TTL, and gives it back or ends the session."""

    ttl = None

    def new_session(self):
        wanted = {"LockDelay": "0s", "Name": f"client {self.number}", **({"TTL": self.ttl} if self.ttl else {})}
        return self.put("/v1/session/create", json.dumps(wanted))[0]["ID"]

    def wait_for_change(self, key):
        """As lock recipes do it; a little at a time, because nobody tells a client that its server was killed."""
        try:
            status, headers, answer = self.once("GET", "/v1/kv/" + key)
            if status == 200:
                self.seen(key, json.loads(answer)[0])
            self.once("GET", f"/v1/kv/{key}?wait=100ms&index={headers['X-Consul-Index']}")
        except Down:
            time.sleep(0.01)

    def work(self):
        session = self.new_session()
        while not self.run_.stop.is_set():
            key = self.random.choice(LOCKS)
            if not self.put(f"/v1/kv/{key}?acquire={session}", session)[0]:
                self.wait_for_change(key)
                continue
            self.enter(key, session)
            time.sleep(self.random.uniform(0, 0.02))
            self.leave(key)
            if self.random.random() < 0.2:
                self.put("/v1/session/destroy/" + session)
                session = self.new_session()
                continue
            released, doubt = self.put(f"/v1/kv/{key}?release={session}", "")
            if not released and not doubt:
                raise Broken(f"{key} was taken from its holder")

    def enter(self, key, session):
        # From the answer on until release is asked for, the lock is this client's alone.
        with self.run_.guard:
            if self.run_.holder.get(key) is not None:
                raise Broken(f"{key} was given to client {self.number} while {self.run_.holder[key]} held it")
            self.run_.holder[key] = self.number
        self.run_.done["locks"] += 1
        entry = self.entry(key)
        if entry is None or entry.get("Session") != session:
            raise Broken(f"{key} was acquired by {session} and is {entry}")
        self.seen(key, entry)

    def leave(self, key):
        with self.run_.guard:
            self.run_.holder[key] = None


class Leaser(Locker):
    """The same with a TTL that it often lets run out; who holds the lease then shows in the fencing tokens only."""

    ttl = "200ms"

    def work(self):
        session = self.new_session()
        while not self.run_.stop.is_set():
            status, _, answer, _ = self.call("PUT", f"/v1/kv/{LEASE}?acquire={session}", session)
            if status == 500 and b"invalid session" in answer:
                self.run_.done["expiries"] += 1
                session = self.new_session()
                continue
            if json.loads(answer):
                self.run_.done["leases"] += 1
                entry = self.entry(LEASE)
                if entry is not None:
                    self.seen(LEASE, entry)
                if self.random.random() < 0.5:
                    self.call("PUT", f"/v1/kv/{LEASE}?release={session}", "")
                # Otherwise it sits on it until the session is over.
            elif self.random.random() < 0.5:
                self.call("PUT", "/v1/session/renew/" + session)
            self.wait_for_change(LEASE)


class Watcher(Client):
    """A blocking query on the first writer's counter, resumed after every kill."""

    def work(self):
        index, value = 0, 0
        while not self.run_.stop.is_set() or value < self.run_.counters[0]:
            status, headers, answer, _ = self.call("GET", f"/v1/kv/w/0?wait=1s&index={index}")
            if int(headers["X-Consul-Index"]) < index:
                raise Broken(f"the watched index went from {index} to {headers['X-Consul-Index']}")
            index = int(headers["X-Consul-Index"])
            if status == 200:
                now = int(base64.b64decode(json.loads(answer)[0]["Value"]))
                if now < value:
                    raise Broken(f"the watched value went from {value} to {now}")
                value = now


class Auditor(Client):
    """Looks, after every start and at the end, whether what was promised is there."""

    def __init__(self, run, number):
        super().__init__(run, number)
        self.indexes = collections.defaultdict(int)

    def call(self, method, path, body=None):
        """Asked of a registry that is up: only the connection may be of an earlier one."""
        try:
            return (*self.once(method, path, body), False)
        except Down:
            return (*self.once(method, path, body), True)

    def look(self):
        promised = dict(self.run_.counters)
        unique = set(self.run_.unique)
        for path in ("kv/not/there", "kv/w/?keys", "session/list", "catalog/services", "catalog/nodes"):
            index = int(self.call("GET", "/v1/" + path)[1]["X-Consul-Index"])
            if index < self.indexes[path]:
                raise Broken(f"X-Consul-Index of {path} went from {self.indexes[path]} to {index}")
            self.indexes[path] = index
        stored = {e["Key"]: base64.b64decode(e["Value"] or "") for prefix in ("w/", "pair/")
                  for e in self.entries(prefix)}
        for client, number in promised.items():
            for key in [f"w/{client}"] if isinstance(client, int) else [f"{client}/a", f"{client}/b"]:
                if int(stored.get(key, 0)) < number:
                    raise Broken(f"{key} was acknowledged with {number} and is {stored.get(key)}")
        for key, value in stored.items():
            if key.endswith("/a") and stored[key[:-1] + "b"] != value:
                raise Broken(f"half a transaction: {key}")
        lost = unique - set(json.loads(self.call("GET", "/v1/kv/u/?keys")[2] or "[]"))
        if lost:
            raise Broken(f"{len(lost)} acknowledged writes are lost, such as {min(lost)}")

    def entries(self, prefix):
        status, _, answer, _ = self.call("GET", f"/v1/kv/{prefix}?recurse")
        return json.loads(answer) if status == 200 else []

    def check_fences(self):
        for key, states in list(self.run_.fences.items()):
            token, last = 0, ""
            for index, (lock_index, session) in sorted(states.copy().items()):
                if lock_index < token or (lock_index == token and session not in ("", last) and last):
                    raise Broken(f"{key} at {index}: token {lock_index} of {session} after {token} of {last}")
                token, last = lock_index, session or last


def main():
    print(f"KILL_TEST_SEED={SEED} KILL_TEST_ROUNDS={ROUNDS}", flush=True)
    choose = random.Random(SEED)
    with folder() as path, Registry("--session-ttl-min", "100ms", data_dir=path) as registry:
        run = Run(registry)
        auditor = Auditor(run, 99)
        clients = [kind(run, number) for number, kind in enumerate([Writer] * 9 + [Pair] * 2 + [Locker] * 5 + [Leaser] * 4)]
        watcher = Watcher(run, 98)
        run.counters[0] = 0
        for client in (*clients, watcher):
            client.start()
        began = time.monotonic()
        for _ in range(ROUNDS):
            if run.stop.is_set():
                break
            if choose.random() < 0.2:
                time.sleep(choose.uniform(0, 0.06))  # often too soon: killed while it starts
            else:
                registry.wait_ready()
                run.audit(auditor)
                time.sleep(choose.uniform(0.02, 0.8))
            registry.kill()
            registry.start()
        registry.wait_ready()
        wait_for(lambda: run.stop.is_set() or run.done["expiries"], "a lease expires")
        run.stop.set()
        for client in (*clients, watcher):
            client.join(60)
            if client.is_alive():
                run.broken.append(f"{type(client).__name__} {client.number} hangs")
        run.audit(auditor)
        print(f"{time.monotonic() - began:.0f} s:", ", ".join(f"{n} {what}" for what, n in sorted(run.done.items())))
        for text in run.broken:
            print("BROKEN:", text)
        idle = [what for what in ("writes", "transactions", "locks", "leases", "expiries") if not run.done[what]]
        if idle:
            print("nothing was tested of:", ", ".join(idle))
        return 1 if run.broken or idle else 0


if __name__ == "__main__":
    sys.exit(main())
