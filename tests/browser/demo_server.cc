// The real status page on a scripted stack: for work on the page and for page_test.py.
//
//     demo_server [PORT] [SCENARIO] [WEB_DIR]     SCENARIO: calm | trouble | empty
//
// Prints its URL. SIGUSR1: a container appears in the registry. SIGTERM, SIGINT: end.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <iostream>
#include <map>

#include "core/base/async/task_group.h"
#include "core/control/api.h"
#include "core/ui/ui.h"

namespace {

using namespace devstack;
using supervisor::DiscoveredService;
using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitStatus;
using supervisor::UnitType;

UnitStatus unit(std::string name, UnitType type, std::int64_t age, std::vector<std::string> addresses,
                std::vector<std::string> links = {}) {
  UnitStatus out;
  out.name = std::move(name);
  out.type = type;
  out.state = UnitState::running;
  if (type != UnitType::component) out.service = out.name;
  out.addresses = std::move(addresses);
  out.links = std::move(links);
  out.started_at = std::time(nullptr) - age;
  return out;
}

std::vector<UnitStatus> components() {
  std::vector<UnitStatus> out{
      unit("registry", UnitType::component, 8000, {"172.17.0.1:8500", "127.0.0.1:8500"}),
      unit("dns", UnitType::component, 8000,
           {"172.17.0.1:53/udp", "172.17.0.1:53/tcp", "127.0.0.1:53/udp", "127.0.0.1:53/tcp"}),
      unit("registrator", UnitType::component, 8000, {}),
      unit("proxy", UnitType::component, 8000, {"172.17.0.1:80", "127.0.0.1:80"}, {"http://localhost/"}),
      unit("templates", UnitType::component, 8000, {}),
      unit("ui", UnitType::component, 8000, {"127.0.0.1:7500"}, {"http://127.0.0.1:7500/"})};
  out[0].detail = "9 services, 14 checks";
  out[1].detail = "asks 10.0.0.2 for the rest";
  out[2].detail = "follows 5 containers";
  out[3].detail = "haproxy 2.6.12, 4 routes";
  out[4].detail = "1 template, up to date";
  return out;
}

std::vector<UnitStatus> services() {
  using enum UnitType;
  std::vector<UnitStatus> out{unit("postgres", container, 7980, {"172.18.0.2:5432"}),
                              unit("redis", container, 7980, {"172.18.0.3:6379"}),
                              unit("api", container, 7960, {"172.18.0.4:8080"}, {"http://api.localhost/"}),
                              unit("api-2", container, 640, {"172.18.0.5:8080"}, {"http://api.localhost/"}),
                              unit("storefront", container, 7950, {"172.18.0.6:3000"},
                                   {"http://storefront.localhost/", "https://shop.localhost/"}),
                              unit("worker", process, 42, {"127.0.0.1:20114"}),
                              unit("migrate", container, 0, {})};
  out[3].service = "api";
  const char* ids[] = {"4f1c2b9a7e03", "a90c11d2f8b4", "77d0e5c3a219", "0be7f4412c6d",
                       "c2f90a8be175", "21877",        "9d3e01b7745a"};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].id = ids[i];
    if (i < 5) out[i].health = "healthy";
  }
  out[5].restarts = 0;
  out[6].state = UnitState::completed;
  return out;
}

Status scripted(const std::string& scenario) {
  Status status;
  status.version = "0.1.0";
  status.project = "demo";
  status.stack_file = "/home/ada/demo/stack.yaml";
  status.node = "laptop";
  status.pid = 21804;
  status.started_at = std::time(nullptr) - 8000;
  status.docker = "20.10.24";
  status.components = components();
  if (scenario == "empty") return status;
  status.services = services();
  status.discovered = {{.name = "grafana",
                        .instances = 1,
                        .passing = 1,
                        .status = "passing",
                        .tags = {"metrics", "v10"},
                        .addresses = {"172.17.0.5:3000"},
                        .links = {"http://grafana.localhost/"}},
                       {.name = "mailhog",
                        .instances = 2,
                        .passing = 1,
                        .status = "critical",
                        .tags = {},
                        .addresses = {"172.17.0.7:1025", "172.17.0.7:8025"},
                        .links = {}}};
  if (scenario != "trouble") return status;
  auto& services = status.services;
  services[2].state = UnitState::unhealthy;
  services[2].health = "unhealthy";
  services[2].detail = "GET http://172.18.0.4:8080/health answered 503: database \"shop\" <missing>";
  services[5].state = UnitState::backoff;
  services[5].restarts = 4;
  services[5].exit_code = 1;
  services[5].detail = "ended with 1, again in 8 s: devstack logs worker";
  services[5].started_at = 0;
  services[4].state = UnitState::waiting;
  services[4].health.clear();
  services[4].detail = "for api to become healthy";
  services[4].started_at = 0;
  services[6].state = UnitState::failed;
  services[6].exit_code = 137;
  services[6].detail = "killed for memory (limit 64 MiB): raise mem_limit in stack.yaml";
  services[1].state = UnitState::stopped;
  services[1].health.clear();
  services[1].started_at = 0;
  status.components[1].degraded = true;
  status.components[1].detail =
      "port 53 is taken by systemd-resolve (pid 412): answering on 8600. Run devstack host setup";
  status.components[1].addresses = {"172.17.0.1:8600/udp", "172.17.0.1:8600/tcp"};
  return status;
}

class ScriptedStack final : public control::StackControl {
 public:
  ScriptedStack(asio::any_io_executor loop, Status status) : changed_(std::move(loop)), status_(std::move(status)) {}
  [[nodiscard]] Status status() const override { return status_; }
  Signal& changed() override { return changed_; }
  asio::awaitable<Result<void>> stop_unit(std::string name) override {
    return pass(name, UnitState::stopping, UnitState::stopped);
  }
  asio::awaitable<Result<void>> start_unit(std::string name) override {
    return pass(name, UnitState::starting, UnitState::running);
  }
  asio::awaitable<Result<void>> restart_unit(std::string name) override {
    return pass(name, UnitState::starting, UnitState::running);
  }
  [[nodiscard]] std::string log_file(const std::string&) const override { return {}; }

  void appear() {
    status_.discovered.push_back({.name = "adhoc-web",
                                  .instances = 1,
                                  .passing = 1,
                                  .status = "passing",
                                  .tags = {},
                                  .addresses = {"172.17.0.9:80"},
                                  .links = {}});
    changed_.bump();
  }

 private:
  asio::awaitable<Result<void>> pass(std::string name, UnitState through, UnitState to) {
    auto* found = find(name);
    if (found == nullptr) co_return fail(Errc::not_found, "no service \"{}\"", name);
    found->state = through;
    found->health.clear();
    found->detail.clear();
    changed_.bump();
    co_await steady_clock().sleep_for(std::chrono::milliseconds(900));
    found->state = to;
    found->started_at = to == UnitState::running ? std::time(nullptr) : 0;
    changed_.bump();
    co_return Result<void>();
  }
  UnitStatus* find(const std::string& name) {
    for (auto& candidate : status_.services) {
      if (candidate.name == name) return &candidate;
    }
    return nullptr;
  }

  Signal changed_;
  Status status_;
};

/// What /v1/dns/queries says of a DNS server; one query has markup for a name, as a client may.
class ScriptedQueries {
 public:
  ScriptedQueries() {
    for (int i = 0; i < 24; ++i) {
      add("api.service.consul.", "A", "NOERROR", "registry", 9 + i % 5);
      add("postgres.service.consul.", "SRV", "NOERROR", "registry", 14);
      add("deb.debian.org.", "AAAA", "NOERROR", i == 0 ? "upstream" : "cache", i == 0 ? 23'412 : 6);
      if (i % 6 == 0) add("metrics.service.consul.", "A", "NXDOMAIN", "registry", 11);
      if (i % 12 == 5) add("build.corp.example.", "A", "SERVFAIL", "upstream", 4'000'217);
    }
    add("<img src=x onerror=document.title='broken'>.test.", "TXT", "REFUSED", "registry", 8);
  }
  void add(std::string name, const char* type, std::string code, std::string source, int us) {
    const auto text =
        fmt::format(R"({{"time":{},"client":"172.18.0.{}","name":"{}","type":"{}","code":"{}","source":"{}","us":{}}})",
                    std::time(nullptr) * 1000 - 417 + static_cast<long>(queries_.size()), 2 + queries_.size() % 5, name,
                    type, code, source, us);
    queries_.push_back(text);
    ++codes_[code], ++sources_[source], ++names_[name][code];
  }
  [[nodiscard]] std::string document(std::uint64_t after) const {
    std::vector<std::string> fresh;
    for (auto i = static_cast<std::size_t>(after); i < queries_.size(); ++i) fresh.push_back(queries_[i]);
    std::multimap<int, std::string, std::greater<>> names;
    for (const auto& [name, codes] : names_) {
      int total = 0;
      for (const auto& [code, count] : codes) total += count;
      names.emplace(total, fmt::format(R"({{"name":"{}","total":{},"codes":{}}})", name, total, counts(codes)));
    }
    std::vector<std::string> rows;
    for (const auto& [total, text] : names) rows.push_back(text);
    return fmt::format(
        R"({{"next":{0},"total":{0},"queries":[{1}],"codes":{2},"sources":{3},"names":[{4}],"workers":[{0}]}})",
        queries_.size(), fmt::join(fresh, ","), counts(codes_), counts(sources_), fmt::join(rows, ","));
  }

 private:
  using Counts = std::map<std::string, int>;
  static std::string counts(const Counts& of) {
    std::vector<std::string> out;
    for (const auto& [name, count] : of) out.push_back(fmt::format(R"("{}":{})", name, count));
    return fmt::format("{{{}}}", fmt::join(out, ","));
  }
  std::vector<std::string> queries_;
  Counts codes_, sources_;
  std::map<std::string, Counts> names_;
};

asio::awaitable<void> on_signals(asio::signal_set& signals, ScriptedStack& stack, ScriptedQueries& queries,
                                 ui::Ui& page, control::ControlApi& api) {
  for (;;) {
    boost::system::error_code error;
    const int number = co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (!error && number == SIGUSR1) {
      stack.appear();
      queries.add("adhoc-web.service.consul.", "A", "NOERROR", "registry", 10);
      continue;
    }
    co_await page.stop();
    co_await api.stop();
    co_return;
  }
}

asio::awaitable<void> begin(ui::Ui& page, asio::signal_set& signals) {
  const auto started = co_await page.start();
  if (!started) {
    std::cerr << started.error().message << '\n';
    signals.cancel();
    co_return;
  }
  std::cout << page.report().links.front() << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  asio::io_context io;
  ScriptedStack stack(io.get_executor(), scripted(arguments.size() > 1 ? arguments[1] : "calm"));
  ScriptedQueries queries;
  control::ControlOptions control;
  const bool without_dns = arguments.size() > 1 && arguments[1] == "empty";
  if (!without_dns) control.dns_queries = [&queries](std::uint64_t after) { return queries.document(after); };
  control::ControlApi api(io.get_executor(), stack, std::move(control));
  api.start();
  ui::UiOptions options;
  options.port = arguments.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(std::atoi(arguments[0].c_str()));
  if (arguments.size() > 2) options.dir = arguments[2];
  ui::Ui page(io.get_executor(), api, options);
  asio::signal_set signals(io, SIGINT, SIGTERM, SIGUSR1);
  spawn(io.get_executor(), "demo: signals", on_signals(signals, stack, queries, page, api));
  spawn(io.get_executor(), "demo: start", begin(page, signals));
  io.run();
  return 0;
}
