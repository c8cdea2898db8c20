#include "core/template/templater.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/steady_timer.hpp>

#include "core/template/writer.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

namespace devstack::templates {
namespace {

using devstack::test::read_file;
using devstack::test::run;
using devstack::test::TempDir;
using testing::HasSubstr;

/// A real in-memory registry and a templater on it.
class Templates : public testing::Test {
 protected:
  void SetUp() override {
    registry::RegistryOptions options;
    options.identity = {.node = "node1", .node_id = "", .datacenter = "dc1", .address = "127.0.0.1"};
    auto opened = run(io_, registry::Registry::open(io_.get_executor(), std::move(options)));
    ASSERT_TRUE(opened) << opened.error().to_string();
    registry_ = std::move(*opened);
  }
  void TearDown() override {
    if (templater_) run(io_, templater_->stop());
    if (registry_) run(io_, registry_->close());
  }

  void set(const std::string& key, const std::string& value) {
    registry::KvSetCommand command;
    command.key = key;
    command.value = value;
    apply(command);
  }
  void apply(const registry::Command& command) {
    auto applied = run(io_, registry_->apply(command));
    ASSERT_TRUE(applied) << applied.error().to_string();
  }
  void start(std::vector<Entry> entries) {
    TemplaterOptions options;
    options.entries = std::move(entries);
    options.environment = {{"PATH", "/usr/bin:/bin"}};
    options.node = "node1";
    templater_ = std::make_unique<Templater>(io_.get_executor(), *registry_, std::move(options));
    ASSERT_TRUE(run(io_, templater_->start()));
  }
  /// Lets the loop turn until `done` holds; false at the deadline.
  bool eventually(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(15);
    while (!done() && std::chrono::steady_clock::now() < end) {
      if (io_.stopped()) io_.restart();
      io_.run_one_for(std::chrono::milliseconds(20));
    }
    return done();
  }
  bool becomes(const std::string& file, const std::string& content) {
    return eventually([&] { return read_file(dir_.file(file)) == content; });
  }
  Entry entry(const std::string& contents, const std::string& destination = "out", const std::string& command = "") {
    Entry one;
    one.contents = contents;
    one.destination = dir_.file(destination);
    one.command = command;
    return one;
  }

  asio::io_context io_;
  TempDir dir_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<Templater> templater_;
};

TEST_F(Templates, FollowAKeyAndRunTheCommandOnlyWhenTheFileChanged) {
  set("a", "1");
  start({entry("v={{ key \"a\" }}", "sub/out", "echo run >> " + dir_.file("log"))});
  EXPECT_EQ(read_file(dir_.file("sub/out")), "v=1");
  EXPECT_EQ(read_file(dir_.file("log")), "run\n");
  set("unrelated", "x");
  set("a", "2");
  EXPECT_TRUE(becomes("sub/out", "v=2"));
  EXPECT_TRUE(becomes("log", "run\nrun\n"));
  // A restart with unchanged data writes nothing and runs nothing.
  run(io_, templater_->stop());
  ASSERT_TRUE(run(io_, templater_->start()));
  EXPECT_EQ(read_file(dir_.file("log")), "run\nrun\n");
  EXPECT_THAT(templater_->report().detail, HasSubstr("1 template, last change "));
}

TEST_F(Templates, TheSameTextRunsNoCommand) {
  const auto log = dir_.file("log");
  start({entry("{{ if keyExists \"k\" }}same{{ else }}same{{ end }}", "out", "echo run >> " + log),
         entry("{{ keyOrDefault \"k\" \"none\" }}", "marker")});
  EXPECT_EQ(read_file(log), "run\n");
  set("k", "v");
  // Rendered after the first template of the same pass, so that one has been looked at by then.
  EXPECT_TRUE(becomes("marker", "v"));
  run(io_, templater_->stop());
  EXPECT_EQ(read_file(log), "run\n");
}

TEST_F(Templates, FollowTheInstancesOfAService) {
  start({entry("{{ range service \"web\" }}{{ .ID }};{{ end }}")});
  EXPECT_EQ(read_file(dir_.file("out")), "");
  registry::Service service;
  service.id = "w1";
  service.name = "web";
  auto added = run(io_, registry::register_service(*registry_, service));
  ASSERT_TRUE(added);
  EXPECT_TRUE(becomes("out", "w1;"));
  auto removed = run(io_, registry::deregister_service(*registry_, "w1"));
  ASSERT_TRUE(removed);
  EXPECT_TRUE(becomes("out", ""));
}

TEST_F(Templates, WaitForAMissingKeyAndSaySo) {
  start({entry("{{ key \"late\" }}"), entry("ready", "other")});
  EXPECT_FALSE(std::filesystem::exists(dir_.file("out")));
  EXPECT_EQ(read_file(dir_.file("other")), "ready");
  EXPECT_TRUE(templater_->report().degraded);
  EXPECT_EQ(templater_->report().detail, dir_.file("out") + " waits for key \"late\"");
  EXPECT_FALSE(templater_->all_rendered());
  set("late", "now");
  EXPECT_TRUE(becomes("out", "now"));
  EXPECT_TRUE(eventually([&] { return !templater_->report().degraded; }));
}

TEST_F(Templates, KeepTheFileWhenItsKeyIsDeleted) {
  set("k", "v");
  start({entry("{{ key \"k\" }}")});
  registry::KvDeleteCommand gone;
  gone.key = "k";
  apply(gone);
  EXPECT_TRUE(eventually([&] { return templater_->report().degraded; }));
  EXPECT_EQ(read_file(dir_.file("out")), "v");
}

TEST_F(Templates, AFailedCheckKeepsTheOldFile) {
  set("k", "good");
  auto one = entry("{{ key \"k\" }}");
  one.check = "grep -q good {} && test -f \"$FILE\"";
  start({one});
  EXPECT_EQ(read_file(dir_.file("out")), "good");
  set("k", "bad");
  EXPECT_TRUE(eventually([&] { return templater_->report().degraded; }));
  EXPECT_EQ(read_file(dir_.file("out")), "good");
  EXPECT_THAT(templater_->report().detail, HasSubstr("check: "));
  set("k", "good again");
  EXPECT_TRUE(becomes("out", "good again"));
}

TEST_F(Templates, RunIdenticalCommandsOnceAPassAndInOrder) {
  set("k", "1");
  const auto log = dir_.file("log");
  start({entry("a{{ key \"k\" }}", "a", "echo x >> " + log), entry("b{{ key \"k\" }}", "b", "echo y >> " + log),
         entry("c{{ key \"k\" }}", "c", "echo x >> " + log)});
  EXPECT_EQ(read_file(log), "x\ny\n");
}

TEST_F(Templates, AFailedCommandIsShownAndStopsNothing) {
  set("k", "1");
  start({entry("{{ key \"k\" }}", "out", "echo no luck; exit 3")});
  EXPECT_THAT(templater_->report().detail, HasSubstr("ended with 3: no luck"));
  set("k", "2");
  EXPECT_TRUE(becomes("out", "2"));
}

TEST_F(Templates, AnErrorHasItsPosition) {
  dir_.write("in.ctmpl", "line\n{{ nosuch }}");
  Entry one;
  one.source = dir_.file("in.ctmpl");
  one.destination = dir_.file("out");
  start({one});
  EXPECT_EQ(templater_->report().detail, dir_.file("in.ctmpl") + ":2:4: function \"nosuch\" not defined");
}

/// A view whose engine has not answered.
class Unsynced : public registry::RegistryView {
 public:
  explicit Unsynced(registry::RegistryView& real) : real_(real) {}
  [[nodiscard]] std::shared_ptr<const registry::State> snapshot() const override { return real_.snapshot(); }
  [[nodiscard]] bool synced() const override { return synced_; }
  asio::awaitable<bool> wait(std::vector<registry::Watch> watches, registry::Index seen,
                             std::chrono::steady_clock::time_point deadline) override {
    return real_.wait(std::move(watches), seen, deadline);
  }
  bool synced_ = false;

 private:
  registry::RegistryView& real_;
};

TEST_F(Templates, NothingIsRenderedBeforeTheViewHasSynced) {
  Unsynced view(*registry_);
  TemplaterOptions options;
  options.entries = {entry("x")};
  Templater templater(io_.get_executor(), view, options);
  ASSERT_TRUE(run(io_, templater.start()));
  EXPECT_FALSE(std::filesystem::exists(dir_.file("out")));
  EXPECT_EQ(render_once(options.entries[0], view, options).error().code, Errc::unavailable);
  view.synced_ = true;
  EXPECT_TRUE(becomes("out", "x"));
  run(io_, templater.stop());
}

TEST_F(Templates, RenderOnceWritesNothing) {
  set("k", "v");
  TemplaterOptions options;
  const auto rendered = render_once(entry("{{ key \"k\" }}"), *registry_, options);
  ASSERT_TRUE(rendered);
  EXPECT_EQ(rendered->text, "v");
  EXPECT_FALSE(std::filesystem::exists(dir_.file("out")));
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

TEST_F(Templates, FilesKeepTheirModeOrGetTheAskedFor) {
  const auto path = dir_.file("f");
  Output output{.destination = path, .perms = "", .check = ""};
  EXPECT_EQ(*run(io_, write_file(output, "1", {})), Written::changed);
  EXPECT_EQ(mode_of(path), 0644U);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_EQ(*run(io_, write_file(output, "2", {})), Written::changed);
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(*run(io_, write_file(output, "2", {})), Written::unchanged);
  output.perms = "0640";
  EXPECT_EQ(*run(io_, write_file(output, "2", {})), Written::changed);
  EXPECT_EQ(mode_of(path), 0640U);
  // Nothing temporary stays behind.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_.path()), {}), 1);
}

TEST_F(Templates, AnUnwritablePlaceIsAnErrorThatNamesIt) {
  dir_.write("file", "x");
  Output output{.destination = dir_.file("file/below"), .perms = "", .check = ""};
  const auto written = run(io_, write_file(output, "1", {}));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Errc::io);
  EXPECT_THAT(written.error().message, HasSubstr(dir_.file("file/below")));
}

}  // namespace
}  // namespace devstack::templates
