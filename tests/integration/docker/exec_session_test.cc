#include "core/docker/exec_session.h"

#include "tests/integration/docker/engine.h"

namespace devstack::docker {
namespace {

class SessionTest : public EngineTest {
 protected:
  std::string running(bool tty = false) {
    ContainerSpec spec;
    spec.command = {"sleep", "1000"};
    spec.tty = tty;
    const auto id = create(spec);
    EXPECT_TRUE(run(client_.start_container(id)));
    return id;
  }
  std::unique_ptr<Session> exec(const std::string& container, ExecOptions options) {
    auto opened = run(Session::exec(client_, container, std::move(options)));
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  struct Output {
    std::string out, err;
  };
  Output read_all(Session& session) {
    Output output;
    while (true) {
      auto piece = run(session.read());
      EXPECT_TRUE(piece) << piece.error().message;
      if (!piece || !*piece) return output;
      ((*piece)->stream == LogStream::out ? output.out : output.err) += (*piece)->bytes;
    }
  }
  static ExecOptions shell(std::string script) {
    ExecOptions options;
    options.argv = {"/bin/busybox", "sh", "-c", std::move(script)};
    return options;
  }
};

TEST_F(SessionTest, ACommandReadsItsInputAndItsStreamsComeApart) {
  const auto id = running();
  auto options = shell("/bin/busybox tr a-z A-Z; echo done >&2; exit 5");
  options.input = true;
  const auto session = exec(id, std::move(options));
  ASSERT_TRUE(session);
  ASSERT_TRUE(run(session->write("first ")));
  ASSERT_TRUE(run(session->write("second\n")));
  session->end_input();
  const auto output = read_all(*session);
  EXPECT_EQ(output.out, "FIRST SECOND\n");
  EXPECT_EQ(output.err, "done\n");
  EXPECT_EQ(run(session->exit_code()).value_or(-1), 5);
}

TEST_F(SessionTest, WithoutInputACommandReadsAnEndAtOnce) {
  const auto session = exec(running(), shell("/bin/busybox cat; echo end"));
  ASSERT_TRUE(session);
  EXPECT_EQ(read_all(*session).out, "end\n");
  EXPECT_EQ(run(session->exit_code()).value_or(-1), 0);
}

TEST_F(SessionTest, ATerminalHasTheSizeItIsGiven) {
  auto options = shell("read line; /bin/busybox stty size");
  options.tty = true;
  options.input = true;
  const auto session = exec(running(), std::move(options));
  ASSERT_TRUE(session);
  ASSERT_TRUE(run(session->resize({33, 101})));
  ASSERT_TRUE(run(session->write("\n")));
  EXPECT_NE(read_all(*session).out.find("33 101"), std::string::npos);
  EXPECT_EQ(run(session->exit_code()).value_or(-1), 0);
}

TEST_F(SessionTest, UserFolderAndVariablesAreTheCommands) {
  auto options = shell("echo $(/bin/busybox id -u) $(/bin/busybox pwd) $WORD");
  options.user = "1234";
  options.working_dir = "/bin";
  options.env = {{"WORD", "here"}};
  const auto session = exec(running(), std::move(options));
  ASSERT_TRUE(session);
  EXPECT_EQ(read_all(*session).out, "1234 /bin here\n");
}

TEST_F(SessionTest, ADetachedCommandRunsOnAndAMissingContainerIsSaid) {
  auto options = shell("exit 7");
  options.detach = true;
  const auto session = exec(running(), std::move(options));
  ASSERT_TRUE(session);
  EXPECT_EQ(read_all(*session).out, "");
  EXPECT_EQ(run(session->exit_code()).value_or(-1), 7);
  EXPECT_EQ(run(Session::exec(client_, "dsit-http-no-such", shell("true"))).error().code, Errc::not_found);
}

TEST_F(SessionTest, AttachedBeforeItsStartNothingOfAContainerIsMissed) {
  ContainerSpec spec;
  spec.command = {"sh", "-c", "read line; echo got $line; exit 4"};
  spec.stdin_open = true;
  const auto id = create(spec);
  auto attached = run(Session::attach(client_, id, true));
  ASSERT_TRUE(attached) << attached.error().message;
  ASSERT_TRUE(run(client_.start_container(id)));
  ASSERT_TRUE(run((*attached)->write("this\n")));
  EXPECT_EQ(read_all(**attached).out, "got this\n");
  EXPECT_EQ(run((*attached)->exit_code()).value_or(-1), 4);
}

}  // namespace
}  // namespace devstack::docker
