// Compose's rules for several files: what each pair becomes is what `docker compose -f a -f b config` makes of it.
#include "core/stack/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/stack/print_tree.h"
#include "tests/unit/stack/load.h"

namespace devstack::stack {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Node tree(std::string_view text, std::string_view file) {
  Diagnostics report;
  auto node = read_yaml(text, file, report);
  EXPECT_TRUE(node) << node.error().to_string();
  EXPECT_FALSE(report.failed());
  return node ? std::move(*node) : Node();
}

/// Both as they print once merged, so that a test may write what it expects as it likes.
std::string merged(std::string_view base, std::string_view over) {
  Diagnostics report;
  auto node = merge_files(tree(base, "a.yaml"), tree(over, "b.yaml"), report);
  EXPECT_FALSE(report.failed()) << report.error().to_string();
  apply_tags(node);
  return print_tree(node);
}

std::string normal(std::string_view text) { return print_tree(tree(text, "expected.yaml")); }

/// One key of one service in two files, and what it becomes.
struct Case {
  std::string_view name, base, over, expected;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

class ServiceKey : public testing::TestWithParam<Case> {};

TEST_P(ServiceKey, MergesAsComposeDoes) {
  const auto in_file = [](std::string_view key) { return fmt::format("services: {{web: {{{}}}}}", key); };
  EXPECT_EQ(merged(in_file(GetParam().base), in_file(GetParam().over)), normal(in_file(GetParam().expected)));
}

constexpr Case kCases[] = {
    {"Scalar", "image: a", "image: b", "image: b"},
    {"NewKey", "image: a", "hostname: h", "image: a, hostname: h"},
    {"Nothing", "image: a, ports: [80]", "ports: ", "image: a, ports: [80]"},
    {"ScalarByNothing", "user: u", "user: ", "user: "},
    {"Command", "command: [a, b]", "command: [c]", "command: [c]"},
    {"CommandOfAnotherForm", "command: a b", "command: [c]", "command: [c]"},
    {"CommandByNothing", "command: [a]", "command: ", "command: "},
    {"Entrypoint", "entrypoint: [a]", "entrypoint: b", "entrypoint: b"},
    {"HealthcheckTest", "healthcheck: {test: [CMD, a], interval: 5s}", "healthcheck: {test: b, retries: 2}",
     "healthcheck: {test: b, interval: 5s, retries: 2}"},
    {"EnvironmentMaps", "environment: {A: 1, B: 2}", "environment: {B: 3, C: 4}", "environment: {A: 1, B: 3, C: 4}"},
    {"EnvironmentLists", "environment: [A=1, B=2]", "environment: [B=3, C]", "environment: {A: \"1\", B: \"3\", C: }"},
    {"EnvironmentMapAndList", "environment: {A: 1, B: 2}", "environment: [\"B=x=y\"]",
     "environment: {A: 1, B: \"x=y\"}"},
    {"EnvironmentEmptyValue", "environment: [A=1]", "environment: [A=]", "environment: {A: \"\"}"},
    {"Labels", "labels: [a=1, b]", "labels: {a: 2}", "labels: {a: 2, b: }"},
    {"Annotations", "annotations: [a=1]", "annotations: {b: 2}", "annotations: {a: \"1\", b: 2}"},
    {"Sysctls", "sysctls: {net.x: 1}", "sysctls: [net.x=0]", "sysctls: {net.x: \"0\"}"},
    {"ExtraHosts", "extra_hosts: [\"a:10.0.0.1\", \"b=::1\"]", "extra_hosts: {a: 10.0.0.2}",
     "extra_hosts: [\"a=10.0.0.1\", \"b=::1\", \"a=10.0.0.2\"]"},
    {"ExtraHostsOnceEach", "extra_hosts: {a: 10.0.0.1}", "extra_hosts: {b: 10.0.0.3, a: [10.0.0.1, 10.0.0.2]}",
     "extra_hosts: [\"a=10.0.0.1\", \"b=10.0.0.3\", \"a=10.0.0.2\"]"},
    {"BuildShortAndLong", "build: ./dir", "build: {args: [A=1]}", "build: {context: ./dir, args: [A=1]}"},
    {"BuildLongAndShort", "build: {context: ./a, target: t}", "build: ./b", "build: {context: ./b, target: t}"},
    {"BuildArgs", "build: {args: {A: 1}}", "build: {args: [A=2, B=3]}", "build: {args: {A: \"2\", B: \"3\"}}"},
    {"VolumesByTarget", "volumes: [\"./a:/data\", \"v:/other:ro\"]", "volumes: [\"./b:/data:ro\", /anonymous]",
     "volumes: [\"./b:/data:ro\", \"v:/other:ro\", /anonymous]"},
    {"VolumesLongAndShort", "volumes: [{type: bind, source: ./a, target: /data}]", "volumes: [\"v:/data\"]",
     "volumes: [\"v:/data\"]"},
    {"DevicesByTarget", "devices: [\"/dev/a:/dev/x\"]", "devices: [\"/dev/b:/dev/x:r\", /dev/c]",
     "devices: [\"/dev/b:/dev/x:r\", /dev/c]"},
    {"Ports", "ports: [\"80:80\", \"443:443\"]", "ports: [\"80:80\", \"81:80\", \"80:80/udp\"]",
     "ports: [\"80:80\", \"443:443\", \"81:80\", \"80:80/udp\"]"},
    {"PortsLongAndShort", "ports: [\"8080:80\"]", "ports: [{target: 80, published: \"8080\", name: web}]",
     "ports: [{target: 80, published: \"8080\", name: web}]"},
    {"PortsOfAddresses", "ports: [\"127.0.0.1:80:80\"]", "ports: [\"80:80\", \"0.0.0.0:80:80\"]",
     "ports: [\"127.0.0.1:80:80\", \"0.0.0.0:80:80\"]"},
    {"PortsRange", "ports: [\"8000-8001:80\"]", "ports: [\"8000-8001:80\"]", "ports: [\"8000-8001:80\"]"},
    {"Expose", "expose: [80]", "expose: [\"80\", 81]", "expose: [\"80\", 81]"},
    {"SecretsByTarget", "secrets: [s, t]", "secrets: [{source: other, target: s}]",
     "secrets: [{source: other, target: s}, t]"},
    {"ConfigsByTarget", "configs: [c]", "configs: [{source: d, target: /c}, e]",
     "configs: [{source: d, target: /c}, e]"},
    {"Dns", "dns: 1.1.1.1", "dns: [8.8.8.8, 1.1.1.1]", "dns: [1.1.1.1, 8.8.8.8]"},
    {"DnsSearch", "dns_search: [a, b]", "dns_search: b", "dns_search: [a, b]"},
    {"Tmpfs", "tmpfs: /run", "tmpfs: /tmp", "tmpfs: [/run, /tmp]"},
    {"EnvFile", "env_file: a.env", "env_file: [b.env, {path: a.env, required: false}]",
     "env_file: [{path: a.env, required: false}, b.env]"},
    {"CapAdd", "cap_add: [A]", "cap_add: [A, B]", "cap_add: [A, B]"},
    {"Profiles", "profiles: [x]", "profiles: [x, y]", "profiles: [x, y]"},
    {"LoggingOfTheSameDriver", "logging: {driver: json-file, options: {a: 1, b: 2}}",
     "logging: {driver: json-file, options: {b: 3}}", "logging: {driver: json-file, options: {a: 1, b: 3}}"},
    {"LoggingWithoutADriver", "logging: {driver: json-file, options: {a: 1}}", "logging: {options: {b: 3}}",
     "logging: {driver: json-file, options: {a: 1, b: 3}}"},
    {"LoggingOfAnotherDriver", "logging: {driver: json-file, options: {a: 1}}", "logging: {driver: syslog}",
     "logging: {driver: syslog}"},
    {"NetworkLists", "networks: [a, b]", "networks: [b, c]", "networks: {a: , b: , c: }"},
    {"NetworkListAndMap", "networks: [a, b]", "networks: {b: {aliases: [x]}}", "networks: {a: , b: {aliases: [x]}}"},
    {"NetworkMapAndList", "networks: {b: {aliases: [x]}}", "networks: [a, b]", "networks: {b: {aliases: [x]}, a: }"},
    {"NetworkAliases", "networks: {a: {aliases: [x]}}", "networks: {a: {aliases: [y, x], priority: 1}}",
     "networks: {a: {aliases: [x, y], priority: 1}}"},
    {"DependsOnLists", "depends_on: [a]", "depends_on: [b]",
     "depends_on: {a: {condition: service_started}, b: {condition: service_started}}"},
    {"DependsOnMapAndList", "depends_on: {a: {condition: service_healthy, restart: true}}", "depends_on: [a]",
     "depends_on: {a: {condition: service_started, restart: true}}"},
    {"Ulimits", "ulimits: {nofile: 1, nproc: {soft: 1, hard: 2}}", "ulimits: {nofile: {soft: 3, hard: 4}, nproc: 5}",
     "ulimits: {nofile: {soft: 3, hard: 4}, nproc: 5}"},
    {"Deploy", "deploy: {replicas: 1, labels: [a=1]}", "deploy: {resources: {limits: {cpus: 1}}, labels: {a: 2}}",
     "deploy: {replicas: 1, labels: {a: 2}, resources: {limits: {cpus: 1}}}"},
    {"HooksAppend", "post_start: [{command: a}]", "post_start: [{command: b}]",
     "post_start: [{command: a}, {command: b}]"},
    {"StepsAppend", "pre_start: [{command: a}]", "pre_start: [{command: b}]",
     "pre_start: [{command: a}, {command: b}]"},
    {"XProcess", "x-process: {command: [a], port: 1}", "x-process: {command: [b]}",
     "x-process: {command: [b], port: 1}"},
    {"ExtensionsMerge", "x-own: {a: [1]}", "x-own: {a: [2], b: 3}", "x-own: {a: [1, 2], b: 3}"},
    {"Reset", "image: a, ports: [80]", "ports: !reset []", "image: a"},
    {"ResetOfOneVariable", "environment: {A: 1, B: 2}", "environment: {A: !reset null}", "environment: {B: 2}"},
    {"ResetOfWhatIsNotThere", "image: a", "ports: !reset []", "image: a"},
    {"Override", "ports: [80, 81]", "ports: !override [90]", "ports: [90]"},
    {"OverrideOfAMap", "environment: {A: 1}", "environment: !override {B: 2}", "environment: {B: 2}"},
};

INSTANTIATE_TEST_SUITE_P(Merge, ServiceKey, testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Merge, TopLevelKeysMerge) {
  EXPECT_EQ(
      merged("name: a\nservices: {x: {image: i}}\nvolumes: {v: {labels: [a=1]}}\n"
             "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/16}, {subnet: 10.2.0.0/16, gateway: 10.2.0.1}]}}}\n",
             "name: b\nservices: {y: {image: j}}\nvolumes: {v: {labels: {b: 2}}, w: }\n"
             "networks: {n: {ipam: {config: [{subnet: 10.2.0.0/16, ip_range: 10.2.1.0/24}]}}}\n"),
      normal("name: b\nservices: {x: {image: i}, y: {image: j}}\nvolumes: {v: {labels: {a: \"1\", b: 2}}, w: }\n"
             "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/16}, "
             "{subnet: 10.2.0.0/16, gateway: 10.2.0.1, ip_range: 10.2.1.0/24}]}}}\n"));
}

TEST(Merge, AServiceCanBeReset) {
  EXPECT_EQ(merged("services: {a: {image: x}, b: {image: y}}", "services: {a: !reset {}}"),
            normal("services: {b: {image: y}}"));
}

TEST(Merge, OurListsOfAddressesAreReplaced) {
  EXPECT_EQ(merged("dns: {bind: [bridge, loopback], records: {a.test: 10.0.0.1}}",
                   "dns: {bind: [loopback], records: {b.test: 10.0.0.2}}"),
            normal("dns: {bind: [loopback], records: {a.test: 10.0.0.1, b.test: 10.0.0.2}}"));
}

TEST(Merge, TemplatesAreUniqueByDestination) {
  EXPECT_EQ(merged("templates: [{source: a, destination: o}]",
                   "templates: [{source: b, destination: o}, {source: c, "
                   "destination: p}]"),
            normal("templates: [{source: b, destination: o}, {source: c, destination: p}]"));
}

TEST(Merge, AListAndAMapAreAnErrorThatNamesBothPlaces) {
  Diagnostics report;
  merge_files(tree("services:\n  web:\n    ports: [80]\n", "a.yaml"),
              tree("services: {web: {ports: {a: b}}}", "b.yaml"), report);
  ASSERT_TRUE(report.failed());
  EXPECT_EQ(report.error().to_string(),
            "b.yaml:1:25: services.web.ports: expected a list as in a.yaml:3:12, found a map");
}

TEST(Merge, EveryValueKeepsItsPlace) {
  Diagnostics report;
  const auto node =
      merge_files(tree("services:\n  web:\n    image: a\n    environment: [A=1]\n", "a.yaml"),
                  tree("services:\n  web:\n    environment:\n      - B=2\n    user: u\n", "b.yaml"), report);
  const Node& web = *node.find("services")->find("web");
  EXPECT_EQ(web.find("image")->at.to_string(), "a.yaml:3:12");
  EXPECT_EQ(web.find("user")->at.to_string(), "b.yaml:5:11");
  EXPECT_EQ(web.find("environment")->find("A")->at.to_string(), "a.yaml:4:19");
  EXPECT_EQ(web.find("environment")->find("B")->at.to_string(), "b.yaml:4:9");
}

Result<StackFile> read_both(std::string_view base, std::string_view over, Environment environment = {}) {
  LoadOptions options;
  options.cwd = "/project";
  options.environment = std::move(environment);
  return parse({{"a.yaml", std::string(base)}, {"b.yaml", std::string(over)}}, options);
}

TEST(SeveralFiles, AreFilledInBeforeTheyAreMerged) {
  const auto file = read_both("services: {web: {image: \"$A\", environment: [\"K=$A\"]}}",
                              "services: {web: {environment: [\"${B}=2\", \"L=$$x\"]}}", {{"A", "one"}, {"B", "K"}});
  ASSERT_TRUE(file) << file.error().to_string();
  const auto& web = file->services.at("web");
  EXPECT_EQ(web.image, "one");
  EXPECT_EQ(web.environment, (TextMap{{"K", "2"}, {"L", "$x"}}));
}

TEST(SeveralFiles, TheLastNameCounts) {
  EXPECT_EQ(read_both("name: one", "name: two")->project, "two");
  EXPECT_EQ(read_both("name: one", "services: {}")->project, "one");
  EXPECT_EQ(read_both("name: one", "name: two", {{"COMPOSE_PROJECT_NAME", "three"}})->project, "three");
}

TEST(SeveralFiles, TheProjectsNameIsAVariable) {
  const auto file = read_both("name: one", "services: {web: {image: \"i:$COMPOSE_PROJECT_NAME\"}}");
  EXPECT_EQ(file->services.at("web").image, "i:one");
}

TEST(SeveralFiles, AllThatIsWrongIsSaidInTheirOrder) {
  const auto file = read_both("services:\n  web:\n    image: a\n    bogus: 1\n    scale: many\n",
                              "services:\n  web:\n    restart: sometimes\n  db: {image: 1, prots: []}\n");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().to_string(),
            "a.yaml:4:5: services.web: unknown key \"bogus\"\n"
            "a.yaml:5:12: services.web.scale: expected a number from 0 to 1000, found \"many\"\n"
            "b.yaml:3:14: services.web.restart: expected no, always, on-failure[:n] or unless-stopped, found "
            "\"sometimes\"\n"
            "b.yaml:4:18: services.db: unknown key \"prots\"; did you mean \"ports\"?");
}

TEST(SeveralFiles, ASyntaxErrorHidesNoErrorOfAnother) {
  const auto file = read_both("services: [", "services: {web: {image: a, bogus: 1}}");
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().to_string(), HasSubstr("a.yaml:1:1: YAML syntax"));
  EXPECT_THAT(file.error().to_string(), HasSubstr("b.yaml:1:28: services.web: unknown key \"bogus\""));
}

TEST(SeveralFiles, OneOfThemMayBeEmpty) {
  EXPECT_TRUE(read_both("services: {a: {image: x}}", "# nothing yet\n"));
  EXPECT_EQ(read_both("", "# nothing\n").error().to_string(), "a.yaml:1:1: the file is empty");
}

TEST(SeveralFiles, PortIsTheProcesssOnlyWhereTheServiceIsAProcess) {
  const auto file = read_both("services: {web: {image: i}, worker: {command: \"w $PORT $$PORT\"}}",
                              "services: {web: {command: \"w $PORT $$PORT\"}}", {{"PORT", "80"}});
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(file->services.at("web").command, ElementsAre("w", "80", "$PORT"));
  EXPECT_THAT(file->services.at("worker").process->command, ElementsAre("/bin/sh", "-c", "w $PORT $PORT"));
}

TEST(SeveralFiles, OurKeysMeetUnderXDevstackToo) {
  const auto file = read_both("x-devstack: {dns: {port: 8600}}", "dns: {only_passing: true}");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->dns.port, 8600);
  EXPECT_TRUE(file->dns.only_passing);
}

TEST(SeveralFiles, TagsMeanNothingInOneFile) {
  const auto file = test::read("services: {web: {image: a, ports: !reset [\"80\"], expose: !override [\"81\"]}}");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_TRUE(file->services.at("web").ports.empty());
  EXPECT_THAT(file->services.at("web").expose, ElementsAre("81"));
}

}  // namespace
}  // namespace devstack::stack
