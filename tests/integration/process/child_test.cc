#include "core/process/child.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

namespace devstack::process {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Time = std::chrono::steady_clock;

Spec shell(const std::string& script, const std::string& log = {}) {
  Spec spec;
  spec.argv = {"sh", "-c", script};
  spec.env = {{"PATH", "/usr/bin:/bin"}};
  spec.log_file = log;
  return spec;
}

/// Turns the loop until `condition` holds.
template <class Condition>
bool eventually(asio::io_context& io, Condition condition, std::chrono::milliseconds limit = 10s) {
  const auto end = Time::now() + limit;
  while (!condition()) {
    if (Time::now() > end) return false;
    io.restart();
    io.run_one_for(5ms);
  }
  return true;
}

pid_t pid_in(const std::string& file) {
  const std::string text = test::read_file(file);
  return text.find('\n') == std::string::npos ? 0 : std::stoi(text);
}

class ChildTest : public testing::Test {
 protected:
  std::unique_ptr<Child> start(Spec spec) {
    auto child = Child::start(io.get_executor(), std::move(spec));
    EXPECT_TRUE(child) << child.error().message;
    return std::move(*child);
  }
  test::TempDir dir;
  asio::io_context io;
};

TEST_F(ChildTest, TellsTheExitCodeToEveryWaiter) {
  const auto child = start(shell("exit 7"));
  int told = 0;
  auto one = [](Child* c, int* count) -> asio::awaitable<void> {
    const ExitStatus status = co_await c->wait();
    EXPECT_EQ(status.code, 7);
    EXPECT_EQ(status.signal, 0);
    EXPECT_TRUE(status.known);
    ++*count;
  };
  for (int i = 0; i < 3; ++i) {
    asio::co_spawn(io, one(child.get(), &told), [](std::exception_ptr failure) { EXPECT_FALSE(failure); });
  }
  EXPECT_TRUE(eventually(io, [&] { return told == 3; }));
  EXPECT_EQ(test::run(io, child->wait()).code, 7) << "also after the end";
}

TEST_F(ChildTest, TellsDeathBySignal) {
  const auto child = start(shell("kill -SEGV $$"));
  const ExitStatus status = test::run(io, child->wait());
  EXPECT_EQ(status.signal, SIGSEGV);
  EXPECT_EQ(status.code, 128 + SIGSEGV);
}

TEST_F(ChildTest, AppendsBothOutputsToTheLogFile) {
  const auto log = dir.file("logs/app.log");
  test::run(io, start(shell("echo out; echo err >&2", log))->wait());
  test::run(io, start(shell("echo again", log))->wait());
  EXPECT_EQ(test::read_file(log), "out\nerr\nagain\n");
}

TEST_F(ChildTest, HasOnlyTheGivenEnvironmentAndDirectory) {
  Spec spec = shell("echo \"$A $(pwd)\"; env | grep -c HOME", dir.file("log"));
  spec.env["A"] = "b c";
  spec.working_dir = dir.path();
  test::run(io, start(spec)->wait());
  EXPECT_EQ(test::read_file(dir.file("log")), "b c " + dir.path() + "\n0\n");
}

TEST_F(ChildTest, InheritsNoDescriptorOfOurs) {
  const int leaked = ::open("/dev/zero", O_RDONLY);  // as a library that forgets O_CLOEXEC would
  Spec spec = shell("ls -l /proc/$$/fd", dir.file("log"));
  test::run(io, start(spec)->wait());
  ::close(leaked);
  const std::string open = test::read_file(dir.file("log"));
  EXPECT_THAT(open, Not(HasSubstr("/dev/zero"))) << open;
  EXPECT_THAT(open, Not(HasSubstr("eventpoll"))) << open;
  EXPECT_THAT(open, HasSubstr("/dev/null")) << "stdin";
}

TEST_F(ChildTest, RunsWithDefaultSignalsEvenWhenWeIgnoreThem) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const auto child = start(shell("kill -PIPE $$; echo survived", dir.file("log")));
  EXPECT_EQ(test::run(io, child->wait()).signal, SIGPIPE);
  ::signal(SIGPIPE, before);
}

TEST_F(ChildTest, RunsAsAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  Spec spec = shell("id -u; id -g; id -G");
  spec.user = "65534:65533";
  const auto finished = test::run(io, run(spec, 10s));
  ASSERT_TRUE(finished) << finished.error().message;
  EXPECT_EQ(finished->output.substr(0, 12), "65534\n65533\n") << finished->output;
}

TEST_F(ChildTest, StopEndsGrandchildrenToo) {
  const auto child = start(shell("sleep 1000 & echo $! > " + dir.file("pid") + "; wait"));
  ASSERT_TRUE(eventually(io, [&] { return pid_in(dir.file("pid")) != 0; }));
  const auto grandchild = identify(pid_in(dir.file("pid")));
  ASSERT_TRUE(grandchild);
  const ExitStatus status = test::run(io, child->stop(SIGTERM, 10s));
  EXPECT_EQ(status.signal, SIGTERM);
  EXPECT_FALSE(alive(*grandchild));
}

TEST_F(ChildTest, StopKillsWhatIgnoresTheSignalAfterTheGrace) {
  const auto child = start(shell("trap '' TERM; echo ready > " + dir.file("pid") + "; while :; do sleep 0.05; done"));
  ASSERT_TRUE(eventually(io, [&] { return !test::read_file(dir.file("pid")).empty(); }));
  const auto begun = Time::now();
  const ExitStatus status = test::run(io, child->stop(SIGTERM, 300ms));
  EXPECT_EQ(status.signal, SIGKILL);
  EXPECT_GE(Time::now() - begun, 300ms);
}

TEST_F(ChildTest, StopKillsMembersThatOutliveTheirLeader) {
  const std::string script = "(trap '' TERM; while :; do sleep 0.05; done) & echo $! > " + dir.file("pid") + "; exit 3";
  const auto child = start(shell(script));
  EXPECT_EQ(test::run(io, child->wait()).code, 3);
  const auto member = identify(pid_in(dir.file("pid")));
  ASSERT_TRUE(member) << "lives on without its leader";
  EXPECT_EQ(test::run(io, child->stop(SIGTERM, 200ms)).code, 3);
  EXPECT_FALSE(alive(*member));
}

TEST_F(ChildTest, StopEndsASuspendedProcess) {
  const auto child = start(shell("exec sleep 1000"));
  child->signal(SIGSTOP);
  EXPECT_EQ(test::run(io, child->stop(SIGTERM, 10s)).signal, SIGTERM);
}

TEST_F(ChildTest, OutlivesItsChildObject) {
  auto child = start(shell("exec sleep 1000"));
  const Identity identity = child->identity();
  child.reset();
  io.restart();
  io.poll();
  EXPECT_TRUE(alive(identity));
  ::kill(-identity.pid, SIGKILL);
  EXPECT_TRUE(eventually(io, [&] { return ::kill(identity.pid, 0) != 0; })) << "it must be reaped, not a zombie";
}

/// What an earlier supervisor that was killed left behind: a process that is not our child.
Identity left_behind(const Spec& spec) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const pid_t helper = ::fork();
  if (helper == 0) {
    asio::io_context io;
    auto child = Child::start(io.get_executor(), spec);
    Identity identity = child ? (*child)->identity() : Identity{};
    const std::array<std::uint64_t, 2> words{static_cast<std::uint64_t>(identity.pid), identity.start_time};
    const auto written = ::write(ends[1], words.data(), sizeof words);
    ::_exit(written == sizeof words ? 0 : 1);
  }
  std::array<std::uint64_t, 2> words{};
  EXPECT_EQ(::read(ends[0], words.data(), sizeof words), static_cast<ssize_t>(sizeof words));
  ::close(ends[0]);
  ::close(ends[1]);
  ::waitpid(helper, nullptr, 0);
  auto identity = identify(static_cast<pid_t>(words[0]));
  EXPECT_TRUE(identity);
  EXPECT_EQ(identity->start_time, words[1]);
  return identity.value_or(Identity{});
}

TEST_F(ChildTest, AdoptedProcessIsWaitedForAndStopped) {
  const Identity identity = left_behind(shell("sleep 1000 & wait"));
  auto child = Child::adopt(io.get_executor(), identity);
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ((*child)->identity(), identity);
  const ExitStatus status = test::run(io, (*child)->stop(SIGTERM, 10s));
  EXPECT_FALSE(status.known);
  EXPECT_FALSE(alive(identity));
}

TEST_F(ChildTest, AdoptedProcessThatEndsByItselfIsNoticed) {
  const Identity identity = left_behind(shell("exec sleep 1000"));
  auto child = Child::adopt(io.get_executor(), identity);
  ASSERT_TRUE(child);
  ::kill(identity.pid, SIGKILL);
  EXPECT_FALSE(test::run(io, (*child)->wait()).known);
}

TEST_F(ChildTest, DoesNotAdoptAReusedPid) {
  const auto child = start(shell("exec sleep 1000"));
  Identity other = child->identity();
  other.start_time += 1;
  auto adopted = Child::adopt(io.get_executor(), other);
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().code, Errc::not_found);
  Identity earlier_boot = child->identity();
  earlier_boot.boot_id = "another";
  EXPECT_FALSE(Child::adopt(io.get_executor(), earlier_boot));
  EXPECT_TRUE(alive(child->identity()));
  test::run(io, child->stop(SIGKILL, 10s));
}

TEST_F(ChildTest, SaysWhyACommandCannotBeStarted) {
  const auto why = [&](std::vector<std::string> argv, std::string working_dir = {}) {
    Spec spec;
    spec.argv = std::move(argv);
    spec.env = {{"PATH", "/usr/bin:/bin"}};
    spec.working_dir = std::move(working_dir);
    auto child = Child::start(io.get_executor(), spec);
    return child ? Error{} : child.error();
  };
  EXPECT_EQ(why({"no-such-tool"}).message, "no-such-tool: command not found in PATH (/usr/bin:/bin)");
  EXPECT_EQ(why({"./worker"}, dir.path()).message, "./worker: no such file in " + dir.path());
  EXPECT_EQ(why({"./worker"}, dir.path()).code, Errc::not_found);
  dir.write("plain", "text");
  EXPECT_EQ(why({"./plain"}, dir.path()).code, Errc::permission);
  EXPECT_THAT(why({"./plain"}, dir.path()).message, HasSubstr("not executable (chmod +x"));
  ::chmod(dir.write("script", "#!/no/interpreter\n").c_str(), 0755);
  EXPECT_THAT(why({"./script"}, dir.path()).message, HasSubstr("interpreter"));
  ::chmod(dir.file("plain").c_str(), 0755);
  EXPECT_THAT(why({"./plain"}, dir.path()).message, HasSubstr("not a program"));
  EXPECT_THAT(why({"sh"}, dir.file("gone")).message, HasSubstr("working directory"));
  EXPECT_EQ(why({}).code, Errc::invalid_argument);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a failed start left a zombie";
}

TEST_F(ChildTest, RunCollectsBothOutputsAndTheCode) {
  const auto finished = test::run(io, run(shell("echo out; echo err >&2; exit 4"), 10s));
  ASSERT_TRUE(finished) << finished.error().message;
  EXPECT_EQ(finished->exit_code, 4);
  EXPECT_EQ(finished->output, "out\nerr\n");
}

TEST_F(ChildTest, RunKeepsTheEndOfALongOutput) {
  const auto finished = test::run(io, run(shell("seq 1 100000; echo last"), 20s, 100));
  ASSERT_TRUE(finished) << finished.error().message;
  EXPECT_EQ(finished->output.size(), 100U);
  EXPECT_THAT(finished->output, testing::EndsWith("100000\nlast\n"));
}

TEST_F(ChildTest, RunKillsTheGroupAtTheDeadline) {
  const auto finished = test::run(io, run(shell("sleep 1000 & echo $! > " + dir.file("pid") + "; wait"), 500ms));
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, Errc::timeout);
  EXPECT_THAT(finished.error().message, HasSubstr("did not end within 500ms"));
  EXPECT_FALSE(identify(pid_in(dir.file("pid"))));
}

TEST_F(ChildTest, RunReturnsAlthoughABackgroundChildHoldsTheOutput) {
  const auto finished = test::run(io, run(shell("sleep 1000 & echo $!"), 10s));
  ASSERT_TRUE(finished) << finished.error().message;
  const auto background = identify(std::stoi(finished->output));
  ASSERT_TRUE(background);
  ::kill(background->pid, SIGKILL);
}

}  // namespace
}  // namespace devstack::process
