#include "core/stack/stack_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/stack/pull_policy.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/stack/load.h"

namespace devstack::stack {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

/// The only service of a file.
ServiceSpec service(std::string_view body, Environment environment = {}) {
  const auto file = test::read(fmt::format("services:\n  web:\n    {}\n", body), std::move(environment));
  if (!file) {
    ADD_FAILURE() << file.error().to_string();
    return {};
  }
  return file->services.at("web");
}

ServiceSpec container(std::string_view key_and_value) {
  return service(fmt::format("image: nginx\n    {}", key_and_value));
}

TEST(StackFile, ReadsThePlainestComposeFile) {
  const auto file = test::read("services:\n  web:\n    image: nginx:1.25\n");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->project, "project");
  EXPECT_EQ(file->services.at("web").image, "nginx:1.25");
  EXPECT_EQ(file->services.at("web").at, (SourcePos{"stack.yaml", 2, 3}));
  EXPECT_TRUE(file->warnings.empty());
}

TEST(StackFile, ReadsEveryComponent) {
  const auto file = test::read(R"(
name: demo
bridge: br0
registry: {engine: embedded, node: n1, datacenter: dc2, http: 8501, bind: loopback,
           advertise: 10.0.0.9, ephemeral: true, enable_script_checks: true, kv: {a/b: 1, c: }}
dns: {port: 8600, recursors: ["1.1.1.1", "10.0.0.1:5353"], domains: [consul, test], records: {x.test: 10.0.0.9},
      servers: {corp.example: [10.0.0.1, "10.0.0.2:5353"], lab: 10.0.0.3, secret: [], hidden: }, random_case: true,
      node_ttl: 7s, service_ttl: {web: 1m, "*": 500ms}, only_passing: true, udp_answer_limit: 8, a_record_limit: 2, workers: 3}
registrator: {mode: published, ip: 10.0.0.2}
proxy: {engine: none, http: 8080, domain: test}
ui: {enabled: false, port: 7600}
templates:
  - {source: a.ctmpl, destination: out/a, command: reload, check: "test -s {}", perms: 0600}
)");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->project, "demo");
  EXPECT_EQ(file->bridge, "br0");
  EXPECT_EQ(file->registry.bind, std::vector<std::string>{"loopback"});
  EXPECT_TRUE(file->registry.ephemeral);
  EXPECT_TRUE(file->registry.enable_script_checks);
  EXPECT_THAT(file->registry.kv, ElementsAre(Pair("a/b", "1"), Pair("c", "")));
  EXPECT_EQ(file->dns.port, 8600);
  EXPECT_TRUE(file->dns.port_given);
  EXPECT_THAT(file->dns.recursors, ElementsAre("1.1.1.1", "10.0.0.1:5353"));
  EXPECT_THAT(file->dns.records, ElementsAre(Pair("x.test", "10.0.0.9")));
  EXPECT_THAT(file->dns.servers,
              ElementsAre(Pair("corp.example", ElementsAre("10.0.0.1", "10.0.0.2:5353")), Pair("hidden", IsEmpty()),
                          Pair("lab", ElementsAre("10.0.0.3")), Pair("secret", IsEmpty())));
  EXPECT_TRUE(file->dns.random_case);
  EXPECT_EQ(file->dns.node_ttl, std::chrono::seconds(7));
  EXPECT_THAT(file->dns.service_ttl,
              ElementsAre(Pair("*", std::chrono::milliseconds(500)), Pair("web", std::chrono::minutes(1))));
  EXPECT_TRUE(file->dns.only_passing);
  EXPECT_EQ(file->dns.udp_answer_limit, 8);
  EXPECT_EQ(file->dns.a_record_limit, 2);
  EXPECT_EQ(file->dns.workers, 3);
  EXPECT_EQ(file->registrator.ip, "10.0.0.2");
  EXPECT_EQ(file->proxy.http, 8080);
  EXPECT_TRUE(file->proxy.http_given);
  EXPECT_FALSE(file->ui.enabled);
  ASSERT_EQ(file->templates.size(), 1U);
  EXPECT_EQ(file->templates[0].source, "/project/a.ctmpl");
  EXPECT_EQ(file->templates[0].destination, "/project/out/a");
  EXPECT_EQ(file->templates[0].perms, "0600");
}

TEST(StackFile, TakesOurKeysUnderXDevstackToo) {
  const auto file = test::read("x-devstack:\n  ui: {port: 7777}\nservices: {}\n");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->ui.port, 7777);
}

TEST(StackFile, LetsExtensionsOfOtherToolsPass) {
  EXPECT_EQ(test::errors("x-common: {a: b}\nservices:\n  web: {image: x, x-traefik: {y: z}}\n"), "");
}

TEST(StackFile, ResolvesMergeKeysWithTheOwnKeyWinning) {
  const auto file =
      test::read("x-base: &base {image: base, user: me}\nservices:\n  web:\n    <<: *base\n    image: own\n");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->services.at("web").image, "own");
  EXPECT_EQ(file->services.at("web").user, "me");
}

TEST(StackFile, WarnsOfVersion) {
  const auto file = test::read("version: \"3.8\"\nservices: {}\n");
  ASSERT_TRUE(file);
  EXPECT_THAT(file->warnings, ElementsAre("stack.yaml:1:1: `version` is obsolete and ignored: remove it"));
}

TEST(StackFile, WarnsOfWhatAWatchRulesActionDoesNotUse) {
  const auto file = test::read(
      "services:\n  web:\n    build: .\n    develop:\n      watch:\n"
      "        - {action: rebuild, path: a, target: /a}\n"
      "        - {action: sync, path: b, target: /b, initial_sync: true, exec: {command: c}}\n"
      "        - {action: sync+exec, path: c, target: /c, initial_sync: true, exec: {command: c}}\n");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(file->warnings, ElementsAre("stack.yaml:6:46: services.web.develop.watch[0]: `target` means nothing to "
                                          "the action rebuild: remove it",
                                          "stack.yaml:7:73: services.web.develop.watch[1]: `exec` means nothing to "
                                          "the action sync: remove it"));
}

TEST(StackFile, ProjectNameComesFromTheStrongestSource) {
  LoadOptions options;
  options.cwd = "/srv/My App_1";
  EXPECT_EQ(parse("services: {}", "s", options)->project, "myapp_1");
  EXPECT_EQ(parse("name: file\nservices: {}", "s", options)->project, "file");
  options.environment["COMPOSE_PROJECT_NAME"] = "env";
  EXPECT_EQ(parse("name: file\nservices: {}", "s", options)->project, "env");
  options.project = "option";
  EXPECT_EQ(parse("name: file\nservices: {}", "s", options)->project, "option");
  options.project = "No Good";
  EXPECT_FALSE(parse("services: {}", "s", options));
}

struct PortCase {
  std::string_view text;
  std::vector<PortMapping> ports;
};
class PortForms : public testing::TestWithParam<PortCase> {};
TEST_P(PortForms, AreRead) {
  EXPECT_EQ(container(fmt::format("ports: [{}]", GetParam().text)).ports, GetParam().ports);
}
INSTANTIATE_TEST_SUITE_P(
    All, PortForms,
    testing::Values(PortCase{"80", {{"", 0, 80, "tcp"}}}, PortCase{"'80'", {{"", 0, 80, "tcp"}}},
                    PortCase{"'8080:80'", {{"", 8080, 80, "tcp"}}}, PortCase{"8022:22", {{"", 8022, 22, "tcp"}}},
                    PortCase{"'53:53/udp'", {{"", 53, 53, "udp"}}}, PortCase{"'53:53/UDP'", {{"", 53, 53, "udp"}}},
                    PortCase{"'0:80'", {{"", 0, 80, "tcp"}}},
                    PortCase{"{target: 80, published: 0}", {{"", 0, 80, "tcp"}}},
                    PortCase{"'127.0.0.1:8080:80'", {{"127.0.0.1", 8080, 80, "tcp"}}},
                    PortCase{"'127.0.0.1::80'", {{"127.0.0.1", 0, 80, "tcp"}}},
                    PortCase{"'[::1]:80:80'", {{"::1", 80, 80, "tcp"}}},
                    PortCase{"'[::1]::80'", {{"::1", 0, 80, "tcp"}}},
                    PortCase{"'8000-8001:80-81/udp'", {{"", 8000, 80, "udp"}, {"", 8001, 81, "udp"}}},
                    PortCase{"'3000-3001'", {{"", 0, 3000, "tcp"}, {"", 0, 3001, "tcp"}}},
                    PortCase{"{target: 80}", {{"", 0, 80, "tcp"}}},
                    PortCase{"{target: 80, published: '8080', host_ip: 127.0.0.1, protocol: udp}",
                             {{"127.0.0.1", 8080, 80, "udp"}}},
                    PortCase{"{target: 80-81, published: 90-91}", {{"", 90, 80, "tcp"}, {"", 91, 81, "tcp"}}}));

TEST(HostPorts, MayRepeatOnDifferentAddressesAndProtocols) {
  EXPECT_EQ(test::errors("services:\n  a: {image: x, ports: ['127.0.0.1:80:80', '53:53/udp']}\n"
                         "  b: {image: y, ports: ['127.0.0.2:80:80', '53:53/tcp']}\n"),
            "");
}

TEST(ContainerService, SplitsACommandStringLikeAShell) {
  EXPECT_THAT(container("command: run --name 'a b' \"c d\" e\\ f").command,
              ElementsAre("run", "--name", "a b", "c d", "e f"));
  EXPECT_THAT(container("command: [run, \"a b\"]").command, ElementsAre("run", "a b"));
  EXPECT_THAT(container("entrypoint: /bin/x -v").entrypoint, ElementsAre("/bin/x", "-v"));
}

TEST(ContainerService, ReadsEnvironmentAsMapAndAsList) {
  EXPECT_THAT(container("environment: {A: 1, B: text, C: true}").environment,
              ElementsAre(Pair("A", "1"), Pair("B", "text"), Pair("C", "true")));
  EXPECT_THAT(container("environment: [A=1, B=x=y, C=]").environment,
              ElementsAre(Pair("A", "1"), Pair("B", "x=y"), Pair("C", "")));
}

TEST(ContainerService, GivesABareVariableTheOuterValueOrDropsIt) {
  const Environment outer{{"A", "outer"}};
  EXPECT_THAT(service("image: x\n    environment: [A, B]", outer).environment, ElementsAre(Pair("A", "outer")));
  EXPECT_THAT(service("image: x\n    environment: {A: , B: }", outer).environment, ElementsAre(Pair("A", "outer")));
}

TEST(ContainerService, ReadsLabels) {
  EXPECT_THAT(container("labels: [a=b, c]").labels, ElementsAre(Pair("a", "b"), Pair("c", "")));
  EXPECT_THAT(container("labels: {SERVICE_NAME: web}").labels, ElementsAre(Pair("SERVICE_NAME", "web")));
}

TEST(ContainerService, ReadsDependencies) {
  const auto file = test::read(
      "services:\n  a: {image: x}\n  b: {image: x, depends_on: [a]}\n"
      "  c: {image: x, depends_on: {a: {condition: service_healthy}, b: {condition: service_completed_successfully}}}\n"
      "  d: {image: x, depends_on: {gone: {condition: service_started, required: false}}}\n");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(file->services.at("b").depends_on, ElementsAre(Dependency{"a", DependencyCondition::started, true}));
  EXPECT_THAT(file->services.at("c").depends_on,
              ElementsAre(Dependency{"a", DependencyCondition::healthy, true},
                          Dependency{"b", DependencyCondition::completed_successfully, true}));
  EXPECT_TRUE(file->services.at("d").depends_on.empty());
  EXPECT_THAT(file->warnings,
              ElementsAre("stack.yaml:5:29: services.d.depends_on: no service \"gone\": it is not waited for"));
}

TEST(ContainerService, ReadsHealthchecks) {
  const auto check =
      *container("healthcheck: {test: curl x, interval: 1m30s, timeout: 2s, start_period: 5s, retries: 7}").healthcheck;
  EXPECT_EQ(check, (Healthcheck{{"CMD-SHELL", "curl x"}, 90s, 2s, 5s, 7}));
  EXPECT_THAT(container("healthcheck: {test: [CMD, a, b]}").healthcheck->test, ElementsAre("CMD", "a", "b"));
  EXPECT_THAT(container("healthcheck: {disable: true}").healthcheck->test, ElementsAre("NONE"));
  EXPECT_THAT(container("healthcheck: {disable: true, test: curl x}").healthcheck->test, ElementsAre("NONE"));
  EXPECT_TRUE(container("healthcheck: {interval: 1s}").healthcheck->test.empty());
}

TEST(ContainerService, ReadsRestartPolicies) {
  using Kind = RestartPolicy::Kind;
  EXPECT_EQ(container("restart: no").restart, (RestartPolicy{Kind::no, 0}));
  EXPECT_EQ(container("restart: false").restart, (RestartPolicy{Kind::no, 0}));
  EXPECT_EQ(container("restart: always").restart, (RestartPolicy{Kind::always, 0}));
  EXPECT_EQ(container("restart: unless-stopped").restart, (RestartPolicy{Kind::unless_stopped, 0}));
  EXPECT_EQ(container("restart: on-failure:3").restart, (RestartPolicy{Kind::on_failure, 3}));
}

TEST(ContainerService, TakesAnEmptyValueOfSomeKeysForNone) {
  // What `${NAME:-}` leaves, where Compose goes on as if the key were not there.
  for (const auto* key : {"restart", "pull_policy", "network_mode", "container_name", "dns"}) {
    EXPECT_EQ(test::errors(fmt::format("services: {{web: {{image: x, {}: \"\"}}}}\n", key)), "");
  }
  EXPECT_TRUE(container("dns: \"\"").dns.empty());
}

TEST(ContainerService, TakesTheSeccompProfileFromItsFile) {
  devstack::test::TempDir dir;
  dir.write("p.json", "{}");
  EXPECT_THAT(container("security_opt: [\"seccomp=" + dir.file("p.json") + "\", \"seccomp:unconfined\"]")
                  .isolation.security_opt,
              ElementsAre("seccomp={}", "seccomp:unconfined"));
  EXPECT_EQ(test::errors("services:\n  web:\n    image: x\n    security_opt: [\"seccomp=./gone.json\"]\n"),
            "stack.yaml:4:19: services.web.security_opt: cannot read /project/gone.json: No such file or directory");
}

TEST(ContainerService, IsToldThatAMountedFileKeepsItsRights) {
  const auto file = test::read(
      "services:\n  web:\n    image: x\n    secrets: [{source: s, mode: 0400}, {source: s, target: t}]\n"
      "    configs: [{source: c, uid: \"7\"}]\nsecrets: {s: {file: ./s}}\nconfigs: {c: {content: x}}\n");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(file->warnings, ElementsAre("stack.yaml:4:15: services.web.secrets: /project/s is mounted as it is: "
                                          "`uid`, `gid` and `mode` have no effect"));
}

TEST(ContainerService, MayHaveANameThatBeginsLikeAnExtension) {
  const auto file = test::read("services:\n  x-base: {image: x}\n  web: {image: x, depends_on: [x-base]}\n");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_TRUE(file->services.contains("x-base"));
}

TEST(PullAge, AddsUpItsUnits) {
  EXPECT_EQ(pull_age("daily"), 24h);
  EXPECT_EQ(pull_age("weekly"), 168h);
  EXPECT_EQ(pull_age("every_2w1d"), 15 * 24h);
  EXPECT_EQ(pull_age("every_1h2m3s"), 1h + 2min + 3s);
  for (const auto* none : {"", "always", "every_", "every_x", "every_5", "every_1y", "every_d", "every_99999999w"}) {
    EXPECT_EQ(pull_age(none), std::nullopt) << none;
  }
}

TEST(ContainerService, MakesBindSourcesAbsolute) {
  const auto bind = [](std::string source, std::string target, bool read_only = false) {
    Mount mount;
    mount.source = std::move(source);
    mount.target = std::move(target);
    mount.read_only = read_only;
    return mount;
  };
  EXPECT_THAT(container("volumes: [\"./a:/a\", \"/b:/b:ro\", \"../c/:/c:rw\"]").volumes,
              ElementsAre(bind("/project/a", "/a"), bind("/b", "/b", true), bind("/c", "/c")));
  EXPECT_THAT(container("volumes: [{type: bind, source: ./a, target: /a, read_only: true}]").volumes,
              ElementsAre(bind("/project/a", "/a", true)));
  EXPECT_THAT(service("image: x\n    volumes: [\"~/a:/a\"]", {{"HOME", "/home/me"}}).volumes,
              ElementsAre(bind("/home/me/a", "/a")));
}

TEST(ContainerService, ReadsTheRest) {
  const auto s = service(
      "image: x\n    container_name: n\n    hostname: h\n    user: \"1:2\"\n    working_dir: /w\n"
      "    stop_signal: SIGINT\n    stop_grace_period: 1m\n    extra_hosts: {b: 10.0.0.1, a: host-gateway}\n"
      "    dns: 10.0.0.2\n    network_mode: none\n    expose: [80, \"90-91\"]\n    x-devstack: {publish_all: true}");
  EXPECT_EQ(s.container_name, "n");
  EXPECT_EQ(s.hostname, "h");
  EXPECT_EQ(s.user, "1:2");
  EXPECT_EQ(s.working_dir, "/w");
  EXPECT_EQ(s.stop_signal, "SIGINT");
  EXPECT_EQ(s.stop_grace_period, 60s);
  EXPECT_THAT(s.extra_hosts, ElementsAre("a:host-gateway", "b:10.0.0.1"));
  EXPECT_THAT(s.dns, ElementsAre("10.0.0.2"));
  EXPECT_EQ(s.network_mode, "none");
  EXPECT_THAT(s.expose, ElementsAre("80", "90-91"));
  EXPECT_TRUE(s.publish_all);
}

TEST(ProcessService, GivesAStringToTheShellAndAListAsItIs) {
  EXPECT_EQ(service("command: ./run && echo $$HOME").process->command,
            (std::vector<std::string>{"/bin/sh", "-c", "./run && echo $HOME"}));
  EXPECT_EQ(service("command: [./run, a b]").process->command, (std::vector<std::string>{"./run", "a b"}));
}

TEST(ProcessService, TakesItsPortFromPorts) {
  EXPECT_EQ(service("command: ./run\n    ports: [\"8080\"]").process->port, 8080);
  EXPECT_EQ(service("command: ./run\n    ports: [\"8080:8080\"]").process->port, 8080);
  EXPECT_TRUE(service("command: ./run\n    x-process: {port: auto}").process->auto_port);
}

TEST(ProcessService, LeavesItsOwnPortToTheShell) {
  const Environment outer{{"PORT", "1"}, {"NAME", "n"}};
  EXPECT_EQ(service("command: ./run --port ${PORT} --name $NAME\n    x-process: {port: auto}", outer).process->command,
            (std::vector<std::string>{"/bin/sh", "-c", "./run --port ${PORT} --name n"}));
  EXPECT_EQ(service("command: [./run, \"--port=$PORT\", \"it's\"]", outer).process->command,
            (std::vector<std::string>{"/bin/sh", "-c", "exec './run' '--port='\"$PORT\"'' 'it'\\''s'"}));
}

TEST(ProcessService, IsRelativeToTheProject) {
  EXPECT_EQ(service("command: ./run\n    working_dir: sub").working_dir, "/project/sub");
}

TEST(StandIn, HasItsOwnCommandPortAndHealthcheck) {
  const auto s = container("x-process: {command: [hello], port: 90, healthcheck: {test: [CMD, hello]}}");
  EXPECT_EQ(s.image, "nginx");
  EXPECT_THAT(s.process->command, ElementsAre("hello"));
  EXPECT_EQ(s.process->port, 90);
  EXPECT_THAT(s.process->healthcheck->test, ElementsAre("CMD", "hello"));
}

TEST(TemplateEntry, ContentsAreNotInterpolated) {
  const auto file = test::read(
      "templates:\n  - {contents: \"{{ range $i, $e := x }}\", destination: \"$D/o\", command: \"kill $(cat pid)\"}\n",
      {{"D", "/d"}});
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->templates[0].contents, "{{ range $i, $e := x }}");
  EXPECT_EQ(file->templates[0].destination, "/d/o");
  EXPECT_EQ(file->templates[0].command, "kill $(cat pid)");
}

}  // namespace
}  // namespace devstack::stack
