#include "tests/e2e/appliance.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <stdexcept>
#include <thread>

namespace devstack::e2e {

Output sh(const std::string& command, int seconds) {
  Output out;
  // The shell gets the text through a file descriptor-free channel: one quoted word.
  std::string quoted = "'";
  for (const char c : command) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  quoted += "'";
  FILE* pipe =
      popen(("timeout -k 5 " + std::to_string(seconds) + " bash -c " + quoted + " 2>&1 </dev/null").c_str(), "r");
  if (pipe == nullptr) return {127, "popen failed"};
  std::array<char, 4096> buffer{};
  for (std::size_t got; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) out.text.append(buffer.data(), got);
  const int status = pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return out;
}

std::string ok(const std::string& command, int seconds) {
  Output out = sh(command, seconds);
  EXPECT_EQ(out.code, 0) << command << "\n" << out.text;
  while (!out.text.empty() && out.text.back() == '\n') out.text.pop_back();
  return out.text;
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

boost::json::value parse_json(const std::string& text) {
  boost::system::error_code error;
  auto value = boost::json::parse(text, error);
  EXPECT_FALSE(error) << "not JSON: " << text;
  return value;
}

Appliance::Appliance(std::string_view stack) {
  // What an aborted run left behind holds the ports; SIGTERM is `down`.
  static const bool cleared = [] {
    sh("pkill -f '[d]evstack up .*devstack-test-'");
    return eventually([] { return sh("pgrep -f '[d]evstack up .*devstack-test-'").code != 0; },
                      std::chrono::seconds(30));
  }();
  EXPECT_TRUE(cleared);
  rewrite(stack);
}

Appliance::~Appliance() {
  const Output down = run("down -t 3");
  EXPECT_EQ(down.code, 0) << down.text;
}

void Appliance::rewrite(std::string_view stack) const { dir_.write("stack.yaml", std::string(stack)); }

std::string Appliance::command_line(const std::string& args) const {
  return "DEVSTACK_STATE_DIR=" + state_dir() + " " + DEVSTACK_BINARY + " -f " + dir_.file("stack.yaml") + " " + args;
}

Output Appliance::run(const std::string& args, int seconds) const { return sh(command_line(args), seconds); }

std::string Appliance::must(const std::string& args) const {
  const Output out = run(args);
  if (out.code == 0) return out.text;
  // What follows would only fail in stranger ways.
  throw std::runtime_error("devstack " + args + " exited with " + std::to_string(out.code) + "\n" + out.text + "\n" +
                           sh("tail -n 40 " + state_dir() + "/devstack.log").text);
}

boost::json::value Appliance::status() const { return parse_json(run("--json status").text); }

int Appliance::supervisor_pid() const { return static_cast<int>(status().at("pid").to_number<int>()); }

std::string bridge() {
  static const std::string address = ok("ip -4 -o addr show docker0 | awk '{print $4}' | cut -d/ -f1");
  return address;
}

std::string busybox_image(const std::string& name, const std::vector<std::string>& changes) {
  const std::string image = "devstack-e2e/" + name;
  if (sh("docker image inspect " + image).code == 0) return image;
  std::string flags;
  for (const auto& change : changes) flags += " -c '" + change + "'";
  ok("set -e; d=$(mktemp -d); mkdir -p $d/bin $d/tmp $d/etc; cp /bin/busybox $d/bin/; "
     "for a in $(/bin/busybox --list); do [ $a = busybox ] || ln -s busybox $d/bin/$a; done; "
     // A resolver of the usual kind (glibc's) beside busybox's own.
     "for b in /usr/bin/curl /usr/bin/getent; do cp -L --parents $b $d; "
     "for l in $(ldd $b | grep -o '/[^ ]*'); do cp -L --parents $l $d; done; done; "
     "tar -C $d -c . | docker import" +
     flags + " - " + image + " >/dev/null; rm -rf $d");
  return image;
}

Containers::~Containers() {
  for (const auto& name : names_) sh("docker rm -f " + name);
}

std::string Containers::run(const std::string& name, const std::string& args) {
  sh("docker rm -f " + name);
  names_.push_back(name);
  return ok("docker run -d --name " + name + " " + args);
}

void Containers::remove(const std::string& name) { ok("docker rm -f " + name); }

}  // namespace devstack::e2e
