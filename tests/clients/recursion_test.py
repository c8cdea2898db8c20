#!/usr/bin/python3
"""A whole chain of real programs: dig, drill and kdig ask a `devstack registry`, which asks an unbound, which recurses to
the name server of a zone that the test made. And upstreams that truncate, dawdle, lie, refuse or are dead.
"""
import socket
import time
import unittest

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import support
from dns_support import LOOPBACK, Asker, NameServer, Unbound, zone

ZONE = {
    ("example.test.", "SOA"): (60, ["ns.example.test. host.example.test. 1 60 60 60 60"]),
    ("example.test.", "NS"): (60, ["ns.example.test."]),
    ("ns.example.test.", "A"): (60, [LOOPBACK]),
    ("www.example.test.", "A"): (300, ["10.1.2.3"]),
    ("www.example.test.", "AAAA"): (300, ["fd00::123"]),
    ("web.example.test.", "CNAME"): (300, ["www.example.test."]),
    ("txt.example.test.", "TXT"): (300, ['"hello" "world"']),
    ("_x._tcp.example.test.", "SRV"): (300, ["1 2 80 www.example.test."]),
    ("mail.example.test.", "MX"): (300, ["10 www.example.test."]),
    ("many.example.test.", "A"): (300, [f"10.3.{i // 250}.{i % 250}" for i in range(300)]),
}


def forwarding(*upstreams):
    flags = [word for port in upstreams for word in ("--recursor", f"{LOOPBACK}:{port}")]
    return support.Registry(*flags)


def askers_of(registry):
    return [Asker(name, registry.dns_port) for name in ("dig", "drill", "kdig")]


class ThroughUnbound(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.owner = cls.enterClassContext(NameServer(zone(ZONE)))
        cls.unbound = cls.enterClassContext(Unbound({"example.test": cls.owner.port}))
        cls.registry = cls.enterClassContext(forwarding(cls.unbound.port))
        cls.registry.must("PUT", "/v1/agent/service/register", {"Name": "db", "Address": "www.example.test", "Port": 1})
        cls.askers = askers_of(cls.registry)

    def judge(self, name, kind, *flags, data, rcode="NOERROR"):
        for asker in self.askers:
            with self.subTest(asker=asker.name, name=name, kind=kind, flags=flags):
                said = asker.ask(name, kind, *flags)
                self.assertEqual(said.rcode, rcode, said.text)
                self.assertEqual(said.data(), sorted(data), said.text)
                self.assertIn("ra", said.flags)
                self.assertNotIn("aa", said.flags)

    def test_every_type_arrives(self):
        for flags in ((), ("tcp",), ("edns",)):
            self.judge("www.example.test", "A", *flags, data=["A 10.1.2.3"])
            self.judge("www.example.test", "AAAA", *flags, data=["AAAA fd00::123"])
        self.judge("web.example.test", "A", data=["A 10.1.2.3", "CNAME www.example.test."])
        self.judge("txt.example.test", "TXT", data=['TXT "hello" "world"'])
        self.judge("_x._tcp.example.test", "SRV", data=["SRV 1 2 80 www.example.test."])
        self.judge("mail.example.test", "MX", data=["MX 10 www.example.test."])

    def test_what_is_not_there_is_denied_and_the_denial_kept(self):
        self.judge("nosuch.example.test", "A", data=[], rcode="NXDOMAIN")
        self.judge("txt.example.test", "A", data=[])
        self.assertEqual(self.owner.names().count("nosuch.example.test."), 1)

    def test_three_hundred_addresses_come_whole_over_tcp(self):
        for asker in self.askers:
            said = asker.ask("many.example.test", "A", "edns")
            self.assertEqual(len(said.lines()), 300, asker.name)
        # The zone's server truncated for unbound, too.
        self.assertIn(("tcp", "many.example.test.", "A"), self.owner.asked)

    def test_an_alias_of_a_service_is_followed(self):
        for asker in self.askers:
            said = asker.ask("db.service.consul")
            self.assertEqual(said.data(), ["A 10.1.2.3", "CNAME www.example.test."], said.text)
            said = asker.ask("db.service.consul", "SRV")
            self.assertEqual(said.data(), ["SRV 1 1 1 www.example.test."], said.text)
            self.assertIn("A 10.1.2.3", said.data("additional"), said.text)

    def test_the_owner_is_asked_once(self):
        for _ in range(3):
            self.judge("www.example.test", "A", data=["A 10.1.2.3"])
        asked = [one for one in self.owner.asked if one[1:] == ("www.example.test.", "A")]
        self.assertEqual(len(asked), 1)


def address(query, last=1, ttl=300):
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    reply.answer.append(dns.rrset.from_text(query.question[0].name, ttl, "IN", "A", f"10.1.1.{last}"))
    return reply


class BadUpstreams(unittest.TestCase):
    """Upstreams of the test's own make, each with one vice; the good one is asked after it, or there is none."""

    def good(self):
        return self.enterContext(NameServer(lambda query, _: [address(query)]))

    def ask(self, *upstreams, name="www.corp", flags=()):
        with forwarding(*upstreams) as registry:
            return [asker.ask(name, "A", *flags) for asker in askers_of(registry)]

    def expect(self, said, data, rcode="NOERROR"):
        for one in said:
            self.assertEqual((one.rcode, one.data()), (rcode, data), one.text)

    def test_truncated_is_asked_again_over_tcp(self):
        def script(query, transport):
            reply = address(query)
            if transport == "udp":
                reply.answer.clear()
                reply.flags |= dns.flags.TC
            return [reply]

        upstream = self.enterContext(NameServer(script))
        self.expect(self.ask(upstream.port), ["A 10.1.1.1"])
        self.assertEqual([transport for transport, name, _ in upstream.asked if name == "www.corp."], ["udp", "tcp"])

    def test_a_lie_is_passed_over_for_the_truth(self):
        def wrong_id(query):
            reply = address(query, 66)
            reply.id ^= 0x5555
            return reply

        def wrong_name(query):
            other = dns.message.make_query("other.corp", "A")
            other.id = query.id
            return address(other, 66)

        def wrong_type(query):
            other = dns.message.make_query(query.question[0].name, "AAAA")
            other.id = query.id
            return dns.message.make_response(other)

        def garbage(query):
            return query.to_wire()[:2] + b"\xff" * 9

        for lie in (wrong_id, wrong_name, wrong_type, garbage, lambda query: query.to_wire()):
            upstream = self.enterContext(NameServer(lambda query, _, lie=lie: [lie(query), address(query)]))
            self.expect(self.ask(upstream.port), ["A 10.1.1.1"])

    def test_a_reply_from_elsewhere_does_not_count(self):
        # From another address, and from another port of the right one.
        for place in ("127.0.0.77", LOOPBACK):
            with socket.socket(type=socket.SOCK_DGRAM) as elsewhere:
                elsewhere.bind((place, 0))
                liar = self.enterContext(NameServer(lambda query, _: [address(query, 66)], spoof=elsewhere))
                self.expect(self.ask(liar.port, self.good().port), ["A 10.1.1.1"])
                self.assertIn("www.corp.", liar.names())

    def test_refusal_and_failure_move_on(self):
        for rcode in (dns.rcode.REFUSED, dns.rcode.SERVFAIL, dns.rcode.NOTIMP):
            def script(query, _, rcode=rcode):
                reply = dns.message.make_response(query)
                reply.set_rcode(rcode)
                return [reply]

            upstream = self.enterContext(NameServer(script))
            self.expect(self.ask(upstream.port, self.good().port), ["A 10.1.1.1"])

    def test_dead_and_silent_move_on(self):
        silent = self.enterContext(NameServer(lambda query, _: None))
        dead = support.free_port()
        self.expect(self.ask(dead, silent.port, self.good().port), ["A 10.1.1.1"])

    def test_nobody_is_servfail_and_our_own_names_go_on(self):
        with forwarding(support.free_port()) as registry:
            registry.must("PUT", "/v1/agent/service/register", {"Name": "web", "Address": "10.0.0.1", "Port": 80})
            for asker in askers_of(registry):
                self.expect([asker.ask("www.corp")], [], "SERVFAIL")
                self.expect([asker.ask("web.service.consul")], ["A 10.0.0.1"])

    def test_slow_is_waited_for(self):
        def script(query, _):
            time.sleep(0.7)  # what is tested: an upstream that takes its time
            return [address(query)]

        upstream = self.enterContext(NameServer(script))
        self.expect(self.ask(upstream.port), ["A 10.1.1.1"])

    def test_bytes_that_are_no_message_are_passed_over(self):
        upstream = self.enterContext(NameServer(
            lambda query, _: [b"", b"\0", query.to_wire()[:2] + b"\x81\x80" + b"\xff" * 8 + b"\xc0\x0c" * 30, address(query)]))
        self.expect(self.ask(upstream.port), ["A 10.1.1.1"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
