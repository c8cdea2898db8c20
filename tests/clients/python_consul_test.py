#!/usr/bin/python3
"""python-consul as Debian ships it (package python3-consul), unmodified, against a `devstack registry`.

Version 0.7.1 speaks the API as it was before Consul 1.0: what it sends with GET where Consul has asked for PUT since,
Consul answers with 405, and so do we; those calls are made here through the client's own `http.put`.
https://python-consul.readthedocs.io/en/latest/
"""
import base64
import json
import threading
import time
import unittest

import consul
from consul.base import CB, ACLDisabled, BadRequest, ConsulException, NotFound

from support import Registry, wait_for

registry = None


def setUpModule():
    global registry
    registry = Registry()
    registry.__enter__()


def tearDownModule():
    registry.__exit__()


def client():
    return consul.Consul(host="127.0.0.1", port=registry.http_port)


class Background(threading.Thread):
    """Calls `work` on a thread; `result()` is what it returned."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.value, self.error = work, None, None
        self.start()

    def run(self):
        try:
            self.value = self.work()
        except Exception as error:  # shown by result()
            self.error = error

    def result(self, seconds=20):
        self.join(seconds)
        if self.is_alive():
            raise AssertionError("still waiting")
        if self.error:
            raise self.error
        return self.value


class Kv(unittest.TestCase):
    def setUp(self):
        self.c = client()
        self.c.kv.delete("", recurse=True)

    def test_put_get_delete(self):
        self.assertEqual(self.c.kv.get("a")[1], None)
        self.assertIs(self.c.kv.put("a", "one"), True)
        index, entry = self.c.kv.get("a")
        self.assertEqual(entry["Value"], b"one")
        self.assertEqual(entry["ModifyIndex"], int(index))
        self.assertEqual((entry["Key"], entry["Flags"], entry["LockIndex"]), ("a", 0, 0))
        self.assertIs(self.c.kv.delete("a"), True)
        self.assertEqual(self.c.kv.get("a")[1], None)

    def test_bytes_and_nothing_survive(self):
        every_byte = bytes(range(256))
        self.c.kv.put("bytes", every_byte)
        self.c.kv.put("nothing", "")
        self.assertEqual(self.c.kv.get("bytes")[1]["Value"], every_byte)
        self.assertIsNone(self.c.kv.get("nothing")[1]["Value"])

    def test_keys_with_spaces_and_letters_of_the_world(self):
        for key in ("with space", "ключ/値", "percent%20", "plus+sign", "question?"):
            self.c.kv.put(key, key.encode())
            self.assertEqual(self.c.kv.get(key)[1]["Key"], key)

    def test_flags_have_64_bits(self):
        self.c.kv.put("a", "x", flags=2**64 - 1)
        self.assertEqual(self.c.kv.get("a")[1]["Flags"], 2**64 - 1)

    def test_recurse_and_keys(self):
        for key in ("p/a", "p/b/c", "p/b/d", "q"):
            self.c.kv.put(key, key)
        self.assertEqual([e["Key"] for e in self.c.kv.get("p/", recurse=True)[1]], ["p/a", "p/b/c", "p/b/d"])
        self.assertEqual(self.c.kv.get("p/", keys=True)[1], ["p/a", "p/b/c", "p/b/d"])
        self.assertEqual(self.c.kv.get("p/", keys=True, separator="/")[1], ["p/a", "p/b/"])
        self.c.kv.delete("p/b/", recurse=True)
        self.assertEqual(self.c.kv.get("", keys=True)[1], ["p/a", "q"])

    def test_cas(self):
        self.assertIs(self.c.kv.put("a", "x", cas=0), True)
        self.assertIs(self.c.kv.put("a", "y", cas=0), False)
        seen = self.c.kv.get("a")[1]["ModifyIndex"]
        self.assertIs(self.c.kv.put("a", "y", cas=seen), True)
        self.assertIs(self.c.kv.put("a", "z", cas=seen), False)
        self.assertIs(self.c.kv.delete("a", cas=seen), False)
        self.assertEqual(self.c.kv.get("a")[1]["Value"], b"y")
        self.assertIs(self.c.kv.delete("a", cas=self.c.kv.get("a")[1]["ModifyIndex"]), True)

    def test_consistency_modes_and_datacenter(self):
        self.c.kv.put("a", "x", dc="dc1")
        for mode in ("default", "stale", "consistent"):
            self.assertEqual(self.c.kv.get("a", consistency=mode, dc="dc1")[1]["Value"], b"x")
        with self.assertRaisesRegex(ConsulException, "No path to datacenter"):
            self.c.kv.get("a", dc="elsewhere")

    def test_a_blocked_get_wakes_on_its_key_only(self):
        self.c.kv.put("watched", "old")
        index = self.c.kv.get("watched")[0]
        waiting = Background(lambda: client().kv.get("watched", index=index, wait="60s"))
        self.c.kv.put("other", "x")
        self.c.kv.put("watched/child", "x")
        waiting.join(0.3)
        self.assertTrue(waiting.is_alive())
        self.c.kv.put("watched", "new")
        woken, entry = waiting.result()
        self.assertEqual(entry["Value"], b"new")
        self.assertGreater(int(woken), int(index))

    def test_a_blocked_recurse_sees_a_delete(self):
        self.c.kv.put("tree/a", "x")
        self.c.kv.put("tree/b", "x")
        index = self.c.kv.get("tree/", recurse=True)[0]
        waiting = Background(lambda: client().kv.get("tree/", recurse=True, index=index, wait="60s"))
        self.c.kv.delete("tree/b")
        self.assertEqual([e["Key"] for e in waiting.result()[1]], ["tree/a"])

    def test_a_wait_that_runs_out_answers_with_the_same_index(self):
        self.c.kv.put("still", "x")
        index = self.c.kv.get("still")[0]
        began = time.monotonic()
        again, entry = self.c.kv.get("still", index=index, wait="300ms")
        self.assertGreaterEqual(time.monotonic() - began, 0.3)
        self.assertEqual((again, entry["Value"]), (index, b"x"))

    def test_conflicting_flags_are_refused(self):
        with self.assertRaisesRegex(BadRequest, "Conflicting"):
            self.c.kv.put("a", "x", cas=1, acquire="s")


class Locks(unittest.TestCase):
    def setUp(self):
        self.one, self.two = client(), client()
        # Of its own: a lock-delay outlives the test that caused it.
        self.key = "lock/" + self.id()

    def test_two_clients_fight_and_exactly_one_wins(self):
        for _ in range(20):
            sessions = [c.session.create(lock_delay=0) for c in (self.one, self.two)]
            gate = threading.Barrier(2)

            def fight(c, session):
                gate.wait(10)
                return c.kv.put(self.key, session, acquire=session)

            fights = [Background(lambda c=c, s=s: fight(c, s)) for c, s in zip((self.one, self.two), sessions)]
            won = [f.result() for f in fights]
            self.assertEqual(sorted(won), [False, True])
            holder = self.one.kv.get(self.key)[1]
            self.assertEqual(holder["Session"], sessions[won.index(True)])
            self.assertEqual(holder["Value"].decode(), holder["Session"])
            for c, session in zip((self.one, self.two), sessions):
                c.session.destroy(session)

    def test_the_loser_wins_after_the_release(self):
        winner, loser = self.one.session.create(), self.two.session.create()
        self.assertTrue(self.one.kv.put(self.key, "1", acquire=winner))
        first = self.one.kv.get(self.key)[1]
        self.assertFalse(self.two.kv.put(self.key, "2", acquire=loser))
        # As lock recipes do: wait until the key has no session, then try again.
        index = self.two.kv.get(self.key)[0]
        waiting = Background(lambda: self.two.kv.get(self.key, index=index, wait="60s"))
        self.assertFalse(self.two.kv.put(self.key, "2", release=loser))
        self.assertTrue(self.one.kv.put(self.key, "done", release=winner))
        freed = waiting.result()[1]
        self.assertNotIn("Session", freed)
        self.assertEqual(freed["LockIndex"], first["LockIndex"])
        # No lock-delay after a release by the holder.
        self.assertTrue(self.two.kv.put(self.key, "2", acquire=loser))
        self.assertEqual(self.two.kv.get(self.key)[1]["LockIndex"], first["LockIndex"] + 1)
        for session in (winner, loser):
            self.one.session.destroy(session)

    def test_the_loser_wins_after_the_winners_session_ended_and_the_lock_delay(self):
        delay = 5
        winner, loser = self.one.session.create(lock_delay=delay), self.two.session.create()
        self.assertTrue(self.one.kv.put(self.key, "1", acquire=winner))
        index = self.two.kv.get(self.key)[0]
        waiting = Background(lambda: self.two.kv.get(self.key, index=index, wait="60s"))
        began = time.monotonic()
        self.assertTrue(self.one.session.destroy(winner))
        freed = waiting.result()[1]
        self.assertNotIn("Session", freed)
        refused = 0
        while not self.two.kv.put(self.key, "2", acquire=loser):
            refused += 1
            self.assertLess(time.monotonic() - began, 20)
            time.sleep(0.02)
        self.assertGreater(refused, 0)
        self.assertGreaterEqual(time.monotonic() - began, delay)
        self.assertEqual(self.two.kv.get(self.key)[1]["Session"], loser)
        self.two.session.destroy(loser)

    def test_a_session_with_behavior_delete_takes_its_key_along(self):
        session = self.one.session.create(behavior="delete", lock_delay=0)
        self.one.kv.put(self.key, "x", acquire=session)
        self.one.session.destroy(session)
        self.assertIsNone(self.one.kv.get(self.key)[1])

    def test_a_session_ends_with_its_check(self):
        self.one.agent.check.register("alive", check={"ttl": "1h", "status": "passing"}, check_id="alive")
        session = self.one.session.create(checks=["serfHealth", "alive"], lock_delay=0)
        self.one.kv.put(self.key, "x", acquire=session)
        self.one.http.put(CB.bool(), "/v1/agent/check/fail/alive")
        self.assertIsNone(self.one.session.info(session)[1])
        self.assertNotIn("Session", self.one.kv.get(self.key)[1])
        with self.assertRaisesRegex(ConsulException, "Check 'alive' is in critical state"):
            self.one.session.create(checks=["alive"])
        self.one.http.put(CB.bool(), "/v1/agent/check/deregister/alive")

    def test_an_unknown_session_cannot_lock(self):
        with self.assertRaisesRegex(ConsulException, "invalid session"):
            self.one.kv.put(self.key, "x", acquire="adf4238a-882b-9ddc-4a9d-5b6758e4159e")


class Sessions(unittest.TestCase):
    def test_life(self):
        c = client()
        session = c.session.create(name="mine", ttl=60, behavior="delete", lock_delay=3)
        info = c.session.info(session)[1]
        self.assertEqual((info["ID"], info["Name"], info["TTL"], info["Behavior"]), (session, "mine", "60s", "delete"))
        self.assertEqual((info["LockDelay"], info["Node"]), (3 * 10**9, registry.node))
        self.assertIn(session, [s["ID"] for s in c.session.list()[1]])
        self.assertIn(session, [s["ID"] for s in c.session.node(registry.node)[1]])
        self.assertEqual(c.session.node("nobody")[1], [])
        self.assertEqual(c.session.renew(session)["ID"], session)
        index = c.session.list()[0]
        waiting = Background(lambda: client().session.list(index=index, wait="60s"))
        self.assertIs(c.session.destroy(session), True)
        self.assertNotIn(session, [s["ID"] for s in waiting.result()[1]])
        self.assertIsNone(c.session.info(session)[1])
        with self.assertRaisesRegex(NotFound, "not found"):
            c.session.renew(session)

    def test_a_bare_session_has_consuls_defaults(self):
        c = client()
        info = c.session.info(c.session.create())[1]
        self.assertEqual((info["Behavior"], info["TTL"], info["LockDelay"]), ("release", "", 15 * 10**9))
        self.assertEqual(info.get("NodeChecks", info.get("Checks")), ["serfHealth"])


class Agent(unittest.TestCase):
    def setUp(self):
        self.c = client()

    def put(self, path):
        return self.c.http.put(CB.bool(), path)

    def test_self_and_members(self):
        me = self.c.agent.self()
        self.assertEqual((me["Config"]["NodeName"], me["Config"]["Datacenter"]), (registry.node, "dc1"))
        self.assertEqual([m["Name"] for m in self.c.agent.members()], [registry.node])
        self.assertEqual([m["Name"] for m in self.c.agent.members(wan=True)], [registry.node + ".dc1"])

    def test_service_with_a_ttl_check_passes_warns_and_fails(self):
        self.assertIs(self.c.agent.service.register("web", service_id="web-1", address="10.0.0.1", port=80,
                                                    tags=["v1", "blue"], check=consul.Check.ttl("1h")), True)
        service = self.c.agent.services()["web-1"]
        self.assertEqual((service["Service"], service["Port"], service["Tags"]), ("web", 80, ["v1", "blue"]))
        self.assertEqual(self.c.agent.checks()["service:web-1"]["Status"], "critical")
        self.assertEqual(self.c.health.service("web", passing=True)[1], [])
        for word, status in (("pass", "passing"), ("warn", "warning"), ("fail", "critical"), ("pass", "passing")):
            self.assertIs(self.c.http.put(CB.bool(), "/v1/agent/check/%s/service:web-1" % word,
                                          params={"note": "said " + word}), True)
            check = self.c.agent.checks()["service:web-1"]
            self.assertEqual((check["Status"], check["Output"]), (status, "said " + word))
        self.assertEqual(len(self.c.health.service("web", passing=True)[1]), 1)
        # Registering it again keeps what the check said.
        self.c.agent.service.register("web", service_id="web-1", address="10.0.0.1", port=81,
                                      check=consul.Check.ttl("1h"))
        self.assertEqual(self.c.agent.checks()["service:web-1"]["Status"], "passing")
        self.assertIs(self.put("/v1/agent/service/deregister/web-1"), True)
        self.assertNotIn("web-1", self.c.agent.services())
        self.assertNotIn("service:web-1", self.c.agent.checks())

    def test_a_ttl_that_runs_out_turns_critical(self):
        self.c.agent.service.register("brief", check={"ttl": "1s", "status": "passing"})
        wait_for(lambda: self.c.agent.checks()["service:brief"]["Status"] == "critical", "the TTL runs out")
        self.assertTrue(self.c.agent.checks()["service:brief"]["Output"].startswith("TTL expired"))
        self.put("/v1/agent/service/deregister/brief")

    def test_calls_from_before_consul_1_0_are_answered_as_consul_does(self):
        self.c.agent.service.register("old", check=consul.Check.ttl("1h"))
        # 405, which this client makes False of.
        self.assertIs(self.c.agent.check.ttl_pass("service:old"), False)
        self.assertIs(self.c.agent.check.ttl_warn("service:old"), False)
        self.assertIs(self.c.agent.check.ttl_fail("service:old"), False)
        self.assertIs(self.c.agent.check.deregister("service:old"), False)
        self.assertIs(self.c.agent.service.deregister("old"), False)
        self.assertIs(self.c.agent.join("127.0.0.1"), False)
        self.assertIs(self.c.agent.force_leave("nobody"), False)
        self.assertIn("old", self.c.agent.services())
        # And check scripts of the old spelling are unknown.
        with self.assertRaises(BadRequest):
            self.c.agent.service.register("script", check=consul.Check.script("true", "10s"))
        self.put("/v1/agent/service/deregister/old")

    def test_checks_of_their_own(self):
        self.assertIs(self.c.agent.check.register("disk", check=consul.Check.ttl("1h"), check_id="disk-1",
                                                  notes="how full it is"), True)
        check = self.c.agent.checks()["disk-1"]
        self.assertEqual((check["Name"], check["Notes"], check["Status"]), ("disk", "how full it is", "critical"))
        self.assertIs(self.put("/v1/agent/check/pass/disk-1"), True)
        self.assertEqual(self.c.agent.checks()["disk-1"]["Status"], "passing")
        self.assertIs(self.put("/v1/agent/check/deregister/disk-1"), True)
        self.assertNotIn("disk-1", self.c.agent.checks())
        with self.assertRaisesRegex(ConsulException, "does not have associated TTL"):
            self.put("/v1/agent/check/pass/disk-1")

    def test_a_check_of_a_service(self):
        self.c.agent.service.register("shop")
        self.c.agent.check.register("stock", check={"ttl": "1h", "status": "passing"}, service_id="shop")
        self.assertEqual(self.c.agent.checks()["stock"]["ServiceName"], "shop")
        self.assertEqual([c["CheckID"] for c in self.c.health.checks("shop")[1]], ["stock"])
        self.put("/v1/agent/service/deregister/shop")
        self.assertEqual(self.c.health.checks("shop")[1], [])

    def test_probes_are_accepted(self):
        for name, check in (("http", consul.Check.http("http://127.0.0.1:1/", "1h", timeout="1s", deregister="24h")),
                            ("tcp", consul.Check.tcp("127.0.0.1", 1, "1h", timeout="1s", deregister="24h"))):
            self.assertIs(self.c.agent.service.register("probed-" + name, port=1, check=check), True)
            self.assertEqual(self.c.agent.checks()["service:probed-" + name]["Type"], name)
            self.put("/v1/agent/service/deregister/probed-" + name)

    def test_maintenance_of_node_and_service(self):
        self.c.agent.service.register("busy")
        # The client writes Python's True and False; Go's ParseBool reads them.
        self.assertIs(self.c.agent.maintenance(True, "new disk"), True)
        self.assertEqual(self.c.agent.checks()["_node_maintenance"]["Notes"], "new disk")
        self.assertEqual(self.c.health.service("busy", passing=True)[1], [])
        self.assertIs(self.c.agent.maintenance(False), True)
        self.assertIs(self.c.agent.service.maintenance("busy", True, "deploy"), True)
        check = self.c.agent.checks()["_service_maintenance:busy"]
        self.assertEqual((check["Status"], check["Notes"]), ("critical", "deploy"))
        self.assertIs(self.c.agent.service.maintenance("busy", False), True)
        self.assertEqual(len(self.c.health.service("busy", passing=True)[1]), 1)
        self.put("/v1/agent/service/deregister/busy")


class Catalog(unittest.TestCase):
    def setUp(self):
        self.c = client()

    def test_an_external_node_from_register_to_deregister(self):
        c = self.c
        self.assertEqual(c.catalog.datacenters(), ["dc1"])
        self.assertIs(c.catalog.register("ext", "10.9.9.9", service={"service": "mail", "id": "mail-1", "tags": ["smtp"],
                                                                     "port": 25},
                                         check={"name": "smtp answers", "checkid": "smtp", "status": "passing",
                                                "serviceid": "mail-1"}), True)
        self.assertEqual([n["Address"] for n in c.catalog.nodes()[1] if n["Node"] == "ext"], ["10.9.9.9"])
        self.assertEqual(c.catalog.services()[1]["mail"], ["smtp"])
        self.assertEqual(c.catalog.node("ext")[1]["Services"]["mail-1"]["Port"], 25)
        self.assertIsNone(c.catalog.node("nobody")[1])
        instance, = c.catalog.service("mail")[1]
        self.assertEqual((instance["Address"], instance["ServiceID"], instance["ServicePort"]), ("10.9.9.9", "mail-1", 25))
        self.assertEqual(c.catalog.service("mail", tag="imap")[1], [])
        self.assertEqual(len(c.catalog.service("mail", tag="smtp", near="_agent", consistency="stale")[1]), 1)
        self.assertEqual([i["Node"] for i in c.catalog.nodes(near="ext")[1]][0], "ext")
        self.assertIs(c.catalog.deregister("ext", check_id="smtp"), True)
        self.assertEqual(c.health.checks("mail")[1], [])
        self.assertIs(c.catalog.deregister("ext", service_id="mail-1"), True)
        self.assertNotIn("mail", c.catalog.services()[1])
        self.assertIs(c.catalog.deregister("ext"), True)
        self.assertNotIn("ext", [n["Node"] for n in c.catalog.nodes()[1]])

    def test_a_blocked_services_call_wakes_for_a_new_name(self):
        index = self.c.catalog.services()[0]
        waiting = Background(lambda: client().catalog.services(index=index, wait="60s"))
        self.c.catalog.register("ext", "10.9.9.9", service={"service": "fresh"})
        self.assertIn("fresh", waiting.result()[1])
        self.c.catalog.deregister("ext")

    def test_a_datacenter_changes_nothing_and_the_client_s_old_token_field_is_refused_as_by_consul(self):
        self.assertIs(self.c.catalog.register("tok", "10.9.9.8", dc="dc1"), True)
        self.assertIs(self.c.catalog.deregister("tok", dc="dc1"), True)
        with self.assertRaisesRegex(ConsulException, 'unknown field "WriteRequest"'):
            self.c.catalog.register("tok", "10.9.9.8", token="any")
        with self.assertRaisesRegex(ConsulException, "No path to datacenter"):
            self.c.catalog.nodes(dc="mars")


class Health(unittest.TestCase):
    def test_service_checks_state_and_node(self):
        c = client()
        c.agent.service.register("db", service_id="db-1", port=5432, tags=["primary"], check=consul.Check.ttl("1h"))
        entry, = c.health.service("db")[1]
        self.assertEqual((entry["Node"]["Node"], entry["Service"]["ID"]), (registry.node, "db-1"))
        self.assertEqual([k["CheckID"] for k in entry["Checks"]], ["serfHealth", "service:db-1"])
        self.assertEqual(c.health.service("db", tag="replica")[1], [])
        self.assertEqual([k["Status"] for k in c.health.checks("db")[1]], ["critical"])
        self.assertIn("service:db-1", [k["CheckID"] for k in c.health.state("critical")[1]])
        self.assertNotIn("service:db-1", [k["CheckID"] for k in c.health.state("passing")[1]])
        self.assertGreaterEqual(len(c.health.state("any")[1]), 2)
        self.assertEqual(c.health.state("unknown")[1], [])
        self.assertIn("serfHealth", [k["CheckID"] for k in c.health.node(registry.node)[1]])
        index = c.health.service("db", passing=True)[0]
        waiting = Background(lambda: client().health.service("db", passing=True, index=index, wait="60s"))
        c.http.put(CB.bool(), "/v1/agent/check/pass/service:db-1")
        self.assertEqual(len(waiting.result()[1]), 1)
        c.http.put(CB.bool(), "/v1/agent/service/deregister/db-1")
        self.assertEqual(c.health.service("db")[1], [])


class Events(unittest.TestCase):
    def test_fire_list_and_wait(self):
        c = client()
        fired = c.event.fire("deploy", "version 7")
        self.assertEqual((fired["Name"], base64.b64decode(fired["Payload"])), ("deploy", b"version 7"))
        index, events = c.event.list("deploy")
        self.assertEqual([(e["ID"], e["Payload"]) for e in events], [(fired["ID"], b"version 7")])
        waiting = Background(lambda: client().event.list("deploy", index=index, wait="60s"))
        c.event.fire("other")
        waiting.join(0.3)
        self.assertTrue(waiting.is_alive())
        second = c.event.fire("deploy", "version 8", node=registry.node)
        self.assertEqual(waiting.result()[1][-1]["ID"], second["ID"])
        with self.assertRaisesRegex(ConsulException, "tag filter without service filter"):
            c.event.fire("x", tag="t")


class Transactions(unittest.TestCase):
    """The client has no call for transactions yet; they go through its HTTP layer."""

    def txn(self, *operations):
        return client().http.put(lambda response: (response.code, json.loads(response.body)), "/v1/txn",
                                 data=json.dumps([{"KV": operation} for operation in operations]))

    def test_all_or_nothing(self):
        c = client()
        c.kv.delete("txn/", recurse=True)
        value = base64.b64encode(b"v").decode()
        code, answer = self.txn({"Verb": "set", "Key": "txn/a", "Value": value},
                                {"Verb": "cas", "Key": "txn/b", "Value": value, "Index": 0},
                                {"Verb": "get", "Key": "txn/a"})
        self.assertEqual((code, answer["Errors"]), (200, None))
        self.assertEqual([r["KV"]["Value"] for r in answer["Results"]], [None, None, value])
        code, answer = self.txn({"Verb": "set", "Key": "txn/c", "Value": value},
                                {"Verb": "check-not-exists", "Key": "txn/a"})
        self.assertEqual((code, answer["Results"], answer["Errors"][0]["OpIndex"]), (409, None, 1))
        self.assertIsNone(c.kv.get("txn/c")[1])


class Queries(unittest.TestCase):
    def test_a_query_from_create_to_delete(self):
        c = client()
        c.agent.service.register("api", service_id="api-1", port=1, tags=["v2"])
        c.agent.service.register("api", service_id="api-2", port=2, tags=["v1"])
        # This client makes every query a template, which Consul resolves by name only.
        made = c.query.create("api", name="apis", tags=["v2"], onlypassing=True, ttl="3s", nearestn=3,
                              datacenters=["dc1"])["ID"]
        self.assertIn(made, [q["ID"] for q in c.query.list()])
        self.assertEqual(c.query.get(made)[0]["Service"]["Tags"], ["v2"])
        answer = c.query.execute("apis")
        self.assertEqual([n["Service"]["ID"] for n in answer["Nodes"]], ["api-1"])
        self.assertEqual(answer["DNS"]["TTL"], "3s")
        self.assertIs(c.query.update(made, service="api", name="apis"), True)
        self.assertEqual(len(c.query.execute("apis", limit=5)["Nodes"]), 2)
        self.assertEqual(len(c.query.execute("apis", limit=1, near="_agent")["Nodes"]), 1)
        templated = c.query.create("${name.suffix}", name="to-", regexp="^to-(.*)$")["ID"]
        self.assertEqual(c.query.explain("to-api")["Query"]["Service"]["Service"], "api")
        for query in (made, templated):
            self.assertIs(c.query.delete(query), True)
        self.assertEqual(c.query.list(), [])
        for service in ("api-1", "api-2"):
            c.http.put(CB.bool(), "/v1/agent/service/deregister/" + service)


class TheRest(unittest.TestCase):
    def test_status(self):
        c = client()
        self.assertEqual(c.status.peers(), [c.status.leader()])
        self.assertRegex(c.status.leader(), r"^127\.0\.0\.1:\d+$")

    def test_coordinates(self):
        c = client()
        self.assertEqual(c.coordinate.datacenters()[0]["Datacenter"], "dc1")
        self.assertEqual([n["Node"] for n in c.coordinate.nodes()[1]], [registry.node])

    def test_raft_has_one_leader(self):
        server, = client().operator.raft_config()["Servers"]
        self.assertTrue(server["Leader"] and server["Voter"])

    def test_acls_are_off(self):
        c = client()
        for call in (c.acl.list, lambda: c.acl.info("x"), lambda: c.acl.create("x"), lambda: c.acl.update("x"),
                     lambda: c.acl.clone("x"), lambda: c.acl.destroy("x")):
            with self.assertRaisesRegex(ACLDisabled, "ACL support disabled"):
                call()


if __name__ == "__main__":
    unittest.main(verbosity=2)
