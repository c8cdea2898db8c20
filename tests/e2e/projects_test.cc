// Several projects under one appliance: up, up, ps, a crash, down, down.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
  explicit Second(const Appliance& first, const std::string& stack = kSecond) : state_(first.state_dir()) {
    dir_.write("stack.yaml", stack);
  }
  ~Second() { run("down -t 3"); }
  Second(const Second&) = delete;
  Second& operator=(const Second&) = delete;
  Output run(const std::string& args) const { return sh("cd " + dir_.path() + " && " + command_line(args), 150); }
  [[nodiscard]] std::string command_line(const std::string& args) const {
    return "DEVSTACK_STATE_DIR=" + state_ + " " + DEVSTACK_BINARY + " " + args;
  }
  [[nodiscard]] std::string file(const std::string& name) const { return dir_.file(name); }
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

constexpr const char* kBoxes = R"(
services:
  box:
    image: devstack/hello
    environment: {HELLO_NAME: NAME}
    ports: ["8080"]
)";

std::string boxes(const std::string& name) {
  std::string text = "name: " + name + kBoxes;
  return text.replace(text.find("NAME"), 4, name);
}

/// Commands about a service of a folder's project, while another has one of the same name.
TEST(Projects, CommandsMeanTheFoldersOwnServiceOfAName) {
  Appliance first(boxes("e2efirst"));
  first.must("up");
  const Second second(first, boxes("e2esecond"));
  second.must("up");
  const auto mine = ok("docker ps -q --filter label=com.docker.compose.project=e2esecond");
  const auto other = ok("docker ps -q --filter label=com.docker.compose.project=e2efirst");

  second.must("cp stack.yaml box:/own.yaml");
  EXPECT_EQ(sh("docker cp " + other + ":/own.yaml -").code, 1) << "cp is about the folder's own";
  EXPECT_EQ(ok("docker cp " + mine + ":/own.yaml - | tar -xO"), ok("cat " + second.file("stack.yaml")));
  second.must("cp stack.yaml e2efirst/box:/named.yaml");
  EXPECT_EQ(ok("docker cp " + other + ":/named.yaml - | tar -xO"), ok("cat " + second.file("stack.yaml")));
  EXPECT_THAT(second.must("port box 8080"), HasSubstr(ok("docker port " + mine + " 8080 | head -1") + "\n"));
  EXPECT_THAT(second.must("-p e2efirst port box 8080"),
              HasSubstr(ok("docker port " + other + " 8080 | head -1") + "\n"));
  EXPECT_EQ(first.must("port e2esecond/box 8080"), second.must("port box 8080"));
  EXPECT_THAT(second.run("exec box /none").text, HasSubstr("/none")) << "the engine's word, not that it is unclear";
  EXPECT_EQ(sh("cd / && " + second.command_line("exec box /hello")).code, 1);
  EXPECT_THAT(sh("cd / && " + second.command_line("top box")).text, HasSubstr("say which with -p NAME"));
  EXPECT_THAT(second.must("top"), Not(HasSubstr("e2efirst")));
  EXPECT_THAT(second.must("top e2efirst/box"), HasSubstr("e2efirst/box"));
  const auto images = second.must("images");
  EXPECT_EQ(std::count(images.begin(), images.end(), '\n'), 2) << "a head and one of them: " << images;

  second.must("scale box=2");
  EXPECT_EQ(ok("docker ps -q --filter label=com.docker.compose.project=e2esecond | wc -l"), "2");
  EXPECT_EQ(ok("docker ps -q --filter label=com.docker.compose.project=e2efirst | wc -l"), "1");
  second.must("up --scale box=1");
  second.must("kill box");
  const auto killed = second.run("wait box");
  EXPECT_EQ(killed.code, 137);
  EXPECT_THAT(killed.text, HasSubstr("box exited with code 137"));
  second.must("rm -f");
  EXPECT_EQ(ok("docker ps -aq --filter label=com.docker.compose.project=e2esecond"), "");
  EXPECT_EQ(ok("docker ps -q --filter label=com.docker.compose.project=e2efirst"), other) << "untouched by all of it";
  second.must("rm -sf e2efirst/box");
  EXPECT_EQ(ok("docker ps -aq --filter label=com.docker.compose.project=e2efirst"), "");
  second.must("down");
  EXPECT_THAT(second.run("stop box").text, HasSubstr("e2esecond is not up here; up is: e2efirst"));
}

TEST(Projects, OneThatIsNotUpShowsNothingOfAnother) {
  Appliance first(kFirst);
  first.must("up");
  const Second second(first);
  const auto shown = second.must("ps");
  EXPECT_THAT(shown, HasSubstr("e2esecond is not up here; up is: e2efirst\n"));
  EXPECT_THAT(shown, HasSubstr("RESTARTS")) << "an empty table has its head";
  EXPECT_THAT(shown, Not(HasSubstr("web")));
  EXPECT_EQ(ok("cd " + second.file("") + " && " + second.command_line("ps -q 2>/dev/null")), "");
  EXPECT_EQ(second.run("ps web").code, 1);
  const auto document = parse_json(ok("cd " + second.file("") + " && " + second.command_line("--json ps 2>/dev/null")));
  EXPECT_TRUE(document.at("services").as_array().empty());

  EXPECT_THAT(first.must("logs"), HasSubstr("web"));
  EXPECT_EQ(second.must("logs"), "");
  second.must("up");
  EXPECT_TRUE(eventually([&] { return second.run("logs box").text.find("box") != std::string::npos; }));
  second.must("down");
  EXPECT_THAT(second.must("logs"), HasSubstr("box")) << "its own, that are kept";
}

TEST(Projects, EachHasItsDnsRecordsUntilItsDown) {
  const auto stack = [](const std::string& name, const std::string& records) {
    return "name: " + name + "\ndns: {records: {" + records + "}}\nregistry: {kv: {" + name + ": there}}\n" +
           "services:\n  web: {command: [hello], x-process: {port: auto}}\n";
  };
  const auto resolved = [](const std::string& name) { return ok("dig +short +tries=1 @127.0.0.1 " + name); };
  const Appliance first(stack("e2efirst", "one.test: 10.0.0.1"));
  first.must("up");
  EXPECT_EQ(resolved("one.test"), "10.0.0.1");
  EXPECT_EQ(resolved("two.test"), "");
  const Second second(first, stack("e2esecond", "two.test: 10.0.0.2, '*.two.test': 10.0.0.3"));
  EXPECT_THAT(second.must("up"), Not(HasSubstr("not used")));
  EXPECT_EQ(resolved("two.test"), "10.0.0.2");
  EXPECT_EQ(resolved("any.two.test"), "10.0.0.3");

  const Second third(first, stack("e2ethird", "three.test: 10.0.0.4, ONE.test: 10.0.0.5"));
  const auto refused = third.run("up");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.text, HasSubstr("dns.records: one.test is answered for by project e2efirst, which is up"));
  EXPECT_EQ(resolved("three.test"), "");
  EXPECT_NE(sh("curl -sf http://127.0.0.1:8500/v1/kv/e2ethird").code, 0) << "nothing of it is done";
  EXPECT_THAT(first.must("status"), Not(HasSubstr("e2ethird")));

  first.rewrite(stack("e2efirst", "one.test: 10.0.0.6"));
  EXPECT_THAT(first.must("up"), Not(HasSubstr("settings of components")));
  EXPECT_EQ(resolved("one.test"), "10.0.0.6");
  first.must("down");
  EXPECT_EQ(resolved("one.test"), "");
  EXPECT_EQ(resolved("two.test"), "10.0.0.2") << "the other project's are there";
  EXPECT_EQ(third.run("up").code, 0);
  EXPECT_EQ(resolved("one.test"), "10.0.0.5");
}

TEST(Projects, EachHasItsTemplatesUntilItsDown) {
  const auto stack = [](const std::string& name, const std::string& templates) {
    return "name: " + name +
           "\nregistry: {kv: {greeting: hello}}\nservices:\n  web: {command: [hello], x-process: {port: auto}}\n" +
           "templates:\n" + templates;
  };
  const std::string here =
      R"(  - {contents: '{{key "greeting"}} {{env "WHO"}}', destination: out.txt, command: pwd > ran.txt})";
  const Appliance first(stack("e2efirst", here));
  first.must("up");
  EXPECT_EQ(ok("cat " + first.dir().file("out.txt")), "hello ");
  const Second second(first, stack("e2esecond", here));
  EXPECT_THAT(ok("cd " + second.file("") + " && WHO=you " + second.command_line("up")), Not(HasSubstr("not used")));
  EXPECT_EQ(ok("cat " + second.file("out.txt")), "hello you");
  EXPECT_EQ(ok("cat " + second.file("ran.txt")) + "/", second.file("")) << "commands run in the project's folder";
  EXPECT_THAT(first.must("status"), HasSubstr("e2esecond: 1 template"));

  const auto put = [](const std::string& text) {
    ok("curl -sf -X PUT -d " + text + " http://127.0.0.1:8500/v1/kv/greeting");
  };
  put("bye");
  EXPECT_TRUE(eventually([&] { return ok("cat " + second.file("out.txt")) == "bye you"; }));
  EXPECT_TRUE(eventually([&] { return ok("cat " + first.dir().file("out.txt")) == "bye "; }));

  const Second third(first, stack("e2ethird", "  - {contents: x, destination: " + second.file("out.txt") + "}"));
  EXPECT_THAT(third.run("up").text, HasSubstr("is written by project e2esecond"));

  second.must("down");
  put("again");
  EXPECT_TRUE(eventually([&] { return ok("cat " + first.dir().file("out.txt")) == "again "; }));
  EXPECT_EQ(ok("cat " + second.file("out.txt")), "bye you") << "it went with its project";
  first.rewrite(stack("e2efirst", R"(  - {contents: 'now {{key "greeting"}}', destination: out.txt})"));
  first.must("up");
  EXPECT_EQ(ok("cat " + first.dir().file("out.txt")), "now again") << "a changed template is used by the next up";
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
