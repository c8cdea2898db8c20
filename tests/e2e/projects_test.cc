// Several projects under one appliance: up, up, ps, a crash, down, down.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kFirst = R"(
name: e2efirst
services:
  web:
    command: ["hello"]
    x-process: {port: auto}
)";

constexpr const char* kSecond = R"(
name: e2esecond
ui: {port: 7599}
registry: {kv: {second/key: there}}
services:
  web:
    command: ["hello"]
    x-process: {port: auto}
  box:
    image: devstack/hello
)";

/// The second project, in a folder of its own and with the first's state directory.
class Second {
 public:
  explicit Second(const Appliance& first) : state_(first.state_dir()) { dir_.write("stack.yaml", kSecond); }
  ~Second() { run("down -t 3"); }
  Second(const Second&) = delete;
  Second& operator=(const Second&) = delete;
  Output run(const std::string& args) const {
    return sh("cd " + dir_.path() + " && DEVSTACK_STATE_DIR=" + state_ + " " + DEVSTACK_BINARY + " " + args, 150);
  }
  std::string must(const std::string& args) const {
    const auto out = run(args);
    EXPECT_EQ(out.code, 0) << args << ": " << out.text;
    return out.text;
  }

 private:
  test::TempDir dir_;
  std::string state_;
};

std::string id_of(const Appliance& appliance, const std::string& unit) {
  const auto status = appliance.status();
  for (const auto& service : status.at("services").as_array()) {
    if (service.at("name").as_string() == unit) return std::string(service.at("id").as_string());
  }
  return "";
}

TEST(Projects, ASecondJoinsAndEachGoesAlone) {
  Appliance first(kFirst);
  first.must("up");
  EXPECT_THAT(first.must("ps"), Not(HasSubstr("e2efirst/"))) << "one project sees no change";
  const Second second(first);
  const auto joined = second.must("up");
  EXPECT_THAT(joined, HasSubstr("not used of e2esecond: ui"));
  EXPECT_THAT(joined, HasSubstr("e2esecond is up"));
  EXPECT_EQ(ok("curl -sf http://127.0.0.1:8500/v1/kv/second/key?raw"), "there");
  EXPECT_EQ(parse_json(ok("curl -sf http://127.0.0.1:8500/v1/catalog/service/web")).as_array().size(), 2U);

  const auto web = id_of(first, "e2efirst/web");
  EXPECT_NE(web, "");
  EXPECT_THAT(first.must("ps"), Not(HasSubstr("box")));
  EXPECT_THAT(second.must("ps"), HasSubstr("box"));
  EXPECT_THAT(first.must("status"), HasSubstr("e2esecond/box"));
  second.must("restart web");
  EXPECT_EQ(id_of(first, "e2efirst/web"), web) << "restart is about the folder's own";

  const auto box = id_of(first, "e2esecond/box");
  const auto other = id_of(first, "e2esecond/web");
  ok("kill -9 " + std::to_string(first.supervisor_pid()));
  first.must("up");
  EXPECT_TRUE(eventually([&] { return id_of(first, "e2esecond/web") == other; }));
  EXPECT_EQ(id_of(first, "e2efirst/web"), web);
  EXPECT_TRUE(eventually([&] { return id_of(first, "e2esecond/box") == box; }));

  EXPECT_THAT(second.must("down"), HasSubstr("e2esecond is down"));
  EXPECT_EQ(ok("docker ps -aq --filter label=io.devstack.project=e2esecond"), "");
  EXPECT_EQ(id_of(first, "web"), web);
  EXPECT_THAT(second.must("down"), HasSubstr("e2esecond is not up here; up is: e2efirst"));
  EXPECT_THAT(first.must("down"), HasSubstr("e2efirst is down"));
  EXPECT_NE(sh("test -e " + first.state_dir() + "/control.sock").code, 0) << "the last one stops the appliance";
  EXPECT_THAT(first.must("down"), HasSubstr("nothing runs here"));
}

TEST(Projects, DownAllTakesEverythingAlsoAfterACrash) {
  Appliance first(kFirst);
  const Second second(first);
  for (const bool crash : {false, true}) {
    first.must("up");
    second.must("up");
    if (crash) ok("kill -9 " + std::to_string(first.supervisor_pid()));
    const auto unclear = sh("cd / && DEVSTACK_STATE_DIR=" + first.state_dir() + " " + DEVSTACK_BINARY + " down");
    EXPECT_THAT(unclear.text, HasSubstr("several projects are up here: e2efirst, e2esecond"));
    const auto all = second.must("down --all");
    EXPECT_THAT(all, HasSubstr("e2efirst is down"));
    EXPECT_THAT(all, HasSubstr("e2esecond is down"));
    EXPECT_EQ(ok("docker ps -aq --filter label=io.devstack.project=e2esecond"), "");
    EXPECT_THAT(first.must("down"), HasSubstr("nothing runs here"));
  }
}

}  // namespace
}  // namespace devstack::e2e
