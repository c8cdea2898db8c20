#!/usr/bin/env python3
"""What docker-compose 1.29 and devstack make of the same files, side by side, as `docker inspect` has it.

Usage: side_by_side_test.py DEVSTACK [CASE...]
Left out of the comparison is what the two mean to differ in: container names (`_` or `-` between the words), restarts
(devstack's supervisor does them, not the engine), the nameserver of containers, and the tools' own labels."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

DEVSTACK = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
PROJECT = "sidebyside%d" % os.getpid()
IMAGE = "devstack-sidebyside:%d" % os.getpid()
# The appliance is not what is compared: out of the way of everybody's ports.
APPLIANCE = """
x-devstack:
  registry: {http: 38517, bind: [loopback]}
  dns: {enabled: false}
  registrator: {enabled: false}
  proxy: {engine: none}
  ui: {enabled: false}
"""

CASES = {
    "words": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    environment: {A: "1", B: two words}
    labels: {purpose: test, "a.b": c}
    ports: ["127.0.0.1:38601:80", "38602-38603:90-91/udp"]
    expose: ["7000", "7001/udp"]
""",
    "identity": """
services:
  web:
    image: IMAGE
    entrypoint: ["/bin/busybox", "sleep"]
    command: ["1000"]
    hostname: here
    domainname: example.org
    user: "7:8"
    working_dir: /bin
    stop_signal: SIGKILL
    stop_grace_period: 3s
    tty: true
    stdin_open: true
    container_name: CONTAINER
""",
    "volumes": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    volumes:
      - data:/data
      - data:/again:ro
      - ./made:/made
      - ./made:/read-only:ro
      - /anonymous
      - {type: volume, source: other, target: /other, volume: {nocopy: true}}
      - {type: bind, source: ./made, target: /long, read_only: true}
      - {type: tmpfs, target: /scratch, tmpfs: {size: 1048576}}
    tmpfs: ["/run:size=1m"]
  donor:
    image: IMAGE
    command: sleep 1000
    volumes: [/donated]
  heir:
    image: IMAGE
    command: sleep 1000
    volumes_from: ["donor:ro"]
volumes:
  data: {}
  other: {labels: {purpose: test}}
""",
    "networks": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    networks:
      front: {aliases: [known-as, also]}
      back: {ipv4_address: 10.215.77.9}
  db:
    image: IMAGE
    command: sleep 1000
    networks: [back]
networks:
  front: {internal: true, labels: {purpose: test}}
  back:
    driver: bridge
    driver_opts: {com.docker.network.bridge.enable_icc: "true"}
    ipam: {config: [{subnet: 10.215.77.0/24}]}
""",
    "limits": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    mem_limit: 64m
    mem_reservation: 32m
    memswap_limit: 128m
    cpus: 0.5
    cpu_shares: 512
    cpuset: "0"
    pids_limit: 77
    oom_score_adj: 100
    shm_size: 8m
    ulimits: {nproc: 512, nofile: {soft: 100, hard: 200}}
""",
    "rights": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    cap_add: [NET_ADMIN]
    cap_drop: [NET_RAW, MKNOD]
    security_opt: ["no-new-privileges:true"]
    devices: ["/dev/null:/dev/nothing:rw", "/dev/zero"]
    group_add: ["99"]
    read_only: true
    init: true
    sysctls: {net.core.somaxconn: 77}
""",
    "namespaces": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    ipc: shareable
  child:
    image: IMAGE
    command: sleep 1000
    network_mode: service:web
    ipc: service:web
    depends_on: [web]
  host:
    image: IMAGE
    command: sleep 1000
    network_mode: host
    pid: host
  none:
    image: IMAGE
    command: sleep 1000
    network_mode: none
  bridge:
    image: IMAGE
    command: sleep 1000
    network_mode: bridge
""",
    "health": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    healthcheck: {test: ["CMD", "/bin/busybox", "true"], interval: 1s, timeout: 2s, retries: 4, start_period: 5s}
  text:
    image: IMAGE
    command: sleep 1000
    healthcheck: {test: /bin/busybox true, interval: 1s, timeout: 30s, retries: 3}
    depends_on: {web: {condition: service_healthy}}
  none:
    image: IMAGE
    command: sleep 1000
    healthcheck: {disable: true}
""",
    "names": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    links: ["db", "db:database"]
    dns_search: [example.org]
    dns_opt: ["ndots:2"]
    dns: [10.1.2.3]
    extra_hosts: ["other:10.1.2.4"]
  db:
    image: IMAGE
    command: sleep 1000
""",
    "logging": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    logging: {driver: json-file, options: {max-size: 1m, max-file: "2"}}
  quiet:
    image: IMAGE
    command: sleep 1000
    logging: {driver: none}
""",
    "scale": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    scale: 3
""",
    "build": """
services:
  web:
    build: {context: ./app, args: {WORD: given}, labels: {made: here}}
    command: sleep 1000
""",
    "secrets": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    secrets: [token, {source: token, target: other}]
secrets: {token: {file: ./token}}
""",
    "external": """
services:
  web:
    image: IMAGE
    command: sleep 1000
    networks: [outside]
    volumes: ["kept:/kept"]
networks: {outside: {external: true, name: PROJECT-outside}}
volumes: {kept: {external: true, name: PROJECT-kept}}
""",
}


def run(*argv, cwd=None, env=None, check=True):
    done = subprocess.run(argv, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=180, check=False)
    if check and done.returncode != 0:
        raise AssertionError("%s: exit code %d\n%s" % (" ".join(argv), done.returncode, done.stdout))
    return done.stdout


def listed(kind):
    out = run("docker", *kind, "-q", "--filter", "label=com.docker.compose.project=" + PROJECT)
    return out.split()


def inspected(ids, *kind):
    return json.loads(run("docker", *kind, "inspect", *ids)) if ids else []


def plain(value):
    """Without what is empty: an engine writes null, "", 0, [] and {} for one thing."""
    if isinstance(value, dict):
        kept = {key: plain(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if one not in (None, "", 0, False, [], {})}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def foreign(labels):
    ours = ("com.docker.compose.", "io.devstack.")
    return {key: value for key, value in (labels or {}).items() if not key.startswith(ours)}


class Names:
    """Container names and ids as `service-number`, the same for both tools."""

    def __init__(self, containers):
        self.known = {}
        for one in containers:
            labels = one["Config"]["Labels"]
            name = "%s-%s" % (labels["com.docker.compose.service"], labels["com.docker.compose.container-number"])
            self.known[one["Id"]] = self.known[one["Id"][:12]] = self.known[one["Name"].lstrip("/")] = name

    def __call__(self, text):
        for known, name in sorted(self.known.items(), key=lambda entry: -len(entry[0])):
            text = text.replace(known, name)
        return text


def mount_of(mount):
    anonymous = mount["Type"] == "volume" and re.fullmatch("[0-9a-f]{64}", mount.get("Name", ""))
    out = {key: mount.get(key) for key in ("Type", "Destination", "RW", "Propagation")}
    out["From"] = "anonymous" if anonymous else mount.get("Name") or mount.get("Source")
    return out


def endpoint_of(endpoint, names, container):
    aliases = [names(alias) for alias in endpoint["Aliases"] or []]
    own = names(container["Name"].lstrip("/"))
    return {"Aliases": sorted({alias for alias in aliases if alias != own}), "IPAMConfig": endpoint["IPAMConfig"],
            "Links": sorted({re.sub(r"_(\d+)$", r"-\1", names(link)) for link in endpoint["Links"] or []}), "DriverOpts": endpoint["DriverOpts"]}


def container_of(one, names):
    config, host = one["Config"], one["HostConfig"]
    image = json.loads(run("docker", "image", "inspect", one["Image"]))[0]["Config"]
    of_image = set(image.get("Env") or [])
    out = {key: config.get(key) for key in ("Cmd", "Entrypoint", "ExposedPorts", "User", "WorkingDir", "StopSignal",
                                             "Tty", "OpenStdin", "Healthcheck", "Domainname")}
    out["Hostname"] = "" if config["Hostname"] == one["Id"][:12] else names(config["Hostname"])
    out["Env"] = sorted(set(config["Env"] or []) - of_image)
    out["Labels"] = foreign(config["Labels"])
    out["StopTimeout"] = config.get("StopTimeout") or 10
    # The first four differ by intent or by the age of the API that 1.29 asks for; binds and mounts are below, as what
    # they became.
    dropped = {"RestartPolicy", "Dns", "CgroupnsMode", "IpcMode", "Binds", "Mounts", "ConsoleSize", "Links"}
    settings = {key: value for key, value in host.items() if key not in dropped}
    if host["IpcMode"].startswith(("container:", "host")):
        settings["IpcMode"] = host["IpcMode"]
    if host["Dns"] and "10.1.2.3" in host["Dns"]:
        settings["Dns"] = host["Dns"]
    for key in ("CapAdd", "CapDrop", "Ulimits", "Devices"):
        settings[key] = sorted(settings.get(key) or [], key=str)
    out["HostConfig"] = json.loads(names(json.dumps(plain(settings))))
    out["Mounts"] = sorted((mount_of(mount) for mount in one["Mounts"]), key=str)
    networks = one["NetworkSettings"]["Networks"]
    out["Networks"] = {name: endpoint_of(at, names, one) for name, at in networks.items()}
    return plain(out)


def network_of(one):
    out = {key: one[key] for key in ("Driver", "Options", "Internal", "EnableIPv6")}
    out["Labels"] = foreign(one["Labels"])
    # Without a subnet in the file the engine takes the next free one.
    pools = one["IPAM"]["Config"]
    out["Pools"] = [pool["Subnet"] for pool in pools if pool["Subnet"].startswith("10.215.")]
    return plain(out)


def picture():
    containers = inspected(listed(("ps", "-a")))
    names = Names(containers)
    return {
        "containers": {names(one["Name"].lstrip("/")): container_of(one, names) for one in containers},
        "networks": {one["Name"]: network_of(one) for one in inspected(listed(("network", "ls")), "network")},
        "volumes": {one["Name"]: plain({"Driver": one["Driver"], "Options": one["Options"],
                                         "Labels": foreign(one["Labels"])})
                    for one in inspected(listed(("volume", "ls")), "volume")},
    }


class SideBySide(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(root + "/bin")
            shutil.copy("/bin/busybox", root + "/bin/busybox")
            for name in ("sh", "sleep"):
                os.symlink("busybox", root + "/bin/" + name)
            tar = subprocess.run(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
            subprocess.run(["docker", "import", "-", IMAGE], input=tar, stdout=subprocess.DEVNULL, check=True)

    @classmethod
    def tearDownClass(cls):
        run("docker", "rmi", "-f", IMAGE, check=False)

    def compare(self, text):
        text = text.replace("IMAGE", IMAGE).replace("CONTAINER", PROJECT + "-given").replace("PROJECT", PROJECT)
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(folder + "/made")
            os.makedirs(folder + "/app")
            for name, content in (("token", "secret"),
                                  ("app/Dockerfile", "FROM %s\nARG WORD\nLABEL word=$WORD\n" % IMAGE),
                                  ("compose.yaml", text + APPLIANCE)):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                    out.write(content)
            for kind in ("network", "volume"):
                if PROJECT + "-" in text and "external" in text:
                    run("docker", kind, "create", PROJECT + ("-outside" if kind == "network" else "-kept"))
            try:
                theirs = self.of_compose(folder)
                ours = self.of_devstack(folder)
            finally:
                run("docker", "network", "rm", PROJECT + "-outside", check=False)
                run("docker", "volume", "rm", PROJECT + "-kept", check=False)
                run("docker", "rmi", "-f", PROJECT + "_web", PROJECT + "-web", check=False)
            self.assertTrue(theirs["containers"])
            self.assertEqual(theirs, ours)

    def of_compose(self, folder):
        compose = ["docker-compose", "-p", PROJECT, "-f", folder + "/compose.yaml"]
        try:
            run(*compose, "up", "-d", cwd=folder)
            return picture()
        finally:
            run(*compose, "down", "-v", "-t", "0", cwd=folder)

    def of_devstack(self, folder):
        env = dict(os.environ, DEVSTACK_STATE_DIR=folder + "/state")
        devstack = [DEVSTACK, "-p", PROJECT, "-f", folder + "/compose.yaml"]
        try:
            run(*devstack, "up", cwd=folder, env=env)
            return picture()
        finally:
            run(*devstack, "down", "-t", "0", cwd=folder, env=env)
            for volume in listed(("volume", "ls")):
                run("docker", "volume", "rm", volume)


def add_case(name, text):
    setattr(SideBySide, "test_" + name, lambda self: self.compare(text))


for case_name, case_text in CASES.items():
    add_case(case_name, case_text)

if __name__ == "__main__":
    if shutil.which("docker-compose") is None:
        print("docker-compose is not installed")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0]] + ["SideBySide.test_" + name for name in sys.argv[2:]])
