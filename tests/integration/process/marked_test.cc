#include "core/process/marked.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "core/process/child.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

namespace devstack::process {
namespace {

using namespace std::chrono_literals;

class MarkedTest : public testing::Test {
 protected:
  std::unique_ptr<Child> start(const std::string& script) {
    Spec spec;
    spec.argv = {"/bin/sh", "-c", script};
    spec.env = {{"PATH", "/usr/bin:/bin"}, {"MARKED_TEST", marker.substr(marker.find('=') + 1)}};
    auto child = Child::start(io.get_executor(), std::move(spec));
    if (!child) throw std::runtime_error(child.error().message);
    return std::move(*child);
  }
  std::size_t outside(const Child& child) const {
    const auto all = marked(marker);
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](pid_t pid) { return ::getpgid(pid) != child.identity().pid; }));
  }
  bool come_to(const Child& child, std::size_t count) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (outside(child) != count && std::chrono::steady_clock::now() < end) io.run_one_for(5ms);
    return outside(child) == count;
  }
  ~MarkedTest() override { test::run(io, end_marked(marker, SIGKILL, 0ms)); }

  asio::io_context io;
  std::string marker = new_marker("MARKED_TEST");
  test::TempDir dir;
};

TEST_F(MarkedTest, MarkersDiffer) {
  EXPECT_NE(new_marker("A"), new_marker("A"));
  EXPECT_TRUE(new_marker("A").starts_with("A="));
  EXPECT_TRUE(marked(new_marker("A")).empty());
  EXPECT_TRUE(marked("").empty());
}

TEST_F(MarkedTest, FindsAndEndsWhatLeftItsGroup) {
  const auto child = start("setsid sleep 1000 & exec sleep 1000");
  ASSERT_TRUE(come_to(*child, 1));
  test::run(io, child->stop(SIGKILL, 0ms));
  ASSERT_EQ(marked(marker).size(), 1U) << "the group's end is not its end";
  EXPECT_TRUE(test::run(io, end_marked(marker, SIGTERM, 5s)));
  EXPECT_TRUE(marked(marker).empty());
}

TEST_F(MarkedTest, KillsWhatDoesNotHear) {
  const auto child = start("trap '' TERM; echo > " + dir.file("deaf") + "; while :; do sleep 0.01; done");
  while (!std::filesystem::exists(dir.file("deaf"))) io.run_one_for(5ms);
  EXPECT_TRUE(test::run(io, end_marked(marker, SIGTERM, 50ms)));
  EXPECT_FALSE(alive(child->identity()));
}

TEST_F(MarkedTest, SparesTheGroupThatHearsOtherwise) {
  const auto child = start("setsid sleep 1000 & exec sleep 1000");
  ASSERT_TRUE(come_to(*child, 1));
  signal_marked(marker, SIGKILL, child->identity().pid);
  ASSERT_TRUE(come_to(*child, 0));
  EXPECT_TRUE(alive(child->identity()));
}

}  // namespace
}  // namespace devstack::process
