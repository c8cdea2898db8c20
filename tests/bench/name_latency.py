#!/usr/bin/env python3
"""From Docker's start event until the container's name answers over DNS, 20 containers, one after the other.

Prints a row of tests/bench/run: the median in ms, beside the time between `docker run` and that event in the same runs.
"""
import json, socket, statistics, struct, subprocess, sys, threading, time


def question(name):
    labels = b''.join(bytes([len(part)]) + part.encode() for part in name.split('.'))
    return struct.pack('>HHHHHH', 7, 0x0100, 1, 0, 0, 0) + labels + b'\0' + struct.pack('>HH', 1, 1)


def answered(sock, name):
    sock.sendto(question(name), ('127.0.0.1', 53))
    reply = sock.recv(512)
    return struct.unpack('>H', reply[6:8])[0] > 0


def main():
    started = {}
    arrived = threading.Event()
    events = subprocess.Popen(['docker', 'events', '--filter', 'event=start', '--format', '{{json .}}'],
                              stdout=subprocess.PIPE, text=True)

    def listen():
        for line in events.stdout:
            event = json.loads(line)
            started[event['Actor']['Attributes']['name']] = event['timeNano'] / 1e9
            arrived.set()

    threading.Thread(target=listen, daemon=True).start()
    time.sleep(1)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(1)
    to_name, to_event = [], []
    try:
        for number in range(20):
            name = 'benchname%d' % number
            subprocess.run(['docker', 'rm', '-f', name], capture_output=True)
            begun = time.time()
            run = subprocess.Popen(['docker', 'run', '-d', '--name', name, '-e', 'SERVICE_NAME=' + name, 'devstack/hello'],
                                   stdout=subprocess.DEVNULL)
            limit = begun + 20
            while not answered(sock, name + '.service.consul') and time.time() < limit:
                pass
            seen = time.time()
            run.wait()
            while name not in started and time.time() < limit:
                arrived.wait(0.1)
                arrived.clear()
            to_name.append((seen - started[name]) * 1000)
            to_event.append((started[name] - begun) * 1000)
            subprocess.run(['docker', 'rm', '-f', name], capture_output=True)
    finally:
        events.kill()
    ours, gap = statistics.median(to_name), statistics.median(to_event)
    print('%-34s %14s %14s   %s' % ('name: start event to DNS answer', '%.1f ms' % ours, '%.0f ms' % gap,
                                    'ratio %.3f to docker run until the event, p50 of 20 (max %.1f ms)' % (ours / gap, max(to_name))))


sys.exit(main())
