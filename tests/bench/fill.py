"""fill.py PORT KEYS INSTANCES: so many keys, ten below each prefix, and so many services of one instance with a check."""
import base64
import concurrent.futures
import http.client
import json
import sys

port, keys, instances = map(int, sys.argv[1:])
at_once = 64  # operations of a transaction, of which Consul takes no more
workers = 16


def put_all(requests):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for path, body in requests:
        connection.request("PUT", path, json.dumps(body))
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status} {text.decode()}")
    connection.close()


value = base64.b64encode(b"value of the key").decode()


def key_set(i):
    return {"KV": {"Verb": "set", "Key": f"app/section-{i // 10}/key-{i}", "Value": value}}


def registration(i):
    check = {"TTL": "1h", "Status": "passing"}
    return {"Name": f"service-{i}", "Address": "10.0.0.1", "Port": 80, "Check": check}


requests = [("/v1/txn", [key_set(i) for i in range(start, min(start + at_once, keys))]) for start in range(0, keys, at_once)]
requests += [("/v1/agent/service/register", registration(i)) for i in range(instances)]
with concurrent.futures.ThreadPoolExecutor(workers) as pool:
    list(pool.map(put_all, [requests[i::workers] for i in range(workers)]))
