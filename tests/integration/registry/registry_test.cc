#include "core/registry/registry.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <thread>

#include "core/base/async/task_group.h"
#include "core/registry/row.h"
#include "core/registry/snapshot.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

/// The writer, its commits and its waiters, on a real file.
namespace devstack::registry {
namespace {

using namespace std::chrono_literals;
using Table = Watch::Table;
constexpr auto forever = std::chrono::steady_clock::time_point::max();

Command put(std::string key, std::string value = "v") {
  KvSetCommand command;
  command.key = std::move(key);
  command.value = std::move(value);
  return command;
}

struct RegistryTest : testing::Test {
  RegistryTest() { open(16384); }
  ~RegistryTest() override { test::run(io, registry->close()); }
  void open(std::size_t queue_limit) {
    if (registry) test::run(io, registry->close());
    RegistryOptions options;
    options.identity.node = "laptop";
    options.identity.address = "127.0.0.1";
    options.data_dir = dir.path();
    options.queue_limit = queue_limit;
    auto opened = test::run(io, Registry::open(io.get_executor(), std::move(options)));
    if (!opened) throw std::runtime_error(opened.error().message);
    registry = std::move(*opened);
  }
  Result<CommandResult> apply(Command command) { return test::run(io, registry->apply(std::move(command))); }

  /// Starts a wait; what it returned stands in the result once it has.
  std::shared_ptr<std::optional<bool>> wait(std::vector<Watch> watches, Index seen) {
    auto result = std::make_shared<std::optional<bool>>();
    struct Waiting {
      static asio::awaitable<void> run(Registry& r, std::vector<Watch> what, Index last,
                                       std::shared_ptr<std::optional<bool>> out) {
        *out = co_await r.wait(std::move(what), last, forever);
      }
    };
    group.spawn("wait", Waiting::run(*registry, std::move(watches), seen, result));
    settle();
    return result;
  }
  void settle() {
    io.restart();
    while (io.poll() > 0) {
    }
  }

  const test::TempDir dir;
  asio::io_context io;
  TaskGroup group{io.get_executor()};
  std::unique_ptr<Registry> registry;
};

TEST_F(RegistryTest, TheLoopGoesOnWhileASnapshotIsRestored) {
  // A row of a key that is there already is let go by whoever carries out the restore: it waits there for the loop.
  std::promise<void> began, loop_ran;
  std::atomic<bool> waited_in_vain = false;
  auto kept = std::make_shared<KvEntry>();
  kept->key = "k";
  kept->create_index = kept->modify_index = 1;
  KvPtr second(new KvEntry(*kept), [&](const KvEntry* entry) {
    began.set_value();
    waited_in_vain = loop_ran.get_future().wait_for(10s) != std::future_status::ready;
    delete entry;
  });
  auto rows = std::make_shared<std::vector<Row>>();
  rows->push_back(Row{KvPtr(kept), Row::Kind::put});
  rows->push_back(Row{second, Row::Kind::put});
  struct Restore {
    static asio::awaitable<void> run(Registry& r, RestoreCommand what, std::optional<bool>& out) {
      Command command(std::move(what));
      const auto result = co_await r.apply(std::move(command));
      out = result.has_value();
    }
  };
  std::optional<bool> restored;
  second.reset();
  group.spawn("restore", Restore::run(*registry, RestoreCommand{std::move(rows)}, restored));
  auto under_way = began.get_future();
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (under_way.wait_for(1ms) != std::future_status::ready && std::chrono::steady_clock::now() < end) settle();
  EXPECT_FALSE(restored);
  EXPECT_EQ(registry->snapshot()->kv("k"), nullptr);
  loop_ran.set_value();
  test::run(io, group.join());
  EXPECT_EQ(restored, true);
  EXPECT_FALSE(waited_in_vain);
  EXPECT_NE(registry->snapshot()->kv("k"), nullptr);
}

TEST_F(RegistryTest, WritesBehindARestoreAreCarriedOutAfterIt) {
  ASSERT_TRUE(apply(put("old")));
  auto saved = decode_snapshot(encode_snapshot(*registry->snapshot()));
  ASSERT_TRUE(saved) << saved.error().message;
  struct Writer {
    static asio::awaitable<void> run(Registry& r, Command command, std::vector<Index>& out) {
      const auto result = co_await r.apply(std::move(command));
      EXPECT_TRUE(result);
      if (result) out.push_back(result->index);
    }
  };
  std::vector<Index> indexes;
  group.spawn("before", Writer::run(*registry, put("before"), indexes));
  group.spawn("restore", Writer::run(*registry, Command(std::move(*saved)), indexes));
  group.spawn("behind", Writer::run(*registry, put("behind"), indexes));
  test::run(io, group.join());
  ASSERT_EQ(indexes.size(), 3U);
  EXPECT_TRUE(std::is_sorted(indexes.begin(), indexes.end()));
  EXPECT_EQ(registry->snapshot()->kv("before"), nullptr);
  EXPECT_NE(registry->snapshot()->kv("old"), nullptr);
  EXPECT_NE(registry->snapshot()->kv("behind"), nullptr);
}

TEST_F(RegistryTest, ConcurrentWritersShareCommits) {
  const auto before = registry->stats().commits;
  int done = 0;
  struct Writer {
    static asio::awaitable<void> run(Registry& r, int i, int& count) {
      Command command = put("k" + std::to_string(i));
      const auto result = co_await r.apply(std::move(command));
      EXPECT_TRUE(result);
      // Acknowledged means visible.
      EXPECT_NE(r.snapshot()->kv("k" + std::to_string(i)), nullptr);
      ++count;
    }
  };
  for (int i = 0; i < 500; ++i) group.spawn("writer", Writer::run(*registry, i, done));
  test::run(io, group.join());
  EXPECT_EQ(done, 500);
  EXPECT_LE(registry->stats().commits - before, 5U);
  EXPECT_EQ(registry->snapshot()->kv_prefix("k").size(), 500U);
}

TEST_F(RegistryTest, IdempotentWritesCostNoCommit) {
  ASSERT_TRUE(apply(put("k")));
  const auto before = registry->stats().commits;
  const auto index = registry->snapshot()->index();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(apply(put("k"))->index, index);
  EXPECT_EQ(registry->stats().commits, before);
}

TEST_F(RegistryTest, AFullQueueRefusesWriters) {
  open(4);
  int refused = 0, done = 0;
  struct Writer {
    static asio::awaitable<void> run(Registry& r, int i, int& bad, int& good) {
      Command command = put("k" + std::to_string(i));
      const auto result = co_await r.apply(std::move(command));
      EXPECT_TRUE(result || result.error().code == Errc::unavailable);
      ++(result ? good : bad);
    }
  };
  for (int i = 0; i < 100; ++i) group.spawn("writer", Writer::run(*registry, i, refused, done));
  test::run(io, group.join());
  EXPECT_GE(done, 4);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(refused + done, 100);
  EXPECT_TRUE(apply(put("later")));
}

TEST_F(RegistryTest, OnlyTheWatchedKeyWakesItsWaiter) {
  const auto seen = registry->snapshot()->index();
  const auto key = wait({{Table::kv_key, "a"}}, seen);
  const auto prefix = wait({{Table::kv_prefix, "b/"}, {Table::service, "Web"}}, seen);
  EXPECT_EQ(registry->stats().waiters, 2U);
  ASSERT_TRUE(apply(put("a/child")));
  settle();
  EXPECT_FALSE(key->has_value());
  ASSERT_TRUE(apply(put("a")));
  settle();
  EXPECT_EQ(*key, true);
  Service service;
  service.name = "web";
  ASSERT_TRUE(test::run(io, register_service(*registry, service, {})));
  settle();
  EXPECT_EQ(*prefix, true);
  EXPECT_EQ(registry->stats().waiters, 0U);
}

TEST_F(RegistryTest, AnEmptyPrefixIsWokenByAnyWriteAndAFilledOneOnlyByItsOwn) {
  ASSERT_TRUE(apply(put("full/x")));
  const auto seen = registry->snapshot()->index();
  const auto empty = wait({{Table::kv_prefix, "empty/"}}, seen);
  const auto full = wait({{Table::kv_prefix, "full/"}}, seen);
  const auto any = wait({{Table::any, ""}}, seen);
  ASSERT_TRUE(apply(put("elsewhere")));
  settle();
  EXPECT_EQ(*empty, true);
  EXPECT_EQ(*any, true);
  EXPECT_FALSE(full->has_value());
  ASSERT_TRUE(apply(KvDeleteCommand{"full/x", false, {}}));
  settle();
  EXPECT_EQ(*full, true);
}

TEST_F(RegistryTest, AChangeBeforeTheWaitIsNotMissed) {
  const auto seen = registry->snapshot()->index();
  ASSERT_TRUE(apply(put("a")));
  const auto key = wait({{Table::kv_key, "a"}}, seen);
  EXPECT_EQ(*key, true);
}

TEST_F(RegistryTest, AFutureIndexWaitsToTheDeadline) {
  const auto soon = std::chrono::steady_clock::now() + 20ms;
  std::vector<Watch> watches{{Table::kv_key, "a"}};
  EXPECT_FALSE(test::run(io, registry->wait(watches, 1'000'000, soon)));
  EXPECT_GE(std::chrono::steady_clock::now(), soon);
  EXPECT_EQ(registry->stats().waiters, 0U);
}

TEST_F(RegistryTest, CancellingAWaiterUnregistersIt) {
  const auto seen = registry->snapshot()->index();
  const auto waiting = wait({{Table::kv_key, "a"}}, seen);
  ASSERT_EQ(registry->stats().waiters, 1U);
  test::run(io, group.stop());
  EXPECT_EQ(registry->stats().waiters, 0U);
  EXPECT_NE(*waiting, std::optional<bool>(true));
}

TEST_F(RegistryTest, ClosingReleasesWaitersAndRefusesWriters) {
  const auto waiting = wait({{Table::kv_key, "a"}}, registry->snapshot()->index());
  test::run(io, registry->close());
  settle();
  EXPECT_EQ(*waiting, false);
  EXPECT_EQ(apply(put("a")).error().code, Errc::unavailable);
}

TEST_F(RegistryTest, WritersAndWaitersOnOtherThreadsAreServed) {
  auto keep = asio::make_work_guard(io);
  std::thread loop([this] {
    io.restart();
    io.run();
  });
  std::vector<std::thread> others;
  std::vector<asio::io_context> contexts(4);
  std::atomic<int> woken{0};
  for (int t = 0; t < 4; ++t) {
    others.emplace_back([&, t] {
      auto& own = contexts[static_cast<std::size_t>(t)];
      for (int i = 0; i < 25; ++i) {
        const auto key = fmt::format("t{}/{}", t, i);
        const auto seen = registry->snapshot()->index();
        struct Both {
          static asio::awaitable<bool> run(Registry& r, std::string k, Index last) {
            Command command = put(k);
            const auto done = co_await r.apply(std::move(command));
            if (!done) co_return false;
            std::vector<Watch> watches{{Table::kv_key, k}};
            co_return co_await r.wait(std::move(watches), last, std::chrono::steady_clock::now() + 10s);
          }
        };
        if (test::run(own, Both::run(*registry, key, seen))) ++woken;
      }
    });
  }
  for (auto& thread : others) thread.join();
  keep.reset();
  io.stop();
  loop.join();
  EXPECT_EQ(woken, 100);
}

TEST_F(RegistryTest, TheOwnNodeComesBackWhenDeregistered) {
  ASSERT_TRUE(apply(DeregisterCommand{"laptop", "", ""}));
  EXPECT_NE(registry->snapshot()->check("laptop", "serfHealth"), nullptr);
  ASSERT_TRUE(apply(DeregisterCommand{"laptop", "consul", ""}));
  EXPECT_TRUE(registry->snapshot()->has_service("consul"));
}

TEST_F(RegistryTest, ACatalogRegistrationDoesNotChangeTheOwnNode) {
  RegisterCommand command;
  command.node.name = "laptop";
  command.node.address = "10.9.9.9";
  command.service.emplace();
  command.service->name = "web";
  ASSERT_TRUE(apply(command));
  EXPECT_EQ(registry->snapshot()->node("laptop")->address, "127.0.0.1");
  EXPECT_TRUE(registry->snapshot()->has_service("web"));
}

TEST_F(RegistryTest, AdvertisingMovesTheOwnNode) {
  ASSERT_TRUE(test::run(io, registry->advertise("172.17.0.1")));
  EXPECT_EQ(registry->identity().address, "172.17.0.1");
  EXPECT_EQ(registry->snapshot()->node("laptop")->address, "172.17.0.1");
  EXPECT_EQ(registry->snapshot()->node("laptop")->tagged_addresses.at("lan_ipv4"), "172.17.0.1");
}

/// Files may not grow past `bytes` while it lives: writes fail as they do on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit tight{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &tight);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_{};
};

TEST_F(RegistryTest, AFullDiskRefusesWritersAndReadsGoOn) {
  ASSERT_TRUE(apply(put("kept")));
  const auto index = registry->snapshot()->index();
  const auto waiting = wait({{Table::kv_key, "lost"}}, index);
  {
    const FullDisk full(1);
    const auto refused = apply(put("lost", std::string(100000, 'x')));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::io);
    EXPECT_FALSE(apply(put("lost too")));
    EXPECT_NE(registry->snapshot()->kv("kept"), nullptr);
    EXPECT_EQ(registry->snapshot()->kv("lost"), nullptr);
    EXPECT_EQ(registry->snapshot()->index(), index);
    settle();
    EXPECT_FALSE(waiting->has_value());
  }
  const auto after = apply(put("after"));
  ASSERT_TRUE(after) << after.error().message;
  ASSERT_TRUE(apply(put("lost")));
  settle();
  EXPECT_EQ(*waiting, true);
  open(16384);
  EXPECT_NE(registry->snapshot()->kv("kept"), nullptr);
  EXPECT_NE(registry->snapshot()->kv("after"), nullptr);
  EXPECT_EQ(registry->snapshot()->kv("lost too"), nullptr);
}

TEST(RegistryInMemory, WorksWithoutADirectory) {
  asio::io_context io;
  RegistryOptions options;
  options.identity.node = "laptop";
  options.identity.address = "::1";
  auto registry = test::run(io, Registry::open(io.get_executor(), std::move(options)));
  ASSERT_TRUE(registry);
  ASSERT_TRUE(test::run(io, (*registry)->apply(put("k"))));
  EXPECT_NE((*registry)->snapshot()->kv("k"), nullptr);
  EXPECT_EQ((*registry)->snapshot()->node("laptop")->tagged_addresses.at("lan_ipv6"), "::1");
  EXPECT_EQ((*registry)->stats().commits, 0U);
  test::run(io, (*registry)->close());
}

}  // namespace
}  // namespace devstack::registry
