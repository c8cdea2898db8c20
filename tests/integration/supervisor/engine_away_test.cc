#include "tests/integration/supervisor/stack_fixture.h"

namespace devstack::supervisor {
namespace {

using EngineAwayTest = SupervisorTest;

/// The engine behind a relay that can be taken away.
class Relay {
 public:
  explicit Relay(std::string socket) : socket_(std::move(socket)) { open(); }
  ~Relay() { close(); }
  void open() {
    ::unlink(socket_.c_str());
    process::Spec spec;
    spec.argv = {"/usr/bin/python3", "-c", R"(
import socket, sys, threading
def pump(a, b):
    try:
        while data := a.recv(65536): b.sendall(data)
    except OSError: pass
    for s in (a, b):
        try: s.shutdown(socket.SHUT_RDWR)
        except OSError: pass
server = socket.socket(socket.AF_UNIX); server.bind(sys.argv[1]); server.listen(64)
while True:
    near, _ = server.accept()
    far = socket.socket(socket.AF_UNIX); far.connect('/var/run/docker.sock')
    for pair in ((near, far), (far, near)): threading.Thread(target=pump, args=pair, daemon=True).start()
)",
                 socket_};
    auto started = process::Child::start(io_.get_executor(), spec);
    if (!started) throw std::runtime_error(started.error().message);
    child_ = std::move(*started);
    while (::access(socket_.c_str(), F_OK) != 0) io_.run_one_for(5ms);
  }
  void close() {
    if (child_) test::run(io_, child_->stop(SIGKILL, 0ms));
    child_.reset();
    ::unlink(socket_.c_str());
  }

 private:
  asio::io_context io_;
  std::string socket_;
  std::unique_ptr<process::Child> child_;
};

TEST_F(EngineAwayTest, WhatEndedMeanwhileIsStartedAgainAndTheRestLeftAlone) {
  Relay relay(dir.file("engine.sock"));
  Stack stack(dir.path(), "unix://" + dir.file("engine.sock"));
  stack.supervisor->apply(plan({container("killed", "exec sleep 1000"), container("removed", "exec sleep 1000"),
                                container("kept", "exec sleep 1000")}));
  ASSERT_TRUE(stack.up());
  const auto kept = stack.unit("kept");
  const auto killed = stack.unit("killed");
  relay.close();
  ASSERT_TRUE(stack.eventually([&] { return !stack.watcher->state().up; }));
  EXPECT_FALSE(stack.supervisor->status().docker_detail.empty());
  EXPECT_EQ(stack.unit("kept").state, State::running) << "an engine away is no end of its containers";
  shell("docker kill " + killed.id);
  shell("docker rm -f " + stack.unit("removed").id);
  relay.open();
  ASSERT_TRUE(stack.eventually([&] { return stack.watcher->state().up; }));
  ASSERT_TRUE(stack.eventually([&] {
    return stack.unit("removed").id != "" &&
           shell("docker ps -q --filter label=io.devstack.project=" + project + " | wc -l") == "3";
  }));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(stack.unit("kept").id, kept.id);
  EXPECT_EQ(stack.unit("kept").started_at, kept.started_at);
  EXPECT_EQ(stack.unit("killed").id, killed.id);
  stack.down();
}

}  // namespace
}  // namespace devstack::supervisor
