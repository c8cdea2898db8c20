#include "core/docker/client.h"

#include <algorithm>
#include <ctime>

#include "core/base/async/task_group.h"
#include "tests/integration/docker/engine.h"

namespace devstack::docker {
namespace {

ContainerSpec sleeper(std::string name) {
  ContainerSpec spec;
  spec.name = std::move(name);
  spec.command = {"sleep", "1000"};
  return spec;
}

NetworkSpec spec_of(const std::string& network) {
  NetworkSpec spec;
  spec.name = network;
  spec.labels = {{"dsit-http", network}};
  return spec;
}

TEST_F(EngineTest, NegotiatesAVersion) {
  const auto info = run(client_.negotiate());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_FALSE(info->version.empty());
  EXPECT_TRUE(info->api_version.starts_with("1.")) << info->api_version;
}

TEST_F(EngineTest, AContainersWholeLife) {
  auto spec = sleeper(name_of("life"));
  spec.env = {"A=1"};
  spec.labels = {{"dsit-http", name_of("life")}};
  spec.exposed_ports = {{53, "udp"}};
  spec.port_bindings[{80, "tcp"}] = {{"127.0.0.1", 0}};
  const auto id = create(spec);
  ASSERT_FALSE(id.empty());
  ASSERT_TRUE(run(client_.start_container(id)));
  ASSERT_TRUE(run(client_.start_container(id))) << "starting what runs is fine";

  const auto container = run(client_.inspect_container(spec.name));
  ASSERT_TRUE(container) << container.error().message;
  EXPECT_EQ(container->id, id);
  EXPECT_EQ(container->name, spec.name);
  EXPECT_EQ(container->image, kImage);
  EXPECT_TRUE(container->running);
  EXPECT_GT(container->pid, 0);
  EXPECT_NE(std::find(container->env.begin(), container->env.end(), "A=1"), container->env.end());
  EXPECT_FALSE(container->networks.at("bridge").ip_address.empty());
  ASSERT_EQ(container->ports.at({80, "tcp"}).size(), 1U);
  EXPECT_EQ(container->ports.at({80, "tcp"})[0].host_ip, "127.0.0.1");
  EXPECT_GT(container->ports.at({80, "tcp"})[0].host_port, 0);
  EXPECT_TRUE(container->ports.at({53, "udp"}).empty());

  const auto rows = run(client_.list_containers(false, {"dsit-http=" + name_of("life")}));
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().names, std::vector<std::string>{spec.name});
  EXPECT_EQ(rows->front().state, "running");

  ASSERT_TRUE(run(client_.stop_container(id, std::chrono::seconds(0))));
  ASSERT_TRUE(run(client_.stop_container(id, std::chrono::seconds(0)))) << "stopping what is stopped is fine";
  EXPECT_EQ(run(client_.wait_container(id)).value_or(-1), 137);
  ASSERT_TRUE(run(client_.remove_container(id, false, true)));
  ASSERT_TRUE(run(client_.remove_container(id, false, true))) << "removing what is gone is fine";
  EXPECT_EQ(run(client_.inspect_container(id)).error().code, Errc::not_found);
}

TEST_F(EngineTest, TheEnginesWordsComeWithTheKindOfError) {
  const auto missing = run(client_.inspect_container("dsit-http-no-such"));
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_NE(missing.error().message.find("dsit-http-no-such"), std::string::npos) << missing.error().message;
  EXPECT_EQ(run(client_.inspect_image("dsit-http/no-such:1")).error().code, Errc::not_found);
  EXPECT_EQ(run(client_.inspect_network("dsit-http-no-such")).error().code, Errc::not_found);
  auto imageless = sleeper(name_of("imageless"));
  imageless.image = "dsit-http/no-such:1";
  EXPECT_EQ(run(client_.create_container(imageless)).error().code, Errc::not_found);

  create(sleeper(name_of("twice")));
  const auto second = run(client_.create_container([&] {
    auto spec = sleeper(name_of("twice"));
    spec.image = kImage;
    return spec;
  }()));
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_NE(second.error().message.find("already in use"), std::string::npos) << second.error().message;
}

TEST_F(EngineTest, LogsComeApartIntoTheirStreams) {
  ContainerSpec spec;
  spec.command = {"sh", "-c", "echo to-out; echo to-err >&2; exit 3"};
  const auto id = create(spec);
  ASSERT_TRUE(run(client_.start_container(id)));
  EXPECT_EQ(run(client_.wait_container(id)).value_or(-1), 3);
  std::string out, err;
  const auto sink = [&](LogStream stream, std::string_view text) {
    (stream == LogStream::out ? out : err).append(text);
  };
  ASSERT_TRUE(run(client_.logs(id, false, -1, sink)));
  EXPECT_EQ(out, "to-out\n");
  EXPECT_EQ(err, "to-err\n");
}

TEST_F(EngineTest, ATtysLogIsRawAndFollowedToItsEnd) {
  ContainerSpec spec;
  spec.command = {"sh", "-c", "echo one; echo two >&2"};
  spec.tty = true;
  const auto id = create(spec);
  ASSERT_TRUE(run(client_.start_container(id)));
  std::string out;
  ASSERT_TRUE(run(client_.logs(id, true, -1, [&](LogStream, std::string_view text) { out.append(text); })));
  EXPECT_EQ(out, "one\r\ntwo\r\n");
  out.clear();
  ASSERT_TRUE(run(client_.logs(id, false, 1, [&](LogStream, std::string_view text) { out.append(text); })));
  EXPECT_EQ(out, "two\r\n");
}

/// Lines with their times, as an engine writes them: "2026-01-02T03:04:05.000000006Z one".
std::vector<std::pair<std::string, std::string>> timed(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> out;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    const auto line = text.substr(from, end - from);
    out.emplace_back(line.substr(0, line.find(' ')), line.substr(line.find(' ') + 1));
    from = end + 1;
  }
  return out;
}

/// Since 1970, of such a time.
std::int64_t nanoseconds(const std::string& time) {
  std::tm parts{};
  const char* fraction = ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  EXPECT_NE(fraction, nullptr) << time;
  auto digits = fraction == nullptr || *fraction != '.' ? std::string() : std::string(fraction + 1);
  digits.resize(std::min(digits.find('Z'), digits.size()));
  digits.resize(9, '0');
  return std::int64_t{::timegm(&parts)} * 1'000'000'000 + std::stoll(digits);
}

TEST_F(EngineTest, TimedLogsGoOnFromAMoment) {
  ContainerSpec spec;
  spec.command = {"sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.02; done"};
  const auto id = create(spec);
  ASSERT_TRUE(run(client_.start_container(id)));
  std::string text;
  const auto sink = [&](LogStream, std::string_view bytes) -> Result<void> {
    text.append(bytes);
    return {};
  };
  ASSERT_TRUE(run(client_.timed_logs(id, true, 0, sink))) << "followed to its end";
  const auto all = timed(text);
  ASSERT_EQ(all.size(), 3U) << text;
  text.clear();
  ASSERT_TRUE(run(client_.timed_logs(id, false, nanoseconds(all[1].first), sink)));
  EXPECT_EQ(timed(text), (std::vector{all[1], all[2]}));
  const auto ended = run(client_.timed_logs(
      id, false, 0, [](LogStream, std::string_view) -> Result<void> { return fail(Errc::cancelled, "enough"); }));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "enough");
}

TEST_F(EngineTest, ACommandInAContainerGivesItsOutputAndExitCode) {
  const auto id = create(sleeper(name_of("exec")));
  ASSERT_TRUE(run(client_.start_container(id)));
  const auto limit = std::chrono::seconds(30);
  const auto both = run(client_.exec(id, {"/bin/busybox", "sh", "-c", "echo out; echo err >&2; exit 3"}, 4096, limit));
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->exit_code, 3);
  EXPECT_NE(both->output.find("out\n"), std::string::npos) << both->output;
  EXPECT_NE(both->output.find("err\n"), std::string::npos) << both->output;

  const auto many = run(client_.exec(
      name_of("exec"), {"/bin/busybox", "sh", "-c", "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done"},
      100, limit));
  ASSERT_TRUE(many) << many.error().message;
  EXPECT_EQ(many->exit_code, 0);
  EXPECT_EQ(many->output.size(), 100U) << "only so much is kept";
  EXPECT_TRUE(many->output.ends_with("line 4998\nline 4999\n")) << many->output;

  const auto missing = run(client_.exec(id, {"/no/such/program"}, 4096, limit));
  ASSERT_TRUE(missing) << missing.error().message;
  EXPECT_NE(missing->exit_code, 0);
  EXPECT_NE(missing->output.find("/no/such/program"), std::string::npos) << missing->output;
}

TEST_F(EngineTest, ACommandThatCannotRunOrEndSaysWhichOfTheTwo) {
  const auto limit = std::chrono::seconds(30);
  EXPECT_EQ(run(client_.exec("dsit-http-no-such", {"true"}, 10, limit)).error().code, Errc::not_found);
  const auto id = create(sleeper(name_of("exec-late")));
  EXPECT_EQ(run(client_.exec(id, {"/bin/busybox", "true"}, 10, limit)).error().code, Errc::conflict) << "not started";
  ASSERT_TRUE(run(client_.start_container(id)));
  const auto slow = run(client_.exec(id, {"/bin/busybox", "sleep", "1000"}, 10, std::chrono::milliseconds(500)));
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, Errc::timeout);
  EXPECT_EQ(slow.error().message, "\"/bin/busybox\" did not end within 500 ms");
}

TEST_F(EngineTest, EventsTellOfEveryStep) {
  std::vector<std::string> actions;
  std::string id;
  bool open = false;
  TaskGroup tasks(io_.get_executor());
  auto on_open = [&] { open = true; };
  auto on_event = [&](Event event) {
    if (event.type == "container" && event.actor_id == id) actions.push_back(event.action);
  };
  tasks.spawn("events",
              [](Client& client, std::function<void()> o, std::function<void(Event)> e) -> asio::awaitable<void> {
                const auto ended = co_await client.events(std::move(o), std::move(e));
                EXPECT_EQ(ended.error().code, Errc::cancelled);
              }(client_, on_open, on_event));
  while (!open) io_.run_one_for(std::chrono::seconds(5));
  auto spec = sleeper({});
  spec.image = kImage;
  id = create(spec);
  ASSERT_TRUE(run(client_.start_container(id)));
  ASSERT_TRUE(run(client_.kill_container(id, "KILL")));
  EXPECT_EQ(run(client_.wait_container(id)).value_or(-1), 137);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const auto died = [&] { return std::find(actions.begin(), actions.end(), "die") != actions.end(); };
  while (!died() && std::chrono::steady_clock::now() < end) io_.run_one_until(end);
  run(tasks.stop());
  EXPECT_TRUE(died());
  ASSERT_GE(actions.size(), 2U);  // "create" may have come before its id was known here
  EXPECT_NE(std::find(actions.begin(), actions.end(), "start"), actions.end());
  EXPECT_NE(std::find(actions.begin(), actions.end(), "kill"), actions.end());
}

TEST_F(EngineTest, NetworksGiveTheirContainersNames) {
  const auto network = name_of("net");
  ASSERT_TRUE(run(client_.create_network(spec_of(network))));
  networks_.push_back(network);
  EXPECT_EQ(run(client_.create_network(spec_of(network))).error().code, Errc::conflict);
  const auto listed = run(client_.list_networks({"dsit-http=" + network}));
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().name, network);
  EXPECT_FALSE(run(client_.inspect_network(network))->gateways.empty());

  auto spec = sleeper(name_of("member"));
  spec.network = network;
  spec.aliases = {"known-as"};
  const auto id = create(spec);
  ASSERT_TRUE(run(client_.start_container(id)));
  const auto container = run(client_.inspect_container(id));
  ASSERT_TRUE(container);
  const auto& aliases = container->networks.at(network).aliases;
  EXPECT_NE(std::find(aliases.begin(), aliases.end(), "known-as"), aliases.end());
  EXPECT_EQ(container->networks.size(), 1U);
  run(client_.remove_container(id, true, true));
  EXPECT_TRUE(run(client_.remove_network(network)));
  networks_.clear();
}

TEST_F(EngineTest, ImportedImagesKeepTheirChanges) {
  const auto image = run(client_.inspect_image(kImage));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->tags, std::vector<std::string>{kImage});
  const auto id = create([&] {
    ContainerSpec spec;
    spec.command = {"true"};
    return spec;
  }());
  const auto container = run(client_.inspect_container(id));
  ASSERT_TRUE(container);
  EXPECT_EQ(container->exposed_ports, (std::vector<ContainerPort>{{80, "tcp"}}));
  const auto bad = run(client_.import_image("dsit-http-bad:test", "this is no tar", {"NONSENSE x"}));
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("dsit-http-bad:test"), std::string::npos) << bad.error().message;
}

TEST_F(EngineTest, APullThatFailsNamesTheImage) {
  // Port 1 of this machine: no registry answers there, and no request leaves the machine.
  const auto pulled = run(client_.pull_image("127.0.0.1:1/dsit-http:none", {}));
  ASSERT_FALSE(pulled);
  EXPECT_NE(pulled.error().message.find("127.0.0.1:1/dsit-http:none"), std::string::npos) << pulled.error().message;
}

TEST(NoEngine, ASilentOneDoesNotHoldACommandPastItsTimeout) {
  asio::io_context io;
  asio::ip::tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
  auto client = Client::connect_to(fmt::format("tcp://127.0.0.1:{}", silent.local_endpoint().port()));
  ASSERT_TRUE(client) << client.error().message;
  // Well below the ten seconds that asking for the version may take by itself.
  const auto ended =
      test::run(io, client->exec("any", {"true"}, 10, std::chrono::milliseconds(100)), std::chrono::seconds(8));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::timeout);
  EXPECT_EQ(ended.error().message, "\"true\" did not end within 100 ms");
}

TEST(NoEngine, IsSaidInWordsForTheUser) {
  asio::io_context io;
  auto client = *Client::connect_to("unix:///nonexistent/docker.sock");
  const auto info = test::run(io, client.negotiate());
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code, Errc::docker_unreachable);
  EXPECT_EQ(info.error().message,
            "no Docker engine answers at unix:///nonexistent/docker.sock: is it running? (start it with `systemctl "
            "start docker`)");
  EXPECT_EQ(Client::connect_to("ssh://host").error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace devstack::docker
