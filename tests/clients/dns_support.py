"""What the tests of our DNS share: the real programs that ask, and a name server that does what a test wants."""
import contextlib
import os
import re
import socket
import struct
import subprocess
import tempfile
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import support

LOOPBACK = "127.0.0.1"


def run(*command):
    """What a program says, errors included."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.stdout


class Asker:
    """One program that asks a server: `ask` gives the rcode, the flags, and the sections as sorted lines."""

    def __init__(self, name, port):
        self.name, self.port = name, port

    def command(self, name, kind, flags=()):
        known = {
            "tcp": {"dig": ["+tcp"], "kdig": ["+tcp"], "drill": ["-t"]},
            "edns": {"dig": ["+bufsize=1232"], "kdig": ["+bufsize=1232"], "drill": ["-b", "1232"]},
            "plain": {"dig": ["+noedns"], "kdig": ["+noedns"], "drill": []},
            "no_retry": {"dig": ["+ignore"], "kdig": ["+ignore"], "drill": []},
        }
        extra = [word for flag in flags for word in known[flag][self.name]]
        if self.name == "drill" and "no_retry" not in flags:
            extra.append("-a")  # the others go on over TCP unless told not to
        if self.name == "dig":
            return ["dig", f"@{LOOPBACK}", "-p", str(self.port), "+tries=1", "+time=10", *extra, name, kind]
        if self.name == "kdig":
            return ["kdig", f"@{LOOPBACK}", "-p", str(self.port), "+retry=0", "+timeout=10", *extra, name, kind]
        return ["drill", "-p", str(self.port), *extra, name, f"@{LOOPBACK}", kind]

    def ask(self, name, kind="A", *flags):
        return Said(run(*self.command(name, kind, flags)))


class Said:
    """What dig, kdig or drill printed: all three name the sections, the rcode and the flags in their own ways."""

    def __init__(self, text):
        self.text = text
        rcode = re.search(r"(?:status|rcode): ?(\w+)", text)
        self.rcode = rcode.group(1) if rcode else None
        flags = re.search(r"[Ff]lags: ?([a-z ]*)", text)
        self.flags = set(flags.group(1).split()) if flags else set()
        self.sections = {}
        section = None
        for line in text.splitlines():
            found = re.match(r";; (QUESTION|ANSWER|AUTHORITY|ADDITIONAL) SECTION", line)
            if found:
                section = found.group(1).lower()
            elif line and not line.startswith(";") and section:
                owner, ttl, klass, *rest = line.split()
                self.sections.setdefault(section, []).append(" ".join([owner, ttl, klass, *rest]))
            elif not line:
                section = None

    def lines(self, section="answer"):
        return sorted(self.sections.get(section, []))

    def data(self, section="answer"):
        """Without owner, TTL and class."""
        return sorted(" ".join(line.split()[3:]) for line in self.sections.get(section, []))


class NameServer:
    """Serves on a free loopback port, UDP and TCP. `script(query, transport)` returns what to send: messages, bytes, or
    None to be silent. `asked` lists (transport, name, type)."""

    def __init__(self, script, address=LOOPBACK, spoof=None):
        self.script, self.spoof, self.asked, self.open = script, spoof, [], True
        self.port = support.free_port()
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.bind((address, self.port))
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((address, self.port))
        self.tcp.listen(16)
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def close(self):
        self.open = False
        for one in (self.udp, self.tcp):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def names(self):
        return [name for _, name, _ in self.asked]

    def _replies(self, wire, transport):
        query = dns.message.from_wire(wire)
        question = query.question[0]
        self.asked.append((transport, question.name.to_text(), dns.rdatatype.to_text(question.rdtype)))
        for reply in self.script(query, transport) or []:
            yield reply if isinstance(reply, bytes) else reply.to_wire(max_size=65535)

    def _answer_udp(self, wire, client):
        sender = self.spoof or self.udp
        with contextlib.suppress(OSError):
            for reply in self._replies(wire, "udp"):
                sender.sendto(reply, client)

    def _serve_udp(self):
        while self.open:
            try:
                wire, client = self.udp.recvfrom(65535)
            except OSError:
                return
            if wire:
                threading.Thread(target=self._answer_udp, args=(wire, client), daemon=True).start()

    def _answer_tcp(self, connection):
        with contextlib.suppress(OSError, struct.error), connection:
            while True:
                size, = struct.unpack(">H", connection.recv(2, socket.MSG_WAITALL))
                for reply in self._replies(connection.recv(size, socket.MSG_WAITALL), "tcp"):
                    connection.sendall(struct.pack(">H", len(reply)) + reply)

    def _serve_tcp(self):
        while self.open:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._answer_tcp, args=(connection,), daemon=True).start()


def zone(records):
    """A script that answers with authority from `records`: (name, type) to (ttl, [data]). Over UDP it truncates what is
    larger than the asker takes, as name servers do."""
    names = {name for name, _ in records}

    def script(query, transport):
        question = query.question[0]
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        while (name, kind) not in records and (name, "CNAME") in records:
            ttl, data = records[name, "CNAME"]
            reply.answer.append(dns.rrset.from_text(name, ttl, "IN", "CNAME", *data))
            name = data[0]
        if (name, kind) in records:
            ttl, data = records[name, kind]
            reply.answer.append(dns.rrset.from_text(name, ttl, "IN", kind, *data))
        elif not reply.answer:
            reply.set_rcode(dns.rcode.NOERROR if name in names else dns.rcode.NXDOMAIN)
            apex, (ttl, data) = next((owner, value) for (owner, typ), value in records.items() if typ == "SOA")
            reply.authority.append(dns.rrset.from_text(apex, ttl, "IN", "SOA", *data))
        wire = reply.to_wire(max_size=65535)
        if transport == "udp" and len(wire) > max(query.payload, 512):
            for section in (reply.answer, reply.authority, reply.additional):
                section.clear()
            reply.flags |= dns.flags.TC
        return [reply]

    return script


class Unbound:
    """The real recursive resolver on a free loopback port; `zones` maps a name to the port of its name server."""

    def __init__(self, zones):
        self.port = support.free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="devstack-unbound-")
        stubs = "".join(f'stub-zone:\n name: "{name}"\n stub-addr: {LOOPBACK}@{port}\n' for name, port in zones.items())
        local = "".join(f' local-zone: "{name}" transparent\n domain-insecure: "{name}"\n' for name in zones)
        path = os.path.join(self.folder.name, "unbound.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'server:\n interface: {LOOPBACK}@{self.port}\n do-ip6: no\n username: ""\n chroot: ""\n'
                       f' directory: "{self.folder.name}"\n pidfile: ""\n use-syslog: no\n do-not-query-localhost: no\n'
                       f' module-config: "iterator"\n num-threads: 1\n root-hints: ""\n{local}'
                       f'remote-control:\n control-enable: no\n{stubs}')
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8")
        environment = dict(os.environ, PATH="/usr/sbin:/sbin:" + os.environ["PATH"])
        self.process = subprocess.Popen(["unbound", "-d", "-c", path], stdout=self.log, stderr=self.log, env=environment)

    def __enter__(self):
        def answers():
            return Asker("dig", self.port).ask("version.server", "TXT").rcode is not None

        support.wait_for(answers, "unbound answers", process=self.process)
        return self

    def __exit__(self, *_):
        support.stop(self.process)
        self.log.close()
        self.folder.cleanup()
