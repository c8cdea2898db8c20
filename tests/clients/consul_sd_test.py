#!/usr/bin/python3
"""Prometheus and VictoriaMetrics as Debian ships them, unmodified, find their targets through a `devstack registry` by the
same consul_sd_configs. Debian builds Prometheus without Consul since its release 12, so this one is of 11
(install_from_debian11); what Debian's current one can do is in prometheus_test.py.
https://prometheus.io/docs/prometheus/latest/configuration/configuration/#consul_sd_config
"""
import json
import os
import subprocess
import unittest
import urllib.parse
import urllib.request

from support import Page, Registry, folder, free_port, stop, wait_for

CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: all
    consul_sd_configs: [{{server: "127.0.0.1:{port}"{each}}}]
    relabel_configs: [{{source_labels: [__meta_consul_service], regex: consul, action: drop}}]
  - job_name: named
    consul_sd_configs: [{{server: "127.0.0.1:{port}"{each}, services: [metrics]}}]
    relabel_configs: [{{source_labels: [__meta_consul_health], target_label: health}}]
  - job_name: blue
    consul_sd_configs: [{{server: "127.0.0.1:{port}"{each}, services: [metrics], tags: [blue]}}]
  - job_name: rack2
    consul_sd_configs: [{{server: "127.0.0.1:{port}"{each}, node_meta: {{rack: r2}}}}]
"""


class ConsulDiscovery:
    """What a program must do that reads CONFIGURATION; a subclass says how it is run."""
    # More keys of each consul_sd_config, and the path that says it is ready.
    each = ""
    ready = None

    @classmethod
    def command(cls, path):
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        cls.registry = cls.entered(Registry())
        path = cls.entered(folder())
        cls.port = free_port()
        with open(os.path.join(path, "scrape.yml"), "w") as file:
            file.write(CONFIGURATION.format(port=cls.registry.http_port, each=cls.each))
        with open(os.path.join(path, "log"), "w") as log:
            cls.program = subprocess.Popen(cls.command(path), stdout=log, stderr=log, cwd=path)
        cls.addClassCleanup(stop, cls.program)
        wait_for(lambda: cls.get(cls.ready), f"{cls.__name__} is up", 60, cls.program)

    @classmethod
    def entered(cls, context):
        value = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        return value

    @classmethod
    def get(cls, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{cls.port}{path}", timeout=10) as answer:
            return answer.read()

    def targets(self, job):
        """Active targets of a job, by service id."""
        active = json.loads(self.get("/api/v1/targets?state=active"))["data"]["activeTargets"]
        return {t["discoveredLabels"]["__meta_consul_service_id"]: t for t in active if t["scrapePool"] == job}

    def value(self, expression):
        query = "/api/v1/query?nocache=1&query=" + urllib.parse.quote(expression)
        return {r["metric"].get("color"): r["value"][1] for r in json.loads(self.get(query))["data"]["result"]}

    def register(self, service_id, page, *tags):
        self.addCleanup(page.close)
        self.registry.must("PUT", "/v1/agent/service/register", {
            "ID": service_id, "Name": "metrics", "Address": page.address, "Port": page.port, "Tags": tags,
            "Meta": {"team": "shop"}, "Check": {"TTL": "1h", "Status": "passing"}})
        self.addCleanup(self.registry.must, "PUT", "/v1/agent/service/deregister/" + service_id)

    def test_targets_come_with_their_labels_are_scraped_and_go(self):
        for color in ("blue", "green"):
            self.register("metrics-" + color, Page(f'devstack_test{{color="{color}"}} 42\n'), color)
        both = {"metrics-blue", "metrics-green"}
        wait_for(lambda: self.targets("named").keys() == both == self.targets("all").keys()
                 and all(t["health"] == "up" for t in self.targets("named").values()), "both are up", 60)
        blue = self.targets("named")["metrics-blue"]
        expected = {
            "service": "metrics", "service_id": "metrics-blue", "tags": ",blue,", "node": "node1", "dc": "dc1",
            "address": "127.0.0.1", "service_address": "127.0.0.1", "health": "passing",
            "service_metadata_team": "shop", "tagged_address_lan": "127.0.0.1",
        }
        self.assertLessEqual({"__meta_consul_" + k: v for k, v in expected.items()}.items(),
                             blue["discoveredLabels"].items())
        self.assertEqual(blue["labels"]["instance"], "127.0.0.1:" + blue["discoveredLabels"]["__meta_consul_service_port"])
        wait_for(lambda: self.value('devstack_test{job="named"}') == {"blue": "42", "green": "42"}, "scraped", 30)

        # A tag selects, and a health that changed arrives as a label.
        wait_for(lambda: self.targets("blue").keys() == {"metrics-blue"}, "the tag selects", 30)
        self.registry.must("PUT", "/v1/agent/check/fail/service:metrics-green")
        wait_for(lambda: self.targets("named")["metrics-green"]["labels"]["health"] == "critical",
                 "the health arrives", 60)

        self.registry.must("PUT", "/v1/agent/service/deregister/metrics-blue")
        wait_for(lambda: self.targets("named").keys() == {"metrics-green"} and not self.targets("blue"),
                 "the deregistered one leaves", 60)
        self.registry.must("PUT", "/v1/agent/service/deregister/metrics-green")
        wait_for(lambda: not self.targets("named") and not self.targets("all"), "the last one leaves", 60)

    def test_node_meta_selects(self):
        for number, rack in enumerate(("r1", "r2")):
            # Of its own address: targets that cannot be told apart are one.
            page = Page('devstack_test{color="grey"} 1\n', f"127.0.0.{3 + number}")
            self.addCleanup(page.close)
            self.registry.must("PUT", "/v1/catalog/register", {
                "Node": "ext-" + rack, "Address": page.address, "NodeMeta": {"rack": rack},
                "Service": {"ID": "far-" + rack, "Service": "far", "Port": page.port}})
            self.addCleanup(self.registry.must, "PUT", "/v1/catalog/deregister", {"Node": "ext-" + rack})
        wait_for(lambda: {"far-r1", "far-r2"} <= self.targets("all").keys(), "both nodes are found", 60)
        wait_for(lambda: self.targets("rack2").keys() == {"far-r2"}
                 and self.targets("rack2")["far-r2"]["health"] == "up", "one of them by its meta", 60)
        labels = self.targets("rack2")["far-r2"]["discoveredLabels"]
        self.assertEqual((labels["__meta_consul_metadata_rack"], labels["__address__"]),
                         ("r2", f"{page.address}:{page.port}"))


class VictoriaMetrics(ConsulDiscovery, unittest.TestCase):
    ready = "/health"

    @classmethod
    def command(cls, path):
        return ["victoria-metrics", f"-promscrape.config={path}/scrape.yml", f"-storageDataPath={path}/data",
                f"-httpListenAddr=127.0.0.1:{cls.port}", "-promscrape.consulSDCheckInterval=1s",
                "-promscrape.suppressScrapeErrors", "-search.latencyOffset=0s"]


class Prometheus(ConsulDiscovery, unittest.TestCase):
    each = ", refresh_interval: 1s"
    ready = "/-/ready"

    @classmethod
    def command(cls, path):
        return [os.environ["PROMETHEUS"], f"--config.file={path}/scrape.yml", f"--storage.tsdb.path={path}/data",
                f"--web.listen-address=127.0.0.1:{cls.port}"]


if __name__ == "__main__":
    unittest.main(verbosity=2)
