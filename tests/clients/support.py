"""What the tests of real clients share: a `devstack registry` of their own, free ports, waiting, little web servers."""
import contextlib
import http.client
import http.server
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time


def free_port():
    """A port that is free for TCP and UDP on loopback. It lies below the range that outgoing connections get theirs from:
    a client that knocks while a registry is being restarted could otherwise be given that very port."""
    for _ in range(1000):
        port = random.SystemRandom().randrange(15000, 32000)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            # As the registry binds: what only lingers in TIME_WAIT is free.
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port
    raise AssertionError("no free port")


def wait_for(condition, text, seconds=30, process=None):
    """Polls until `condition()` is true and returns what it returned; an exception of its counts as not yet."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
            last = value
        except (OSError, http.client.HTTPException, ValueError, KeyError, IndexError, AssertionError) as error:
            last = error
        if process is not None and process.poll() is not None:
            raise AssertionError(f"{text}: the program ended with {process.returncode}")
        time.sleep(0.02)
    raise AssertionError(f"{text}: not within {seconds} s; last: {last!r}")


def stop(process):
    """Ends a program, by force when it does not listen."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Registry:
    """A `devstack registry` on ports of its own. `flags` are added; without `data_dir` it is ephemeral.
    `dns` is another place to answer DNS at."""

    def __init__(self, *flags, data_dir=None, node="node1", dns=None):
        binary = os.environ.get("DEVSTACK", "build/release/devstack")
        self.http_port, self.dns_port = free_port(), free_port()
        self.node = node
        self.command = [binary, "registry", "--node", node, "--http", f"127.0.0.1:{self.http_port}",
                        "--dns", dns or f"127.0.0.1:{self.dns_port}", *flags]
        self.command += ["--data-dir", data_dir] if data_dir else ["--ephemeral"]
        self.process = None

    def __enter__(self):
        self.start()
        self.wait_ready()
        return self

    def __exit__(self, *_):
        stop(self.process)

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)

    def wait_ready(self):
        wait_for(lambda: self.request("GET", "/v1/status/leader")[0] == 200, "the registry answers",
                 process=self.process)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def request(self, method, path, body=None, timeout=30):
        """Status, headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def must(self, method, path, value=None):
        """The decoded answer; `value` is sent as JSON."""
        status, _, body = self.request(method, path, None if value is None else json.dumps(value))
        if status != 200:
            raise AssertionError(f"{method} {path}: {status} {body.decode()}")
        return json.loads(body) if body else None


class Page(http.server.ThreadingHTTPServer):
    """A little web server on a free port of `address` that answers every GET with `text`, from its own threads."""

    def __init__(self, text, address="127.0.0.1"):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = text.encode()
                # A health check may hang up once it has the status.
                with contextlib.suppress(ConnectionError):
                    self.send_response(200)
                    self.send_header("Content-Type", "text/plain; version=0.0.4")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.daemon_threads = True
        super().__init__((address, 0), Handler)
        self.address, self.port = self.server_address
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a connection that broke

    def close(self):
        self.shutdown()
        self.server_close()


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="devstack-clients-") as path:
        yield path
