"""grpc.health.v1.Health by hand, on a free loopback port that goes to PORT_FILE: "" and "up" serve, "down" does not,
"stuck" never answers, "wordy" answers with 80 KB of fields, anything else is not found. With KEY and CERTIFICATE it speaks TLS."""
import os
import sys
import threading
from concurrent import futures

import grpc

STATUSES = {b"": 1, b"up": 1, b"down": 2}


def check(request, context):
    # Field 1, the name, of a HealthCheckRequest.
    service = request[2:] if request else b""
    if service == b"stuck":
        threading.Event().wait(60)
    if service == b"wordy":
        context.send_initial_metadata((("a", "x" * 40000),))
        context.set_trailing_metadata((("b", "y" * 40000),))
        return bytes([8, 1])
    if service not in STATUSES:
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    return bytes([8, STATUSES[service]])


def main():
    port_file, key_pair = sys.argv[1], sys.argv[2:]
    server = grpc.server(futures.ThreadPoolExecutor(4))
    handler = grpc.unary_unary_rpc_method_handler(check)
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler})])
    if key_pair:
        pair = tuple(open(path, "rb").read() for path in key_pair)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with open(port_file + ".new", "w") as out:
        out.write(str(port))
    os.rename(port_file + ".new", port_file)
    server.wait_for_termination(300)


main()
