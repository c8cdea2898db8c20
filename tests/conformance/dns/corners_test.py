#!/usr/bin/python3
"""Answers recorded from a real Consul 1.10.11 (data/consul-dns-corners.json), asked of a `devstack registry` that was filled
over HTTP as the Consul was: prepared queries, the mesh, nodes, aliases, health, odd names and types, and how much of an
answer fits at many EDNS sizes. Where Consul chooses and shuffles ("subset"), numbers are compared, and not TC, which we set.
"""
import contextlib
import ipaddress
import json
import os
import sys
import unittest

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../clients"))
import support  # noqa: E402


def row(record):
    data = record[0]
    kind = dns.rdatatype.to_text(data.rdtype)
    text = data.to_text()
    if kind in ("A", "AAAA"):
        text = str(ipaddress.ip_address(text))
    if kind == "TXT":
        text = json.dumps([string.decode() for string in data.strings])
    if kind == "SOA":
        text = (f"{data.mname} {data.rname} <serial> {data.refresh} {data.retry} {data.expire} {data.minimum}")
    return f"{record.name.to_text()} {record.ttl} {kind} {text}"


def ask(port, query):
    message = dns.message.make_query(query["name"], query["type"], use_edns=0 if query.get("edns") else False,
                                     payload=query.get("edns") or 0)
    ask_by = dns.query.tcp if query.get("tcp") else dns.query.udp
    reply = ask_by(message, "127.0.0.1", port=port, timeout=10, one_rr_per_rrset=True)
    got = {"rcode": dns.rcode.to_text(reply.rcode()), "aa": bool(reply.flags & dns.flags.AA),
           "tc": bool(reply.flags & dns.flags.TC), "ra": bool(reply.flags & dns.flags.RA),
           "count": len(reply.answer)}
    for section in ("answer", "authority", "additional"):
        rows = sorted(row(record) for record in getattr(reply, section))
        got[section] = len(rows) if query.get("subset") else rows
    if query.get("subset"):
        del got["tc"]
    return got


class Corners(unittest.TestCase):
    @staticmethod
    def start(stack):
        """A registry whose own node's random id is not found by the beginnings of ids that are asked for."""
        for _ in range(10):
            registry = support.Registry()
            with contextlib.ExitStack() as attempt:
                attempt.enter_context(registry)
                if not registry.must("GET", "/v1/agent/self")["Config"]["NodeID"].startswith("ab"):
                    stack.push(attempt.pop_all())
                    return registry
        raise AssertionError("ten random ids began alike")

    def test_answers_as_recorded(self):
        with open(os.path.join(HERE, "../data/consul-dns-corners.json"), encoding="utf-8") as file:
            recorded = json.load(file)
        with contextlib.ExitStack() as stack:
            registry = self.start(stack)
            for step, body in recorded["setup"]:
                method, path = step.split(" ", 1)
                registry.must(method, path, body)
            for query in recorded["queries"]:
                asked = {key: value for key, value in query.items() if key != "expect"}
                with self.subTest(**asked):
                    self.assertEqual(ask(registry.dns_port, query), query["expect"])


if __name__ == "__main__":
    unittest.main()
