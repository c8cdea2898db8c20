#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/base/async/task_group.h"
#include "core/registry/registry.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

/// The embedded registry on a real SQLite file: what was acknowledged is there, whatever happens.
namespace devstack::registry {
namespace {

namespace fs = std::filesystem;

RegistryOptions options_for(const std::string& directory, std::vector<std::string>* notices = nullptr) {
  RegistryOptions options;
  options.identity.node = "laptop";
  options.identity.address = "127.0.0.1";
  options.data_dir = directory;
  if (notices != nullptr) options.notice = [notices](std::string text) { notices->push_back(std::move(text)); };
  return options;
}

/// An open registry and its loop.
struct Opened {
  explicit Opened(RegistryOptions options) {
    auto result = test::run(io, Registry::open(io.get_executor(), std::move(options)));
    if (!result) throw std::runtime_error(result.error().message);
    registry = std::move(*result);
  }
  ~Opened() { test::run(io, registry->close()); }
  Result<CommandResult> apply(Command command) { return test::run(io, registry->apply(std::move(command))); }
  Result<CommandResult> put(const std::string& key, const std::string& value = "v") {
    KvSetCommand command;
    command.key = key;
    command.value = value;
    return apply(command);
  }
  [[nodiscard]] std::shared_ptr<const State> state() const { return registry->snapshot(); }

  asio::io_context io;
  std::unique_ptr<Registry> registry;
};

TEST(Durability, TheOwnNodeItsServiceAndHealthAreThereFromTheStart) {
  const test::TempDir dir;
  Opened r(options_for(dir.path()));
  const auto node = r.state()->node("laptop");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->id.size(), 36U);
  EXPECT_EQ(node->tagged_addresses.at("wan_ipv4"), "127.0.0.1");
  EXPECT_EQ(node->meta, (StringMap{{"consul-network-segment", ""}}));
  EXPECT_EQ(r.state()->instances("consul").at(0).service->port, 8300);
  const auto health = r.state()->check("laptop", "serfHealth");
  EXPECT_EQ(health->name, "Serf Health Status");
  EXPECT_EQ(health->output, "Agent alive and reachable");
  EXPECT_EQ(health->status, "passing");
}

TEST(Durability, EverythingIsThereAfterReopening) {
  const test::TempDir dir;
  Index index = 0;
  std::string node_id;
  {
    Opened r(options_for(dir.path()));
    node_id = r.registry->identity().node_id;
    Service service;
    service.name = "web";
    service.address = "10.0.0.9";
    service.tags = {"a"};
    service.port = 80;
    Check check;
    check.definition.kind = CheckDefinition::Kind::ttl;
    std::vector<Check> checks{check};
    ASSERT_TRUE(test::run(r.io, register_service(*r.registry, service, checks)));
    SessionCreateCommand session;
    session.session.id = "s1";
    session.session.node = "laptop";
    session.session.node_checks = {"serfHealth"};
    ASSERT_TRUE(r.apply(session));
    KvSetCommand lock;
    lock.key = std::string("k\0\xff", 3);
    lock.value = std::string("\0bytes\xfe", 7);
    lock.flags = ~0ULL;
    lock.acquire = "s1";
    ASSERT_TRUE(r.apply(lock));
    ASSERT_TRUE(r.put("empty", ""));
    ASSERT_TRUE(r.put("p/gone"));
    ASSERT_TRUE(r.apply(KvDeleteCommand{"p/gone", false, {}}));
    QuerySetCommand query;
    query.query.id = "q1";
    query.query.name = "near";
    query.query.definition = "{}";
    ASSERT_TRUE(r.apply(query));
    index = r.state()->index();
  }
  Opened r(options_for(dir.path()));
  EXPECT_EQ(r.registry->identity().node_id, node_id);
  EXPECT_EQ(r.state()->index(), index);
  const auto web = r.state()->instances("web").at(0);
  EXPECT_EQ(web.service->tagged_addresses.at("lan_ipv4").address, "10.0.0.9");
  EXPECT_TRUE(web.service->agent_owned);
  ASSERT_EQ(web.checks.size(), 2U);
  EXPECT_EQ(web.checks[1]->id, "service:web");
  const auto held = r.state()->kv(std::string("k\0\xff", 3));
  ASSERT_NE(held, nullptr);
  EXPECT_EQ(held->value, std::string("\0bytes\xfe", 7));
  EXPECT_EQ(held->flags, ~0ULL);
  EXPECT_EQ(held->session, "s1");
  EXPECT_EQ(r.state()->kv("empty")->value, "");
  EXPECT_GT(r.state()->kv_prefix_index("p/"), 1U);
  EXPECT_EQ(r.state()->query_named("near")->id, "q1");
  ASSERT_TRUE(r.apply(SessionDestroyCommand{"s1"}));
  EXPECT_EQ(r.state()->kv(std::string("k\0\xff", 3))->session, "");
}

TEST(Durability, ReopeningWithoutChangesWritesNothing) {
  const test::TempDir dir;
  { Opened r(options_for(dir.path())); }
  Opened r(options_for(dir.path()));
  EXPECT_EQ(r.registry->stats().commits, 0U);
}

TEST(Durability, ASecondRegistryOnTheSameDirectoryIsRefused) {
  const test::TempDir dir;
  Opened r(options_for(dir.path()));
  asio::io_context io;
  const auto second = test::run(io, Registry::open(io.get_executor(), options_for(dir.path())));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_THAT(second.error().message, testing::HasSubstr("in use by another process"));
}

/// Writes numbered keys for ever, eight at a time, and tells each acknowledged number through the pipe.
[[noreturn]] void write_until_killed(const std::string& directory, int first, int pipe) {
  Opened r(options_for(directory));
  struct Writer {
    static asio::awaitable<void> run(Registry& registry, int start, int out) {
      for (int i = start;; i += 8) {
        KvSetCommand command;
        command.key = "n/" + std::to_string(i);
        command.value = std::string(200, 'x');
        Command posted(command);
        const auto done = co_await registry.apply(std::move(posted));
        if (!done || ::write(out, &i, sizeof i) != sizeof i) _exit(1);
      }
    }
  };
  for (int lane = 0; lane < 8; ++lane)
    spawn(r.io.get_executor(), "writer", Writer::run(*r.registry, first + lane, pipe));
  r.io.restart();
  r.io.run();
  _exit(1);
}

TEST(Durability, AcknowledgedWritesSurviveKillMinusNine) {
  const test::TempDir dir;
  std::set<int> acknowledged;
  Index index = 0;
  for (int round = 0; round < 3; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto child = fork();
    if (child == 0) {
      close(ends[0]);
      write_until_killed(dir.path(), round * 1'000'000, ends[1]);
    }
    close(ends[1]);
    int number = 0;
    const std::size_t enough = acknowledged.size() + 100;
    while (acknowledged.size() < enough && read(ends[0], &number, sizeof number) == sizeof number) {
      acknowledged.insert(number);
    }
    kill(child, SIGKILL);
    while (read(ends[0], &number, sizeof number) == sizeof number) acknowledged.insert(number);
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

    std::vector<std::string> notices;
    Opened r(options_for(dir.path(), &notices));
    EXPECT_TRUE(notices.empty());
    for (const int i : acknowledged) {
      ASSERT_NE(r.state()->kv("n/" + std::to_string(i)), nullptr) << i;
    }
    EXPECT_GE(r.state()->index(), index);
    index = r.state()->index();
  }
}

TEST(Durability, ADamagedFileIsSetAsideAndSaidSo) {
  const test::TempDir dir;
  { Opened r(options_for(dir.path())); }
  dir.write("registry.db", "this is not a database, however long one looks at it");
  std::vector<std::string> notices;
  Opened r(options_for(dir.path(), &notices));
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_THAT(notices[0], testing::HasSubstr("registry.db.damaged-1"));
  EXPECT_THAT(test::read_file(dir.file("registry.db.damaged-1")), testing::StartsWith("this is not"));
  EXPECT_TRUE(r.put("k"));
}

TEST(Durability, ADamagedPageInTheMiddleIsFoundAtTheStart) {
  const test::TempDir dir;
  {
    Opened r(options_for(dir.path()));
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(r.put("k" + std::to_string(i), std::string(3000, 'v')));
  }
  {
    std::fstream file(dir.file("registry.db"), std::ios::in | std::ios::out | std::ios::binary);
    const auto size = fs::file_size(dir.file("registry.db"));
    ASSERT_GT(size, 40960U);
    for (std::size_t at = 4096; at + 4096 <= size; at += 4096) {
      file.seekp(static_cast<std::streamoff>(at));
      file.write("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    }
  }
  std::vector<std::string> notices;
  Opened r(options_for(dir.path(), &notices));
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_TRUE(fs::exists(dir.file("registry.db.damaged-1")));
  EXPECT_NE(r.state()->node("laptop"), nullptr);
}

TEST(Durability, AFileOfANewerSchemaIsSetAside) {
  const test::TempDir dir;
  for (int n = 1; n <= 2; ++n) {
    { Opened r(options_for(dir.path())); }
    {
      // user_version is the big-endian word at offset 60 of the file.
      std::fstream file(dir.file("registry.db"), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(60);
      file.write("\0\0\3\xe7", 4);
    }
    std::vector<std::string> notices;
    Opened r(options_for(dir.path(), &notices));
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_THAT(notices[0], testing::HasSubstr("newer devstack"));
    EXPECT_TRUE(fs::exists(dir.file(fmt::format("registry.db.newer-{}", n))));
  }
}

TEST(Durability, AFileOfANegativeSchemaIsDamaged) {
  const test::TempDir dir;
  { Opened r(options_for(dir.path())); }
  {
    std::fstream file(dir.file("registry.db"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(60);
    file.write("\xff\xff\xff\xff", 4);
  }
  std::vector<std::string> notices;
  Opened r(options_for(dir.path(), &notices));
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_THAT(notices[0], testing::HasSubstr("has schema -1"));
  EXPECT_TRUE(fs::exists(dir.file("registry.db.damaged-1")));
}

TEST(Durability, ADirectoryThatCannotBeMadeIsAnError) {
  const test::TempDir dir;
  dir.write("file", "");
  asio::io_context io;
  const auto opened = test::run(io, Registry::open(io.get_executor(), options_for(dir.file("file/below"))));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::io);
}

}  // namespace
}  // namespace devstack::registry
