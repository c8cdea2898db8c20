// The registry's commands (kv, services, events) as a shell sees them, against `devstack registry` on ports of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/e2e/appliance.h"

namespace devstack::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Commands : public ::testing::Test {
 protected:
  Commands() {
    start();
    ok("cd " + dir_.path() + " && printf 'a\\000b\\377\\n' >binary && printf 'two\\nlines\\n' >text");
  }
  ~Commands() override {
    stop();
    sh("for pid in " + background_ + "; do kill -9 $pid; done 2>/dev/null");
  }

  void start() {
    pid_ = ok(std::string(DEVSTACK_BINARY) + " registry --ephemeral --node node1 --http " + address_ +
              " --dns 127.0.0.1:" + std::to_string(dns_port_) + " >" + dir_.file("registry.log") + " 2>&1 & echo $!");
    ASSERT_TRUE(eventually([&] { return sh("curl -sf http://" + address_ + "/v1/status/leader").code == 0; }))
        << test::read_file(dir_.file("registry.log"));
  }
  void stop() const {
    sh("kill " + pid_);
    EXPECT_TRUE(eventually([&] { return sh("kill -0 " + pid_).code != 0; }));
  }

  [[nodiscard]] std::string line(const std::string& args) const {
    return "cd " + dir_.path() + " && DEVSTACK_STATE_DIR=" + dir_.path() + " CONSUL_HTTP_ADDR=" + address_ + " " +
           DEVSTACK_BINARY + " " + args;
  }
  [[nodiscard]] Output run(const std::string& args) const { return sh(line(args)); }
  std::string must(const std::string& args) const { return ok(line(args)); }
  /// Runs it in the background, its output in `file`; returns the pid.
  std::string follow(const std::string& args, const std::string& file) {
    const std::string pid =
        ok("cd " + dir_.path() + " && { DEVSTACK_STATE_DIR=. CONSUL_HTTP_ADDR=" + address_ + " setsid bash -c 'exec " +
           DEVSTACK_BINARY + " " + args + "; ' >" + file + " 2>" + file + ".err & echo $!; }");
    background_ += " " + pid;
    return pid;
  }
  [[nodiscard]] std::string text(const std::string& file) const { return test::read_file(dir_.file(file)); }
  [[nodiscard]] bool shows(const std::string& file, const std::string& wanted) const {
    return eventually([&] { return text(file) == wanted; }, std::chrono::seconds(30));
  }
  [[nodiscard]] std::string curl(const std::string& args) const { return ok("curl -s " + args); }
  [[nodiscard]] std::string url(const std::string& path) const { return "'http://" + address_ + path + "'"; }

  test::TempDir dir_;
  std::string address_ = "127.0.0.1:" + std::to_string(test::free_port());
  unsigned short dns_port_ = test::free_port();
  std::string pid_;
  std::string background_;
};

TEST_F(Commands, KvReadsWhatItWrote) {
  EXPECT_EQ(must("kv put app/greeting hello"), "Success! Data written to: app/greeting");
  EXPECT_EQ(must("kv get app/greeting"), "hello");
  EXPECT_EQ(must("kv get /app/greeting"), "hello");
  EXPECT_EQ(must("kv put -flags=42 app/number -5"), "Success! Data written to: app/number");
  EXPECT_EQ(must("kv get -recurse app"), "app/greeting:hello\napp/number:-5");
  EXPECT_EQ(must("kv get --keys --separator '' ''"), "app/greeting\napp/number");
  EXPECT_EQ(must("kv get --keys ''"), "app/");
  EXPECT_THAT(must("kv get --detailed app/number"), HasSubstr("Flags            42\nKey              app/number\n"));
  EXPECT_EQ(must("kv get --base64 app/greeting"), "aGVsbG8=");
  EXPECT_EQ(must("kv ls"), "app/");
  EXPECT_EQ(must("kv ls app"), "app/greeting\napp/number");
  const auto json = parse_json(must("--json kv get app/number"));
  EXPECT_EQ(json.at("Flags").as_int64(), 42);
  EXPECT_EQ(json.at("Value").as_string(), "LTU=");
  EXPECT_EQ(must("kv delete app/greeting"), "Success! Deleted key: app/greeting");
  EXPECT_EQ(must("kv delete --recurse app"), "Success! Deleted keys with prefix: app");
  EXPECT_EQ(must("kv ls"), "");
}

TEST_F(Commands, KvKeepsBytesAsTheyAre) {
  must("kv put bin @binary");
  ok(line("kv get bin | cmp - binary"));
  ok("cat " + dir_.file("binary") + " | { " + line("kv put piped -") + "; }");
  ok(line("kv get piped | cmp - binary"));
  must("kv put text @text");
  ok(line("kv get --raw text | cmp - text"));
  must("kv put --base64 decoded AP8=");
  EXPECT_EQ(ok(line("kv get decoded | od -An -tx1")), " 00 ff");
  must("kv put empty");
  EXPECT_EQ(must("kv get empty"), "");
}

TEST_F(Commands, KvSaysWhatIsMissingChangedOrHeldWithOne) {
  const auto missing = run("kv get nothing");
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.text, HasSubstr("Error! No key exists at: nothing"));
  must("kv put --cas --modify-index 0 once first");
  const auto again = run("kv put --cas --modify-index 0 once second");
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.text, HasSubstr("Did not write to once: CAS failed"));
  const auto stale = run("kv delete --cas --modify-index 1 once");
  EXPECT_EQ(stale.code, 1);
  EXPECT_EQ(must("kv get once"), "first");
  const std::string session = ok("curl -s -X PUT -d '{}' " + url("/v1/session/create") + " | cut -d'\"' -f4");
  EXPECT_EQ(must("kv put --acquire --session " + session + " lock mine"), "Success! Lock acquired on: lock");
  const std::string other = ok("curl -s -X PUT -d '{}' " + url("/v1/session/create") + " | cut -d'\"' -f4");
  EXPECT_THAT(run("kv put --acquire --session " + other + " lock theirs").text, HasSubstr("Did not acquire lock"));
  EXPECT_EQ(must("kv put --release --session " + session + " lock free"), "Success! Lock released on: lock");
}

TEST_F(Commands, WrongUseExitsWithTwo) {
  for (const auto* args : {"kv", "kv get", "kv get --recurse --keys a", "kv put", "kv put --cas a b", "kv put a b c",
                           "kv delete", "kv watch", "kv watch a --prefix b", "kv import", "kv nonsense", "events fire",
                           "events fire a --tag b", "services --http-addr nonsense:port"}) {
    EXPECT_EQ(run(args).code, 2) << args << "\n" << run(args).text;
  }
}

TEST_F(Commands, ARegistryThatIsNotThereIsSaid) {
  const auto out = run("kv get a --http-addr 127.0.0.1:" + std::to_string(test::free_port()));
  EXPECT_EQ(out.code, 1);
  EXPECT_THAT(out.text, HasSubstr("no registry answers at http://127.0.0.1:"));
}

TEST_F(Commands, ExportOfOneRegistryIsImportedByAnother) {
  must("kv put tree/bin @binary");
  must("kv put --flags 7 tree/flagged v");
  must("kv put other x");
  must("kv export tree > tree.json");
  must("kv delete --recurse tree");
  EXPECT_EQ(must("kv import @tree.json"), "Imported: tree/bin\nImported: tree/flagged");
  ok(line("kv get tree/bin | cmp - binary"));
  EXPECT_EQ(parse_json(must("--json kv get tree/flagged")).at("Flags").as_int64(), 7);
  ok(line("kv export tree | cmp - tree.json"));
  must("kv import --prefix copy tree.json");
  EXPECT_EQ(must("kv get copy/tree/flagged"), "v");
  ok("cd " + dir_.path() + " && DEVSTACK_STATE_DIR=. CONSUL_HTTP_ADDR=" + address_ + " " + DEVSTACK_BINARY +
     " kv import - < tree.json");
  EXPECT_EQ(must(R"(kv import '[{"key":"literal","flags":0,"value":"dg=="}]')"), "Imported: literal");
}

TEST_F(Commands, ImportOfBadDataWritesNothing) {
  dir_.write("bad.json", R"([{"key":"good","flags":0,"value":"dg=="},{"key":"bad","flags":0,"value":"%"}])");
  const auto out = run("kv import @bad.json");
  EXPECT_EQ(out.code, 1);
  EXPECT_THAT(out.text, HasSubstr("entry 2: key \"bad\": value is not base64"));
  EXPECT_EQ(run("kv get good").code, 1);
}

TEST_F(Commands, ImportThatFailsHalfwaySaysWhatWasWritten) {
  boost::json::array entries;
  for (int i = 100; i < 200; ++i) {
    entries.push_back({{"key", "many/" + std::to_string(i)}, {"flags", 0}, {"value", "dg=="}});
  }
  // Larger than a registry takes, so the batch that it is alone in fails.
  entries.push_back({{"key", "many/large"}, {"flags", 0}, {"value", std::string(800'000, 'A')}});
  dir_.write("many.json", boost::json::serialize(entries));
  const auto out = run("kv import many.json");
  EXPECT_EQ(out.code, 1);
  EXPECT_THAT(out.text, HasSubstr("entries 1 to 100 of 101 were imported, nothing after \"many/199\""));
  EXPECT_EQ(must("kv ls many | wc -l"), "100");
  // The same entry among few: one transaction or none, so nothing of it is there.
  dir_.write("few.json", R"([{"key":"few/large","flags":0,"value":")" + std::string(800'000, 'A') + R"("}])");
  EXPECT_THAT(run("kv import few.json").text, HasSubstr("nothing was imported"));
}

TEST_F(Commands, WatchFollowsAKeyOverARestartAndEndsOnInterrupt) {
  const auto pid = follow("kv watch w", "out");
  must("kv put w one");
  ASSERT_TRUE(shows("out", "one\n")) << text("out") << text("out.err");
  must("kv put unrelated x");
  must("kv put w two");
  ASSERT_TRUE(shows("out", "one\ntwo\n")) << text("out");
  stop();
  ASSERT_TRUE(eventually([&] { return text("out.err").find("lost http://") != std::string::npos; }));
  // In memory only: what comes back has forgotten the key, and counts from the beginning.
  start();
  ASSERT_TRUE(eventually([&] { return text("out.err").find("deleted: w") != std::string::npos; })) << text("out.err");
  must("kv put w three");
  ASSERT_TRUE(shows("out", "one\ntwo\nthree\n")) << text("out");
  ok("kill -INT " + pid);
  EXPECT_TRUE(eventually([&] { return sh("kill -0 " + pid).code != 0; }));
}

TEST_F(Commands, WatchOfAPrefixTellsEachChange) {
  must("kv put p/a 1");
  follow("kv watch --prefix p/", "out");
  follow("--json kv watch --prefix p/", "json");
  ASSERT_TRUE(shows("out", "p/a:1\n")) << text("out") << text("out.err");
  must("kv put p/b 2");
  ASSERT_TRUE(shows("out", "p/a:1\np/b:2\n")) << text("out");
  must("kv delete p/a");
  ASSERT_TRUE(shows("out", "p/a:1\np/b:2\np/a (deleted)\n")) << text("out");
  ASSERT_TRUE(eventually([&] { return text("json").ends_with("{\"Key\":\"p/a\",\"Deleted\":true}\n"); }));
  EXPECT_THAT(text("json"), StartsWith(R"({"LockIndex":0,"Key":"p/a","Flags":0,"Value":"MQ==")"));
}

TEST_F(Commands, WatchEndsWithZeroOnInterrupt) {
  must("kv put w x");
  const auto ended =
      sh("cd " + dir_.path() + "; CONSUL_HTTP_ADDR=" + address_ + " " + DEVSTACK_BINARY +
         " kv watch w > early & pid=$!; until [ -s early ]; do sleep 0.05; done; kill -INT $pid; wait $pid");
  EXPECT_EQ(ended.code, 0) << ended.text;
}

TEST_F(Commands, ServicesAreListedWithTheirInstances) {
  ok("curl -sf -X PUT -d "
     "'{\"ID\":\"web-1\",\"Name\":\"web\",\"Tags\":[\"v1\"],\"Address\":\"10.0.0.7\",\"Port\":80}' " +
     url("/v1/agent/service/register"));
  ok("curl -sf -X PUT -d "
     "'{\"ID\":\"web-2\",\"Name\":\"web\",\"Port\":81,\"Check\":{\"TTL\":\"1m\",\"Notes\":\"n\"}}' " +
     url("/v1/agent/service/register"));
  EXPECT_THAT(must("services"), HasSubstr("NAME    INSTANCES  PASSING  ADDRESSES"));
  EXPECT_THAT(must("services"), HasSubstr("web     2          1        10.0.0.7:80, 127.0.0.1:81"));
  const std::string one = must("services web");
  EXPECT_THAT(one, HasSubstr("web-1  node1  10.0.0.7:80   passing   v1"));
  EXPECT_THAT(one, HasSubstr("web-2  node1  127.0.0.1:81  critical  -\n"));
  EXPECT_THAT(one, HasSubstr("    critical  Service 'web' check"));
  const auto json = parse_json(must("--json services web"));
  EXPECT_EQ(json.at(0).at("status").as_string(), "passing");
  EXPECT_EQ(json.at(1).at("status").as_string(), "critical");
  EXPECT_EQ(json.at(1).at("checks").as_array().size(), 2U);
  EXPECT_EQ(parse_json(must("--json services")).as_array().back().at("passing").as_int64(), 1);
  const auto typo = run("services wbe");
  EXPECT_EQ(typo.code, 1);
  EXPECT_THAT(typo.text, HasSubstr("no service \"wbe\""));
  EXPECT_THAT(typo.text, HasSubstr("did you mean \"web\"?"));
}

TEST_F(Commands, EventsAreFiredListedAndFollowed) {
  EXPECT_EQ(must("events"), "no events");
  follow("events -f", "out");
  const std::string fired = must("events fire deploy 'v1.2 now'");
  ASSERT_THAT(fired, StartsWith("Event ID: "));
  const std::string id = fired.substr(10);
  ASSERT_TRUE(shows("out", id + "  deploy  v1.2 now\n")) << text("out") << text("out.err");
  must("events fire ping --node 'node.*'");
  EXPECT_THAT(must("events"), HasSubstr("ping    node=node.*  -"));
  EXPECT_EQ(parse_json(must("--json events list --name deploy")).as_array().size(), 1U);
  ASSERT_TRUE(eventually([&] { return text("out").find("  ping  -\n") != std::string::npos; }));
}

TEST_F(Commands, TheTokenIsSent) {
  // A server that answers once and keeps what it was asked.
  const auto port = std::to_string(test::free_port());
  const std::string python = "import socket;s=socket.socket();s.setsockopt(1,2,1);s.bind((\"127.0.0.1\"," + port +
                             "));s.listen();s.settimeout(20);c=s.accept()[0];c.settimeout(20);"
                             "print(c.recv(9999).decode());c.send(b\"HTTP/1.1 403 x\\r\\nContent-Length: 17\\r\\n\\r\\n"
                             "Permission denied\")";
  dir_.write("server.py", python);
  ok("cd " + dir_.path() + " && { timeout 30 python3 server.py >asked 2>&1 & }");
  Output out;
  ASSERT_TRUE(eventually([&] {
    out = sh("CONSUL_HTTP_TOKEN=secret DEVSTACK_STATE_DIR=/nonexistent " + std::string(DEVSTACK_BINARY) +
             " kv get a --datacenter dc7 --http-addr 127.0.0.1:" + port);
    return out.text.find("no registry answers") == std::string::npos;
  }));
  EXPECT_EQ(out.code, 1);
  EXPECT_THAT(out.text, HasSubstr("answered 403: Permission denied"));
  ASSERT_TRUE(eventually([&] { return !text("asked").empty(); }));
  EXPECT_THAT(text("asked"), HasSubstr("GET /v1/kv/a?dc=dc7 HTTP/1.1"));
  EXPECT_THAT(text("asked"), HasSubstr("X-Consul-Token: secret"));
}

}  // namespace
}  // namespace devstack::e2e
