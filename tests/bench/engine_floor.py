"""engine_floor.py up|down N: the engine's own time for N containers of devstack/hello on a network of their own, asked for
all at once over its socket, in milliseconds: what no program that uses it can go below."""
import concurrent.futures
import http.client
import json
import socket
import sys
import time

engine = "/var/run/docker.sock"
network = "benchfloor"


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(engine)


def ask(method, path, body=None):
    connection = Connection("localhost")
    connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 300:
        sys.exit(f"{method} {path}: {answer.status} {text.decode()}")


def start(i):
    body = {"Image": "devstack/hello", "HostConfig": {"NetworkMode": network}}
    ask("POST", f"/containers/create?name={network}{i}", body)
    ask("POST", f"/containers/{network}{i}/start")


def remove(i):
    ask("POST", f"/containers/{network}{i}/stop")
    ask("DELETE", f"/containers/{network}{i}")


what, count = sys.argv[1], int(sys.argv[2])
began = time.monotonic()
with concurrent.futures.ThreadPoolExecutor(count) as pool:
    if what == "up":
        ask("POST", "/networks/create", {"Name": network})
        list(pool.map(start, range(count)))
    else:
        list(pool.map(remove, range(count)))
        ask("DELETE", f"/networks/{network}")
print(round((time.monotonic() - began) * 1000))
