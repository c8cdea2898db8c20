#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "core/docker/client.h"
#include "core/docker/tar.h"
#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

namespace devstack::docker {

/// The machine's own engine and a small image made from the system's static busybox. Skips where there is no engine.
/// What a test makes carries a name of its own process and is removed whatever becomes of the test.
class EngineTest : public testing::Test {
 protected:
  // Of this process alone: tests run side by side, and each takes its image away again.
  inline static const std::string kImage = "dsit-http-busybox:" + std::to_string(::getpid());

  static void TearDownTestSuite() {
    asio::io_context io;
    auto client = *Client::connect_to("unix:///var/run/docker.sock");
    test::run(io, client.remove_image(kImage));
  }

  void SetUp() override {
    const auto info = run(client_.negotiate());
    if (!info) FAIL() << info.error().message;
    const auto present = run(client_.inspect_image(kImage));
    if (present) return;
    std::vector<TarEntry> files{{"bin/", "", 0755}, {"bin/busybox", test::read_file("/bin/busybox"), 0755}};
    if (files[1].content.empty()) FAIL() << "the package busybox-static is not installed";
    const auto id =
        run(client_.import_image(kImage, tar_of(files), {"ENTRYPOINT [\"/bin/busybox\"]", "EXPOSE 80/tcp"}));
    ASSERT_TRUE(id) << id.error().message;
  }
  void TearDown() override {
    for (const auto& id : containers_) run(client_.remove_container(id, true, true));
    for (const auto& name : networks_) run(client_.remove_network(name));
  }

  template <class T>
  T run(asio::awaitable<T> work) {
    return test::run(io_, std::move(work), std::chrono::seconds(60));
  }
  std::string name_of(const std::string& what) { return "dsit-http-" + std::to_string(::getpid()) + "-" + what; }
  /// Its id; the container is removed at the end.
  std::string create(ContainerSpec spec) {
    if (spec.image.empty()) spec.image = kImage;
    auto id = run(client_.create_container(std::move(spec)));
    EXPECT_TRUE(id) << id.error().message;
    if (!id) return {};
    containers_.push_back(*id);
    return *id;
  }

  asio::io_context io_;
  Client client_ = *Client::connect_to("unix:///var/run/docker.sock");
  std::vector<std::string> containers_, networks_;
};

}  // namespace devstack::docker
