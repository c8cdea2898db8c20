#include "core/docker/engine_watcher.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "core/base/async/task_group.h"
#include "tests/integration/docker/engine.h"

namespace devstack::docker {
namespace {

using Local = asio::local::stream_protocol;

/// Passes connections on to the real engine while it is there: an engine that tests can start and kill.
class Relay {
 public:
  Relay(asio::io_context& io, std::string path) : io_(io), path_(std::move(path)) {}

  void start() {
    acceptor_ = std::make_shared<Local::acceptor>(io_, Local::endpoint(path_));
    tasks_ = std::make_unique<TaskGroup>(io_.get_executor());
    tasks_->spawn("relay: accept", accept(*this));
  }
  void stop() {
    acceptor_->close();
    ::unlink(path_.c_str());
    test::run(io_, tasks_->stop());
    tasks_.reset();
  }

 private:
  using Socket = std::shared_ptr<Local::socket>;
  static asio::awaitable<void> accept(Relay& relay) {
    while (true) {
      boost::system::error_code error;
      auto client = std::make_shared<Local::socket>(relay.io_);
      co_await relay.acceptor_->async_accept(*client, asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      auto engine = std::make_shared<Local::socket>(relay.io_);
      co_await engine->async_connect(Local::endpoint("/var/run/docker.sock"), asio::use_awaitable);
      relay.tasks_->spawn("relay: up", pump(client, engine));
      relay.tasks_->spawn("relay: down", pump(engine, client));
    }
  }
  static asio::awaitable<void> pump(Socket from, Socket to) {
    char buffer[8192];
    boost::system::error_code error;
    while (!error) {
      const auto count =
          co_await from->async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
      if (!error) {
        const auto bytes = asio::buffer(buffer, count);
        co_await asio::async_write(*to, bytes, asio::redirect_error(asio::use_awaitable, error));
      }
    }
    boost::system::error_code ignored;
    to->shutdown(Local::socket::shutdown_send, ignored);
  }

  asio::io_context& io_;
  std::string path_;
  std::shared_ptr<Local::acceptor> acceptor_;
  std::unique_ptr<TaskGroup> tasks_;
};

class EngineWatcherTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    EngineWatcher::Listener listener;
    listener.on_up = [this] { said_.push_back("up"); };
    listener.on_down = [this] { said_.push_back("down"); };
    listener.on_event = [this](const Event& event) {
      if (event.type == "container" && event.attributes.contains("dsit")) {
        said_.push_back(event.action + " " + event.attributes.at("dsit"));
      }
    };
    watcher_.subscribe(std::move(listener));
  }
  void TearDown() override {
    run(watcher_.stop());
    EngineTest::TearDown();
  }
  /// Turns the loop until the watcher has said as much.
  void expect_said(const std::vector<std::string>& all) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (said_.size() < all.size() && std::chrono::steady_clock::now() < end) io_.run_one_until(end);
    EXPECT_EQ(said_, all);
  }
  std::string create_labelled(const std::string& mark) {
    ContainerSpec spec;
    spec.command = {"true"};
    spec.labels = {{"dsit", mark}};
    return create(spec);
  }

  test::TempDir dir_;
  std::string path_ = dir_.file("docker.sock");
  Relay relay_{io_, path_};
  EngineWatcher watcher_{io_.get_executor(), *Client::connect_to("unix://" + path_)};
  std::vector<std::string> said_;
};

TEST_F(EngineWatcherTest, AnEngineThatComesAndGoesIsToldInOrder) {
  watcher_.start();
  EXPECT_FALSE(run(watcher_.wait_probed(std::chrono::seconds(5))));
  EXPECT_TRUE(watcher_.state().probed);
  EXPECT_NE(watcher_.state().detail.find("no Docker engine answers"), std::string::npos) << watcher_.state().detail;

  relay_.start();
  expect_said({"up"});
  EXPECT_TRUE(watcher_.state().up);
  EXPECT_FALSE(watcher_.state().info.version.empty());
  create_labelled("one");
  expect_said({"up", "create one"});

  relay_.stop();
  expect_said({"up", "create one", "down"});
  EXPECT_FALSE(watcher_.state().up);
  create_labelled("unseen");

  relay_.start();
  expect_said({"up", "create one", "down", "up"});
  create_labelled("two");
  expect_said({"up", "create one", "down", "up", "create two"});
  relay_.stop();
  expect_said({"up", "create one", "down", "up", "create two", "down"});
}

TEST_F(EngineWatcherTest, WhatHappensAfterOnUpIsNeverLost) {
  // The container is made by another connection the moment on_up runs, before the subscription can have settled.
  std::vector<std::string> seen;
  TaskGroup tasks(io_.get_executor());
  EngineWatcher::Listener racer;
  ContainerSpec spec;
  spec.image = kImage;
  spec.command = {"true"};
  spec.name = name_of("racer");
  containers_.push_back(spec.name);
  spec.labels = {{"dsit", "racer"}};
  racer.on_up = [&] {
    tasks.spawn("race", [](Client& client, ContainerSpec wanted) -> asio::awaitable<void> {
      const auto id = co_await client.create_container(std::move(wanted));
      EXPECT_TRUE(id);
    }(client_, spec));
  };
  watcher_.subscribe(std::move(racer));
  relay_.start();
  watcher_.start();
  expect_said({"up", "create racer"});
  run(tasks.join());  // the event may come before the answer to the request
  run(watcher_.stop());
  relay_.stop();
}

TEST_F(EngineWatcherTest, ALateListenerIsToldThatTheEngineIsUp) {
  relay_.start();
  watcher_.start();
  EXPECT_TRUE(run(watcher_.wait_probed(std::chrono::seconds(10))));
  int ups = 0;
  EngineWatcher::Listener late;
  late.on_up = [&ups] { ++ups; };
  const auto subscription = watcher_.subscribe(std::move(late));
  EXPECT_EQ(ups, 0) << "from the loop, not from subscribe()";
  create_labelled("later");  // turns the loop
  EXPECT_EQ(ups, 1);
  watcher_.unsubscribe(subscription);
  run(watcher_.stop());
  relay_.stop();
}

}  // namespace
}  // namespace devstack::docker
