#!/usr/bin/python3
"""dig (BIND), drill (ldns), kdig (Knot) and dnspython, unmodified, judge the DNS of a `devstack registry`: what each of
them makes of our replies must be the same, and right.
"""
import socket
import unittest

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.reversename
import support
from dns_support import LOOPBACK, Asker

MANY = 60


def setUpModule():
    global registry, askers
    registry = support.Registry()
    registry.__enter__()
    unittest.addModuleCleanup(registry.__exit__)
    services = [{"ID": "web1", "Name": "web", "Address": "10.0.0.1", "Port": 80, "Tags": ["v1"],
                 "Weights": {"Passing": 5, "Warning": 2}},
                {"ID": "web2", "Name": "web", "Address": "10.0.0.2", "Port": 81, "Tags": ["v2"]},
                {"ID": "six", "Name": "six", "Address": "fd00::1", "Port": 6},
                {"ID": "alias", "Name": "alias", "Address": "web.service.consul", "Port": 80},
                {"ID": "bare", "Name": "bare", "Port": 99}]
    services += [{"ID": f"many{i}", "Name": "many", "Address": f"10.9.0.{i}", "Port": 1000 + i} for i in range(MANY)]
    for service in services:
        registry.must("PUT", "/v1/agent/service/register", service)
    registry.must("POST", "/v1/query", {"Name": "blue", "Service": {"Service": "web", "Tags": ["v1"]},
                                         "DNS": {"TTL": "30s"}})
    askers = [Asker(name, registry.dns_port) for name in ("dig", "drill", "kdig")]


class Programs(unittest.TestCase):
    """The same questions of dig, drill and kdig."""

    def judge(self, name, kind="A", *flags, rcode="NOERROR", section="answer", data=None, count=None):
        for asker in askers:
            with self.subTest(asker=asker.name, name=name, kind=kind, flags=flags):
                said = asker.ask(name, kind, *flags)
                self.assertEqual(said.rcode, rcode, said.text)
                if data is not None:
                    self.assertEqual(said.data(section), sorted(data), said.text)
                if count is not None:
                    self.assertEqual(len(said.lines(section)), count, said.text)

    def test_addresses_over_udp_tcp_and_edns(self):
        for flags in ((), ("tcp",), ("edns",), ("plain",)):
            self.judge("web.service.consul", "A", *flags, data=["A 10.0.0.1", "A 10.0.0.2"])
        self.judge("six.service.consul", "AAAA", data=["AAAA fd00::1"])
        self.judge("v1.web.service.dc1.consul", data=["A 10.0.0.1"])
        self.judge("blue.query.consul", data=["A 10.0.0.1"])

    def test_what_is_not_there(self):
        self.judge("nosuch.service.consul", rcode="NXDOMAIN", section="authority", count=1)
        self.judge("web.service.consul", "AAAA", section="answer", data=[])
        self.judge("web.service.consul", "AAAA", section="authority", count=1)
        self.judge("example.com", rcode="REFUSED", data=[])

    def test_srv_with_its_addresses(self):
        self.judge("_web._tcp.service.consul", "SRV",
                   data=["SRV 1 1 81 0a000002.addr.dc1.consul.", "SRV 1 5 80 0a000001.addr.dc1.consul."])
        for asker in askers:
            extra = asker.ask("web.service.consul", "SRV").lines("additional")
            self.assertIn("0a000001.addr.dc1.consul. 0 IN A 10.0.0.1", extra)
            self.assertIn("0a000002.addr.dc1.consul. 0 IN A 10.0.0.2", extra)
        self.judge("0a000001.addr.dc1.consul", data=["A 10.0.0.1"])
        self.judge("bare.service.consul", "SRV", data=["SRV 1 1 99 node1.node.dc1.consul."])

    def test_aliases_are_followed(self):
        self.judge("alias.service.consul", data=["A 10.0.0.1", "A 10.0.0.2", "CNAME web.service.consul."])

    def test_reverse_names(self):
        self.judge("1.0.0.10.in-addr.arpa", "PTR", data=["PTR web.service.dc1.consul."])
        self.judge("1.0.0.127.in-addr.arpa", "PTR", data=["PTR node1.node.dc1.consul."])
        self.judge(dns.reversename.from_address("fd00::1").to_text(), "PTR", data=["PTR six.service.dc1.consul."])

    def test_zone(self):
        self.judge("consul", "SOA", count=1)
        self.judge("consul", "NS", data=["NS node1.node.dc1.consul."])

    def test_truncation_and_the_way_round_it(self):
        for asker in askers:
            with self.subTest(asker=asker.name):
                # Sixty SRV records do not fit into 1232 bytes: TC, and the program comes back over TCP by itself.
                self.assertIn("tc", asker.ask("many.service.consul", "SRV", "edns", "no_retry").flags)
                whole = asker.ask("many.service.consul", "SRV", "edns")
                self.assertEqual(len(whole.lines()), MANY, whole.text)
                self.assertEqual(len(asker.ask("many.service.consul", "A", "edns").lines()), MANY)
                self.assertEqual(len(asker.ask("many.service.consul", "A", "tcp").lines()), MANY)
                plain = asker.ask("many.service.consul", "A", "plain")
                self.assertEqual(len(plain.lines()), 3)
                self.assertNotIn("tc", plain.flags)

    def test_case_is_kept(self):
        for asker in askers[:2]:  # kdig asks in small letters
            said = asker.ask("wEb.sERVICE.cOnsul")
            self.assertEqual({line.split()[0] for line in said.lines()}, {"wEb.sERVICE.cOnsul."}, said.text)


class Dnspython(unittest.TestCase):
    """dnspython checks every reply against its question, and reads it to the last byte."""

    def ask(self, name, kind="A", how=dns.query.udp, **edns):
        query = dns.message.make_query(name, kind, **edns)
        return how(query, LOOPBACK, port=registry.dns_port, timeout=10)

    def test_every_form_is_well_formed(self):
        names = ["web.service.consul", "v1.web.service.consul", "_web._tcp.service.consul", "six.service.consul",
                 "alias.service.consul", "node1.node.consul", "0a000001.addr.consul", "blue.query.consul",
                 "nosuch.service.consul", "many.service.consul", "consul", "1.0.0.10.in-addr.arpa", "example.com"]
        for name in names:
            for kind in ("A", "AAAA", "ANY", "SRV", "TXT", "SOA", "NS", "PTR", "MX", "CNAME", "HTTPS"):
                for how in (dns.query.udp, dns.query.tcp):
                    for edns in ({}, {"use_edns": 0, "payload": 1232}):
                        reply = self.ask(name, kind, how, **edns)
                        self.assertTrue(reply.flags & dns.flags.QR)
                        again = dns.message.from_wire(reply.to_wire(max_size=65535))
                        self.assertEqual(again, reply, (name, kind))

    def test_the_stub_resolver_resolves(self):
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [LOOPBACK], registry.dns_port
        self.assertEqual(sorted(rr.address for rr in resolver.resolve("web.service.consul", "A")),
                         ["10.0.0.1", "10.0.0.2"])
        self.assertEqual(len(resolver.resolve("many.service.consul", "SRV", tcp=True)), MANY)
        self.assertEqual(resolver.resolve_address("10.0.0.2")[0].target.to_text(), "web.service.dc1.consul.")
        self.assertEqual(resolver.resolve("blue.query.consul").rrset.ttl, 30)
        with self.assertRaises(dns.resolver.NXDOMAIN):
            resolver.resolve("nosuch.service.consul")
        with self.assertRaises(dns.resolver.NoAnswer):
            resolver.resolve("web.service.consul", "AAAA")

    def test_udp_with_fallback_to_tcp(self):
        query = dns.message.make_query("many.service.consul", "SRV", use_edns=0, payload=1232)
        reply, used_tcp = dns.query.udp_with_fallback(query, LOOPBACK, port=registry.dns_port, timeout=10)
        self.assertTrue(used_tcp)
        self.assertEqual(len(reply.answer[0]), MANY)

    def test_case_of_the_question_comes_back(self):
        query = dns.message.make_query("wEb.SerVice.cONsul", "A")
        reply = dns.query.udp(query, LOOPBACK, port=registry.dns_port, timeout=10)
        self.assertEqual(reply.question[0].name.to_text(), "wEb.SerVice.cONsul.")

    def test_edns_comes_back_and_a_client_subnet_with_it(self):
        reply = self.ask("web.service.consul", use_edns=0, payload=1400, options=[dns.edns.ECSOption("10.1.2.0", 24)])
        self.assertEqual((reply.edns, reply.payload), (0, 1400))
        self.assertEqual([(o.address, o.srclen, o.scopelen) for o in reply.options], [("10.1.2.0", 24, 0)])
        reply = self.ask("blue.query.consul", use_edns=0, payload=1400, options=[dns.edns.ECSOption("10.1.2.0", 24)])
        self.assertEqual([(o.address, o.srclen, o.scopelen) for o in reply.options], [("10.1.2.0", 24, 24)])
        self.assertEqual(self.ask("web.service.consul", use_edns=False).edns, -1)

    def test_what_is_malformed_is_formerr_or_nothing(self):
        good = dns.message.make_query("web.service.consul", "A")
        good.id = 0xabcd
        wire = good.to_wire()
        loop, two = wire[:12] + b"\xc0\x0c\x00\x01\x00\x01", wire[:4] + b"\x00\x02" + wire[6:]
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.connect((LOOPBACK, registry.dns_port))
            for broken in (wire[:-1], wire[:12], loop, two, wire + b"trailing"):
                client.send(wire[:11])  # shorter than a header: nothing comes of it
                client.send(broken)
                reply = dns.message.from_wire(client.recv(65535))
                self.assertEqual(reply.id, 0xabcd)
                expected = dns.rcode.NOERROR if broken.endswith(b"trailing") else dns.rcode.FORMERR
                self.assertEqual(reply.rcode(), expected, broken)


if __name__ == "__main__":
    unittest.main(verbosity=2)
