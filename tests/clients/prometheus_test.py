#!/usr/bin/python3
"""Prometheus as Debian ships it, unmodified, finds its targets by SRV answers of a `devstack registry`, and scrapes the
registry itself. Debian builds it without consul_sd_configs: consul_sd_test.py is about those.
https://prometheus.io/docs/prometheus/latest/configuration/configuration/#dns_sd_config
"""
import json
import os
import subprocess
import unittest
import urllib.parse
import urllib.request

from support import Page, Registry, folder, free_port, stop, wait_for

# Prometheus asks the servers of /etc/resolv.conf, on port 53: it gets a file of its own that names only ours.
DNS = "127.0.53.1"
CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: dns
    dns_sd_configs: [{{names: [metrics.service.consul], refresh_interval: 1s}}]
  - job_name: tagged
    dns_sd_configs: [{{names: [blue.metrics.service.consul], refresh_interval: 1s}}]
  - job_name: devstack
    metrics_path: /v1/agent/metrics
    params: {{format: [prometheus]}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@unittest.skipUnless(os.geteuid() == 0, "port 53 and a resolv.conf of its own need root")
class PrometheusDiscovery(unittest.TestCase):
    def setUp(self):
        self.registry = self.entered(Registry(dns=f"{DNS}:53"))
        self.folder = self.entered(folder())
        self.port = free_port()
        self.write("prometheus.yml", CONFIGURATION.format(port=self.registry.http_port))
        self.write("resolv.conf", f"nameserver {DNS}\n")
        self.program = self.run_program([
            "unshare", "--mount", "sh", "-c",
            'mount --bind "$0/resolv.conf" /etc/resolv.conf && exec prometheus --config.file="$0/prometheus.yml" '
            '--storage.tsdb.path="$0/data" --web.listen-address="127.0.0.1:$1"', self.folder, str(self.port)])
        wait_for(lambda: self.get("/-/ready"), "Prometheus is ready", 60, self.program)

    def entered(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def run_program(self, command):
        with open(os.path.join(self.folder, "log"), "a") as log:
            program = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        self.addCleanup(stop, program)
        return program

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read()

    def up(self, job):
        """Ports of the job's healthy targets: SRV answers name hosts, not addresses."""
        active = json.loads(self.get("/api/v1/targets?state=active"))["data"]["activeTargets"]
        return {t["labels"]["instance"].rpartition(":")[2] for t in active
                if t["scrapePool"] == job and t["health"] == "up"}

    def value(self, expression):
        found = json.loads(self.get("/api/v1/query?query=" + urllib.parse.quote(expression)))["data"]["result"]
        return {r["metric"].get("color"): r["value"][1] for r in found}

    def register(self, service_id, page, *tags):
        self.addCleanup(page.close)
        self.registry.must("PUT", "/v1/agent/service/register", {
            "ID": service_id, "Name": "metrics", "Address": page.address, "Port": page.port, "Tags": tags,
            "Meta": {"team": "shop"}, "Check": {"TTL": "1h", "Status": "passing"}})

    def test_targets_come_are_scraped_and_go(self):
        pages = {color: Page(f'devstack_test{{color="{color}"}} 42\n') for color in ("blue", "green")}
        for color, page in pages.items():
            self.register("metrics-" + color, page, color)
        places = {color: str(page.port) for color, page in pages.items()}
        wait_for(lambda: self.up("dns") == set(places.values()), "both are up", 60)
        wait_for(lambda: self.value('devstack_test{job="dns"}') == {"blue": "42", "green": "42"}, "scraped", 30)
        wait_for(lambda: self.up("tagged") == {places["blue"]}, "the tag selects", 30)

        # One that fails its check is no target any more, nor is one that is deregistered.
        self.registry.must("PUT", "/v1/agent/check/fail/service:metrics-green")
        wait_for(lambda: self.up("dns") == {places["blue"]}, "the failing one leaves", 60)
        self.registry.must("PUT", "/v1/agent/service/deregister/metrics-blue")
        wait_for(lambda: not self.up("dns") and not self.up("tagged"), "the last one leaves", 60)

    def test_the_registry_itself_is_scraped(self):
        wait_for(lambda: self.up("devstack"), "the registry is a target", 60)
        wait_for(lambda: self.value('count({job="devstack", __name__=~"consul_.*"})'), "its values are there", 30)


if __name__ == "__main__":
    unittest.main(verbosity=2)
