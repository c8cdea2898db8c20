#!/usr/bin/python3
"""Consul's own program (1.8.7, Debian 11's), unmodified, as a client of a `devstack registry`.
https://developer.hashicorp.com/consul/commands
"""
import json
import os
import subprocess
import unittest

from support import Registry, folder, stop, wait_for

CONSUL = os.environ["CONSUL"]


class ConsulCli(unittest.TestCase):
    def setUp(self):
        self.registry = self.entered(Registry())
        self.folder = self.entered(folder())
        self.environment = dict(os.environ, CONSUL_HTTP_ADDR=f"127.0.0.1:{self.registry.http_port}")

    def entered(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def run_consul(self, *arguments, given=""):
        """Exit code and what it printed."""
        done = subprocess.run([CONSUL, *arguments], input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=self.environment, cwd=self.folder, timeout=60, text=True)
        return done.returncode, done.stdout.strip()

    def must(self, *arguments, given=""):
        code, text = self.run_consul(*arguments, given=given)
        self.assertEqual(code, 0, text)
        return text

    def started(self, *arguments):
        process = subprocess.Popen([CONSUL, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=self.environment, cwd=self.folder)
        self.addCleanup(stop, process)
        return process

    def read(self, name):
        with open(os.path.join(self.folder, name)) as file:
            return file.read()

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def test_keys_are_put_read_exported_imported_and_deleted(self):
        self.must("kv", "put", "-flags=42", "app/a", "one")
        self.must("kv", "put", "app/b", "-", given="two")
        self.assertEqual(self.must("kv", "get", "-recurse", "app/"), "app/a:one\napp/b:two")
        self.assertIn("Flags            42", self.must("kv", "get", "-detailed", "app/a").splitlines())
        self.assertEqual(self.must("kv", "get", "-keys", "app/"), "app/a\napp/b")
        index = self.registry.must("GET", "/v1/kv/app/a")[0]["ModifyIndex"]
        self.assertEqual(self.run_consul("kv", "put", "-cas", f"-modify-index={index + 1}", "app/a", "x")[0], 1)
        self.must("kv", "put", "-cas", f"-modify-index={index}", "app/a", "three")
        exported = self.must("kv", "export", "app/")
        self.must("kv", "delete", "-recurse", "app/")
        self.assertEqual(self.run_consul("kv", "get", "app/a")[0], 1)
        self.must("kv", "import", "-", given=exported)
        self.assertEqual(self.must("kv", "get", "app/a"), "three")

    def test_two_that_want_a_lock_hold_it_in_turn(self):
        # mkdir fails for who comes while the other is inside.
        self.write("inside", "mkdir held || exit 9\nsleep 0.3\nrmdir held\necho done >>log\n")
        both = [self.started("lock", "deploy", "sh", "inside") for _ in range(2)]
        self.assertEqual([process.wait(60) for process in both], [0, 0])
        self.assertEqual(self.read("log"), "done\ndone\n")
        # Who left last took the lock's key away.
        self.assertIsNone(self.registry.must("GET", "/v1/session/list") or None)

    def test_a_watch_runs_its_handler_on_every_change(self):
        self.started("watch", "-type=service", "-service=web", "-passingonly=true", "sh", "-c", "cat >>seen")

        def instances():
            return [[entry["Service"]["ID"] for entry in json.loads(line) or []] for line in self.read("seen").splitlines()]

        wait_for(lambda: instances() == [[]], "the handler runs at once")
        self.write("web.json", json.dumps({"service": {"name": "web", "id": "web-1", "port": 80,
                                                       "check": {"ttl": "1h", "status": "passing"}}}))
        self.must("services", "register", "web.json")
        wait_for(lambda: instances()[-1] == ["web-1"], "the instance comes")
        self.must("maint", "-enable", "-service=web-1", "-reason=upgrade")
        wait_for(lambda: instances()[-1] == [], "maintenance takes it out")
        self.must("maint", "-disable", "-service=web-1")
        wait_for(lambda: instances()[-1] == ["web-1"], "and it is back")
        self.must("services", "deregister", "-id=web-1")
        wait_for(lambda: instances()[-1] == [], "the instance goes")

    def test_an_event_reaches_who_watches_for_it(self):
        self.started("watch", "-type=event", "-name=deploy", "sh", "-c", "cat >>seen")
        wait_for(lambda: self.read("seen") is not None, "the handler runs at once")
        self.must("event", "-name=deploy", "now")
        wait_for(lambda: "bm93" in self.read("seen"), "the payload arrives, in base64")

    def test_a_snapshot_brings_back_what_was_deleted(self):
        self.must("kv", "put", "kept", "1")
        self.must("snapshot", "save", "backup.snap")
        self.must("kv", "delete", "kept")
        self.must("snapshot", "restore", "backup.snap")
        self.assertEqual(self.must("kv", "get", "kept"), "1")

    def test_catalog_members_and_operator_commands_tell_of_one_server(self):
        self.write("web.json", json.dumps({"service": {"name": "web", "tags": ["blue"], "port": 80}}))
        self.must("services", "register", "web.json")
        self.assertEqual(self.must("catalog", "datacenters"), "dc1")
        self.assertEqual(self.must("catalog", "services", "-tags").split(), ["consul", "web", "blue"])
        self.assertIn("node1", self.must("catalog", "nodes", "-service=web"))
        self.assertRegex(self.must("members"), r"node1 +\S+ +alive +server")
        self.assertRegex(self.must("operator", "raft", "list-peers"), r"node1 .* leader +true")
        self.assertIn("leader = true", self.must("info"))
        self.must("reload")
        self.assertRegex(self.must("rtt", "node1"), r"^Estimated node1 <-> node1 rtt: \d")


if __name__ == "__main__":
    unittest.main(verbosity=2)
