// Compose files in the style that people have: each is read without an error, and what `config` prints of it is read
// back to the same values.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/stack/read.h"
#include "tests/unit/stack/load.h"

namespace devstack::stack {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

const std::string kFolder = DEVSTACK_SOURCE_DIR "/tests/unit/stack/corpus";

std::vector<std::string> files() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

LoadOptions options() {
  LoadOptions options;
  options.cwd = kFolder;
  options.profiles = {"*"};
  options.environment = {{"HOME", "/home/me"},        {"PWD", "/srv/here"}, {"GITLAB_HOME", "/srv/gitlab"},
                         {"TEMPO_CONFIG", "a: $b\n"}, {"TOKEN", "t0ken"},   {"OUTSIDE", "outside"},
                         {"SIGNUPS_ALLOWED", "false"}};
  return options;
}

StackFile read_file(const std::string& name) {
  auto wanted = options();
  wanted.files = {name + ".yaml"};
  auto file = load(wanted);
  if (!file) ADD_FAILURE() << file.error().to_string();
  return file.value_or(StackFile{});
}

std::map<std::string, ServiceSpec> without_positions(std::map<std::string, ServiceSpec> services) {
  for (auto& [name, service] : services) service.at = {};
  return services;
}

void expect_same(const StackFile& a, const StackFile& b) {
  EXPECT_EQ(a.networks, b.networks);
  EXPECT_EQ(a.volumes, b.volumes);
  EXPECT_EQ(a.configs, b.configs);
  EXPECT_EQ(a.secrets, b.secrets);
  const auto left = without_positions(a.services);
  const auto right = without_positions(b.services);
  ASSERT_EQ(left.size(), right.size());
  for (const auto& [name, service] : left) EXPECT_TRUE(right.contains(name) && right.at(name) == service) << name;
}

class CorpusFile : public testing::TestWithParam<std::string> {};

TEST_P(CorpusFile, IsReadWithoutAnError) { EXPECT_FALSE(read_file(GetParam()).services.empty()); }

TEST_P(CorpusFile, IsReadBackFromItsYamlAndItsJson) {
  const auto file = read_file(GetParam());
  for (const auto& text : {to_yaml(file), to_json(file)}) {
    // JSON is not for reading back: it is printed with single dollars.
    if (text.starts_with("{") && text.find('$') != std::string::npos) continue;
    const auto again = parse(text, "again.yaml", options());
    ASSERT_TRUE(again) << again.error().to_string() << '\n' << text;
    expect_same(*again, file);
    EXPECT_EQ(to_yaml(*again), to_yaml(file));
  }
}

INSTANTIATE_TEST_SUITE_P(All, CorpusFile, testing::ValuesIn(files()), [](const auto& each) {
  std::string name = each.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Corpus, UsesEveryKeyOfAService) {
  std::ifstream in(kFolder + "/every-key.yaml");
  std::stringstream text;
  text << in.rdbuf();
  Diagnostics report;
  const auto root = read_yaml(text.str(), "every-key.yaml", report);
  ASSERT_TRUE(root);
  std::set<std::string_view> used;
  for (const auto& service : root->find("services")->entries) {
    for (const auto& entry : service.value.entries) used.insert(entry.key);
  }
  for (const auto key : service_keys()) {
    if (key == "deploy") continue;  // what it says is said by other keys
    EXPECT_TRUE(used.contains(key)) << key;
  }
}

TEST(EveryKey, OfTheImageAndItsSurroundingsIsRead) {
  const auto file = read_file("every-key");
  const auto& s = file.services.at("all");
  const auto& build = *s.build;
  EXPECT_EQ(build.context, kFolder + "/all");
  EXPECT_EQ(build.dockerfile, "Dockerfile.dev");
  EXPECT_EQ(build.additional_contexts.at("docs"), kFolder + "/docs");
  EXPECT_THAT(build.secrets, ElementsAre("token", "other"));
  EXPECT_EQ(build.shm_size, 64 << 20);
  EXPECT_EQ(build.ulimits.at("nofile"), (Ulimit{1, 2}));
  EXPECT_TRUE(s.no_command);
  EXPECT_TRUE(s.no_entrypoint);
  EXPECT_EQ(s.ports[1].published, 9000);
  EXPECT_EQ(s.ports[1].published_last, 9005);
  EXPECT_EQ(s.ports[2].app_protocol, "dns");
  EXPECT_THAT(s.environment,
              ElementsAre(Pair("A", "b"), Pair("DOLLAR", "$x"), Pair("EMPTY", ""), Pair("MYSQL_DATABASE", "nextcloud"),
                          Pair("MYSQL_PASSWORD", "p$ss word"), Pair("MYSQL_USER", "nextcloud"),
                          Pair("OUTSIDE", "outside"), Pair("QUOTED", "\"as it is $HOME\""), Pair("SPACES", " a b ")));
  EXPECT_THAT(s.labels, ElementsAre(Pair("SERVICE_NAME", "all"), Pair("empty", ""), Pair("from.file", "yes")));
  EXPECT_EQ(s.healthcheck->start_interval, 500ms);
  EXPECT_EQ(s.pull_policy, "every_12h");
  const Hook step{.command = {"migrate"},
                  .user = "1",
                  .working_dir = "/w",
                  .privileged = true,
                  .environment = {{"B", "2"}},
                  .image = "example/tools",
                  .per_replica = true};
  EXPECT_THAT(s.pre_start, ElementsAre(step));
  EXPECT_THAT(s.post_start.at(0).command, ElementsAre("echo", "a b", "c"));
  EXPECT_THAT(s.post_start.at(0).environment, ElementsAre(Pair("A", "1")));
  EXPECT_EQ(s.watch.size(), 5U);
  EXPECT_EQ(s.watch[0].path, kFolder + "/all");
  EXPECT_TRUE(s.watch[0].initial_sync);
  EXPECT_THAT(s.watch[2].exec->command, ElementsAre("reload"));
  EXPECT_THAT(s.wait_for.services, ElementsAre("db"));
  EXPECT_FALSE(s.attach);
}

TEST(EveryKey, OfMountsIsRead) {
  const auto file = read_file("every-key");
  const auto& volumes = file.services.at("all").volumes;
  ASSERT_EQ(volumes.size(), 9U);
  EXPECT_EQ(volumes[0].kind, MountKind::volume);
  EXPECT_EQ(volumes[0].source, "");
  EXPECT_EQ(volumes[1].source, "data");
  EXPECT_TRUE(volumes[2].nocopy && volumes[2].read_only);
  EXPECT_EQ(volumes[3].kind, MountKind::bind);
  EXPECT_EQ(volumes[3].source, kFolder + "/bind");
  EXPECT_EQ(volumes[3].propagation, "rslave");
  EXPECT_EQ(volumes[3].selinux, "z");
  EXPECT_EQ(volumes[4].subpath, "a/b");
  EXPECT_EQ(volumes[6].tmpfs_size, 64 << 20);
  EXPECT_EQ(volumes[6].tmpfs_mode, 01777U);
  EXPECT_EQ(volumes[7].kind, MountKind::image);
  EXPECT_FALSE(volumes[8].create_host_path);
  EXPECT_THAT(file.services.at("all").configs, ElementsAre(FileGrant{"plain", "/plain", "", "", {}},
                                                           FileGrant{"written", "/etc/written", "1", "2", 0440U}));
  EXPECT_THAT(file.services.at("all").secrets, ElementsAre(FileGrant{"token", "/run/secrets/token", "", "", {}},
                                                           FileGrant{"other", "/run/secrets/renamed", "", "", 0400U}));
}

TEST(EveryKey, OfLimitsAndIsolationIsRead) {
  const auto file = read_file("every-key");
  const auto& s = file.services.at("all");
  EXPECT_EQ(s.resources.nano_cpus, 1'250'000'000);
  EXPECT_EQ(s.resources.cpu_period, 50'000);
  EXPECT_EQ(s.resources.memory, 512 << 20);
  EXPECT_EQ(s.resources.memory_and_swap, -1);
  EXPECT_EQ(s.resources.swappiness, 0);
  EXPECT_EQ(s.resources.oom_score_adj, -500);
  EXPECT_EQ(s.isolation.shm_size, 3LL << 29);
  EXPECT_EQ(s.isolation.ulimits.at("nproc"), (Ulimit{65535, 65535}));
  EXPECT_EQ(s.isolation.ulimits.at("nofile"), (Ulimit{1024, -1}));
  EXPECT_THAT(s.isolation.devices,
              ElementsAre(Device{"/dev/null", "/dev/null", "rwm"}, Device{"/dev/zero", "/dev/nought", "rwm"},
                          Device{"/dev/tty", "/dev/x", "r"}));
  EXPECT_THAT(s.isolation.sysctls, ElementsAre(Pair("net.core.somaxconn", "1024")));
  EXPECT_EQ(s.isolation.pid, "service:base");
  EXPECT_EQ(s.logging->driver, "syslog");
  EXPECT_THAT(s.extra_hosts,
              ElementsAre("host.docker.internal:host-gateway", "one:10.0.0.1", "one:10.0.0.2", "two:fd00::2"));
  const auto& front = s.networks.at(0);
  EXPECT_EQ(front.ipv4_address, "10.5.0.9");
  EXPECT_EQ(front.interface_name, "eth7");
  EXPECT_EQ(front.gw_priority, -1);
  EXPECT_EQ(s.networks.at(1).network, "default");
}

TEST(EveryKey, OfDefinitionsIsRead) {
  const auto file = read_file("every-key");
  EXPECT_EQ(file.networks.at("front").name, "the_front");
  EXPECT_EQ(file.networks.at("front").pools.at(0).aux_addresses.at("a"), "10.5.0.2");
  EXPECT_EQ(file.networks.at("default").name, "every_default");
  EXPECT_EQ(file.networks.at("outside").name, "shared");
  EXPECT_EQ(file.volumes.at("unused").name, "unused");
  EXPECT_TRUE(file.volumes.at("unused").external);
  EXPECT_EQ(file.configs.at("plain").file, kFolder + "/env/db.env");
  EXPECT_EQ(file.configs.at("written").content, "a: $b\n");
  EXPECT_EQ(file.configs.at("written").name, "said_otherwise");
  EXPECT_EQ(file.secrets.at("token").content, "t0ken");
  EXPECT_EQ(file.secrets.at("token").name, "every_token");
}

TEST(EveryKey, OfAHostProcessIsRead) {
  const auto file = read_file("host-processes");
  const auto& api = file.services.at("api");
  EXPECT_EQ(api.process->liveness->interval, 5s);
  EXPECT_EQ(api.process->ready_log_line, "listening on .*:[0-9]+$");
  EXPECT_THAT(api.process->stop_command, ElementsAre("/bin/sh", "-c", "kill -QUIT $PID"));
  EXPECT_THAT(api.process->watch, ElementsAre(kFolder + "/api/src", kFolder + "/api/config.yaml"));
  EXPECT_EQ(api.restart, (RestartPolicy{RestartPolicy::Kind::on_failure, 5, 200ms, 30s}));
  EXPECT_THAT(api.wait_for.keys, ElementsAre("app/ready"));
  EXPECT_EQ(api.environment.at("MYSQL_DATABASE"), "nextcloud");
  EXPECT_EQ(file.services.at("cleanup").process->every, 1h);
}

TEST(Deploy, SaysWhatOtherKeysSay) {
  const auto file = read_file("rabbitmq-celery");
  const auto& worker = file.services.at("worker");
  EXPECT_EQ(worker.scale, 3);
  EXPECT_EQ(worker.resources.nano_cpus, 500'000'000);
  EXPECT_EQ(worker.resources.memory, 50 << 20);
  EXPECT_EQ(worker.resources.memory_reservation, 20 << 20);
  EXPECT_EQ(worker.resources.pids, 100);
  EXPECT_EQ(worker.restart, (RestartPolicy{RestartPolicy::Kind::on_failure, 3}));
  EXPECT_THAT(file.warnings, testing::SizeIs(2));
}

}  // namespace
}  // namespace devstack::stack
