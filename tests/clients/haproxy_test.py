#!/usr/bin/python3
"""HAProxy, unmodified, takes its servers from SRV answers of a `devstack registry`, as Consul's guides wire it.
https://docs.haproxy.org/2.6/configuration.html#5.3
"""
import collections
import os
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

from support import Page, Registry, folder, free_port, stop, wait_for

SLOTS = 16
CONFIGURATION = """
global
  stats socket {folder}/stats.sock mode 600 level admin
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
  timeout check 5s
resolvers devstack
  nameserver dns1 127.0.0.1:{dns}
  accepted_payload_size 8192
  resolve_retries 3
  timeout resolve 200ms
  timeout retry 500ms
  hold valid 200ms
  hold obsolete 500ms
  hold nx 500ms
frontend in
  bind 127.0.0.1:{port}
  default_backend web
backend web
  balance roundrobin
  option httpchk GET /
  default-server inter 500ms fall 5 rise 1
  server-template web {slots} _web._tcp.service.consul resolvers devstack resolve-prefer ipv4 init-addr none check
"""


class HaproxyResolvers(unittest.TestCase):
    def setUp(self):
        self.registry = Registry()
        self.addCleanup(self.registry.__exit__)
        self.registry.__enter__()
        directory = folder()
        self.folder = directory.__enter__()
        self.addCleanup(directory.__exit__, None, None, None)
        self.port = free_port()
        self.pages = {}
        configuration = os.path.join(self.folder, "haproxy.cfg")
        with open(configuration, "w") as file:
            file.write(CONFIGURATION.format(folder=self.folder, dns=self.registry.dns_port, port=self.port, slots=SLOTS))
        with open(os.path.join(self.folder, "log"), "w") as log:
            self.program = subprocess.Popen(["haproxy", "-db", "-f", configuration], stdout=log, stderr=log)
        self.addCleanup(stop, self.program)
        wait_for(self.servers, "HAProxy answers on its socket", process=self.program)

    def runtime(self, command):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(os.path.join(self.folder, "stats.sock"))
            connection.sendall(command.encode() + b"\n")
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer.decode()

    def servers(self):
        """The template's slots, filled or not: dicts by the header's names."""
        lines = self.runtime("show servers state web").splitlines()
        header = lines[1].lstrip("# ").split()
        return [dict(zip(header, line.split())) for line in lines[2:] if line]

    def filled(self):
        """"address:port" of the slots that take requests (operational state 2: running)."""
        return {f"{s['srv_addr']}:{s['srv_port']}" for s in self.servers() if s["srv_op_state"] == "2"}

    def register(self, number, weight=1):
        """An instance `number` with a web server of its own, on an address of its own."""
        page = self.pages.get(number)
        if page is None:
            page = self.pages[number] = Page(f"i{number}", f"127.0.0.{10 + number}")
            self.addCleanup(page.close)
        self.registry.must("PUT", "/v1/agent/service/register", {
            "ID": f"web-{number}", "Name": "web", "Address": page.address, "Port": page.port,
            "Weights": {"Passing": weight, "Warning": 1}})
        return f"{page.address}:{page.port}"

    def deregister(self, number):
        self.registry.must("PUT", f"/v1/agent/service/deregister/web-{number}")

    def answers(self, requests=60):
        """Who answered how many of so many requests; a refused one stands under its status."""
        counts = collections.Counter()
        for _ in range(requests):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as answer:
                    counts[answer.read().decode()] += 1
            except urllib.error.HTTPError as error:
                counts[error.code] += 1
        return counts

    def test_instances_come_and_go_and_requests_reach_only_live_ones(self):
        self.assertEqual(self.answers(1), {503: 1})
        want = {self.register(n) for n in (1, 2, 3)}
        wait_for(lambda: self.filled() == want, "three instances")
        self.assertEqual(self.answers().keys(), {"i1", "i2", "i3"})
        self.deregister(2)
        want = {self.register(1), self.register(3), self.register(4)}
        wait_for(lambda: self.filled() == want, "one left, one came")
        self.assertEqual(self.answers().keys(), {"i1", "i3", "i4"})
        # An instance that is in maintenance is not in DNS, and so gets no requests.
        self.registry.must("PUT", "/v1/agent/service/maintenance/web-4?enable=true")
        wait_for(lambda: self.filled() == {self.register(1), self.register(3)}, "maintenance takes one out")
        self.assertEqual(self.answers().keys(), {"i1", "i3"})
        for number in (1, 3, 4):
            self.deregister(number)
        wait_for(lambda: not self.filled(), "all gone")
        self.assertEqual(self.answers(1), {503: 1})

    def test_more_than_ten_instances_arrive_in_one_edns_answer(self):
        want = {self.register(n) for n in range(1, 16)}
        wait_for(lambda: self.filled() == want, "fifteen instances")
        self.assertEqual(self.answers(150).keys(), {f"i{n}" for n in range(1, 16)})

    def test_weights_are_taken_from_srv(self):
        light = self.register(1, weight=256)
        heavy = self.register(2, weight=2560)

        def weights():
            return {f"{s['srv_addr']}:{s['srv_port']}": int(s["srv_uweight"]) for s in self.servers()
                    if s["srv_op_state"] == "2"}
        # HAProxy scales SRV's 16 bits down to its own 8.
        wait_for(lambda: weights().keys() == {light, heavy}, "both instances")
        self.assertEqual(weights(), {light: 1, heavy: 10})
        counts = self.answers(130)
        self.assertGreater(counts["i2"], 3 * counts["i1"])
        self.assertGreater(counts["i1"], 0)
        # And a weight that changed is taken over.
        self.register(2, weight=256)
        wait_for(lambda: weights() == {light: 1, heavy: 1}, "the new weight")


if __name__ == "__main__":
    unittest.main(verbosity=2)
