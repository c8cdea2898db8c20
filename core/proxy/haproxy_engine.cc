#include "core/proxy/haproxy_engine.h"

#include <pwd.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <list>
#include <utility>

#include "core/base/append.h"
#include "core/base/async/clock.h"
#include "core/base/async/task_group.h"
#include "core/base/log.h"
#include "core/process/child.h"
#include "core/proxy/haproxy_config.h"
#include "core/proxy/haproxy_files.h"
#include "core/proxy/haproxy_runtime.h"

namespace devstack::proxy {
namespace {

using namespace std::chrono_literals;
using ChildPtr = std::shared_ptr<process::Child>;

constexpr auto check_limit = 10s;
constexpr auto ready_limit = 10s;
constexpr auto stop_grace = 2s;
constexpr auto look_again = 5ms;
constexpr auto drain_step = 1s;
// HAProxy binds a temporary name next to the socket first.
constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 12;

std::string search_path(const HaproxyOptions& options) {
  if (!options.path.empty()) return options.path;
  const char* path = std::getenv("PATH");
  return std::string(path == nullptr ? "/usr/bin:/bin" : path) + ":/usr/local/sbin:/usr/sbin:/sbin";
}

/// The unprivileged user that Debian's package makes; only root can become it.
std::string unprivileged_user() {
  if (::geteuid() != 0 || ::getpwnam("haproxy") == nullptr) return {};
  return "haproxy";
}

/// HAProxy's complaints without its "[ALERT] (pid) :" and notices.
std::string complaints(const std::string& output) {
  std::string out;
  for (std::size_t begin = 0; begin < output.size();) {
    const auto end = std::min(output.find('\n', begin), output.size());
    auto line = std::string_view(output).substr(begin, end - begin);
    begin = end + 1;
    if (!line.starts_with("[ALERT]")) continue;
    if (const auto colon = line.find(" : "); colon != std::string_view::npos) line.remove_prefix(colon + 3);
    if (line.starts_with("config : Fatal errors") || line.starts_with("config : Error(s) found")) continue;
    append_part(out, line, "; ");
  }
  return out.empty() ? output : out;
}

}  // namespace

struct HaproxyEngine::Impl {
  Impl(asio::any_io_executor executor, HaproxyOptions given)
      : loop(executor),
        options(std::move(given)),
        socket(options.state_dir + "/admin.sock"),
        pid_file(options.state_dir + "/haproxy.pid"),
        log_file(options.state_dir + "/haproxy.log"),
        runtime(socket),
        died(loop),
        tasks(std::make_unique<TaskGroup>(loop)) {
    config.drain_timeout = options.drain_timeout;
    config.user = unprivileged_user();
  }

  asio::awaitable<Result<void>> bring_about(Model model);
  asio::awaitable<Result<void>> swap_in(Model model);
  asio::awaitable<Result<void>> check(std::string config_path);
  asio::awaitable<Result<ChildPtr>> launch(std::string config_path);
  asio::awaitable<Result<void>> wait_ready(ChildPtr child, std::uint64_t log_size);
  asio::awaitable<Result<void>> change_backends(Model model);
  asio::awaitable<void> drain_out();
  asio::awaitable<void> watch(ChildPtr child);
  void adopt_previous();
  void retire(ChildPtr child);
  Result<void> prepare();
  [[nodiscard]] process::Spec spec(std::vector<std::string> argv, std::string log) const;

  asio::any_io_executor loop;
  HaproxyOptions options;
  haproxy::ConfigOptions config;
  std::string socket, pid_file, log_file, program;
  haproxy::Runtime runtime;
  Signal died;
  std::unique_ptr<TaskGroup> tasks;
  ChildPtr current;
  ChildPtr starting;             ///< the next one; stop() may come before it is ready
  std::list<ChildPtr> retiring;  ///< finish their connections
  Model active;
  std::vector<BackendChange> draining;
  bool second_folder = false;  ///< which of the two folders the running configuration stands in
  bool adopted = false;        ///< `current` is an earlier supervisor's
  bool draining_task = false;
  bool handing_over = false;                ///< a new process is starting, which sends the current one away
  bool applying = false, removing = false;  ///< never both: an instance that comes back must not be deleted after all
  std::uint64_t reloads = 0;
};

process::Spec HaproxyEngine::Impl::spec(std::vector<std::string> argv, std::string log) const {
  process::Spec out;
  out.argv = std::move(argv);
  out.env = {{"PATH", search_path(options)}};
  out.working_dir = options.state_dir;
  out.log_file = std::move(log);
  return out;
}

Result<void> HaproxyEngine::Impl::prepare() {
  const auto found = process::find_program(options.program, search_path(options));
  if (!found) {
    return fail(Errc::not_found, "haproxy not found: apt-get install haproxy, or set proxy.engine: none in stack.yaml");
  }
  program = *found;
  if (socket.size() > longest_socket_path) {
    return fail(Errc::invalid_argument, "the path {} is too long for a socket: use a shorter state directory", socket);
  }
  return haproxy::make_private_folder(options.state_dir);
}

/// After a supervisor that was killed its HAProxy still serves: it becomes the process to replace.
void HaproxyEngine::Impl::adopt_previous() {
  if (current) return;
  const auto identity = haproxy::read_identity(pid_file);
  if (!identity || !process::alive(*identity)) return;
  auto child = process::Child::adopt(loop, *identity);
  if (!child) return;
  log::info("proxy", "taking over haproxy (pid {}) of an earlier run", identity->pid);
  current = ChildPtr(std::move(*child));
  adopted = true;
  tasks->spawn("proxy: haproxy", watch(current));
}

asio::awaitable<Result<void>> HaproxyEngine::Impl::check(std::string config_path) {
  std::vector<std::string> argv{program, "-c", "-f", std::move(config_path)};
  auto command = spec(std::move(argv), {});
  CO_TRY(const auto checked, co_await process::run(std::move(command), check_limit));
  if (checked.exit_code == 0) co_return Result<void>();
  co_return fail(Errc::invalid_argument, "haproxy refuses the configuration: {}", complaints(checked.output));
}

asio::awaitable<Result<void>> HaproxyEngine::Impl::swap_in(Model model) {
  const auto folder = options.state_dir + (second_folder ? "/a" : "/b");
  const auto paths = haproxy::Paths::in(folder, socket);
  CO_CHECK(haproxy::write_files(haproxy::files(model, paths, config)));
  CO_CHECK(co_await check(paths.config));
  handing_over = true;
  auto launched = co_await launch(paths.config);
  handing_over = false;
  if (!launched && current && !process::alive(current->identity())) {
    current.reset();
    died.bump();
  }
  CO_TRY(auto next, std::move(launched));
  if (current) retire(std::move(current));
  current = std::move(next);
  starting.reset();
  adopted = false;
  tasks->spawn("proxy: haproxy", watch(current));
  active = std::move(model);
  draining.clear();  // they went with the old process
  second_folder = !second_folder;
  ++reloads;
  haproxy::point_to(options.state_dir + "/haproxy.cfg", paths.config);
  co_return Result<void>();
}

asio::awaitable<Result<ChildPtr>> HaproxyEngine::Impl::launch(std::string config_path) {
  // The master of -W is not used: one process to supervise is one process that can be in a strange state.
  std::vector<std::string> argv{program, "-db", "-f", std::move(config_path)};
  std::optional<process::Identity> previous;
  if (current && process::alive(current->identity())) {
    previous = current->identity();
    argv.insert(argv.end(), {"-sf", std::to_string(previous->pid)});
    if (co_await runtime.pid()) argv.insert(argv.end(), {"-x", socket});
  }
  const auto log_size = haproxy::size_of(log_file);
  auto command = spec(std::move(argv), log_file);
  CO_TRY(auto started, process::Child::start(loop, std::move(command)));
  const ChildPtr child(std::move(started));
  starting = child;
  if (auto kept = haproxy::write_identity(pid_file, child->identity()); !kept) {
    // Unrecorded, it could not be found again.
    co_await child->stop(SIGTERM, stop_grace);
    starting.reset();
    co_return tl::unexpected(std::move(kept).error());
  }
  if (auto ready = co_await wait_ready(child, log_size); !ready) {
    co_await child->stop(SIGTERM, stop_grace);
    starting.reset();
    if (previous) CO_CHECK(haproxy::write_identity(pid_file, *previous));
    co_return tl::unexpected(std::move(ready).error());
  }
  co_return child;
}

asio::awaitable<Result<void>> HaproxyEngine::Impl::wait_ready(ChildPtr child, std::uint64_t log_size) {
  const auto deadline = std::chrono::steady_clock::now() + ready_limit;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto answering = co_await runtime.pid();
    if (answering && *answering == child->identity().pid) co_return Result<void>();
    if (!process::alive(child->identity())) {
      co_return fail(Errc::failed, "haproxy did not start: {}", complaints(haproxy::read_from(log_file, log_size)));
    }
    co_await steady_clock().sleep_for(look_again);
  }
  co_return fail(Errc::timeout, "haproxy did not answer on {} in time; its log is {}", socket, log_file);
}

void HaproxyEngine::Impl::retire(ChildPtr child) {
  if (process::alive(child->identity())) retiring.push_back(std::move(child));
}

asio::awaitable<void> HaproxyEngine::Impl::watch(ChildPtr child) {
  const auto ended = co_await child->wait();
  if (process::alive(child->identity())) co_return;  // we are being stopped, not it
  if (child == current && handing_over) co_return;   // asked to go by the next one; swap_in() goes on from there
  if (child == current) {
    log::warn("proxy", "haproxy (pid {}) ended with {}", child->identity().pid,
              ended.signal != 0 ? fmt::format("signal {}", ended.signal) : fmt::format("code {}", ended.code));
    current.reset();
    draining.clear();
    died.bump();
  } else {
    retiring.remove(child);
  }
}

asio::awaitable<Result<void>> HaproxyEngine::Impl::change_backends(Model model) {
  const auto changes = backend_changes(active, model);
  // The new ones first: a route never stands empty in between.
  for (const auto& added : changes.add) {
    CO_CHECK(co_await runtime.add(added));
    std::erase(draining, added);
  }
  for (const auto& removed : changes.remove) {
    CO_CHECK(co_await runtime.drain(removed));
    draining.push_back(removed);
  }
  active = std::move(model);
  if (!draining.empty() && !draining_task) {
    draining_task = true;
    tasks->spawn("proxy: drain", drain_out());
  }
  // For whoever reads it; a process that has to be started anew gets a fresh one.
  const auto folder = options.state_dir + (second_folder ? "/b" : "/a");
  co_return haproxy::write_files(haproxy::files(active, haproxy::Paths::in(folder, socket), config));
}

/// Deletes drained servers once their last connection is gone.
asio::awaitable<void> HaproxyEngine::Impl::drain_out() {
  while (!draining.empty()) {
    co_await steady_clock().sleep_for(drain_step);
    const auto waiting = draining;
    for (const auto& server : waiting) {
      // It may have come back, or gone with a reload, while the others were asked about.
      if (applying || std::find(draining.begin(), draining.end(), server) == draining.end()) continue;
      removing = true;
      const auto removed = co_await runtime.remove(server);
      removing = false;
      if (removed) std::erase(draining, server);
    }
  }
  draining_task = false;
}

HaproxyEngine::HaproxyEngine(asio::any_io_executor loop, HaproxyOptions options)
    : impl_(std::make_unique<Impl>(std::move(loop), std::move(options))) {}
HaproxyEngine::~HaproxyEngine() = default;

asio::awaitable<Result<void>> HaproxyEngine::Impl::bring_about(Model model) {
  if (current && !adopted) {
    if (model == active) co_return Result<void>();
    if (only_backends_differ(active, model)) {
      const auto changed = co_await change_backends(model);
      if (changed) co_return Result<void>();
      log::info("proxy", "{}; reloading instead", changed.error().message);
    }
  }
  co_return co_await swap_in(std::move(model));
}

asio::awaitable<Result<void>> HaproxyEngine::apply(Model model) {
  auto& impl = *impl_;
  CO_CHECK(impl.prepare());
  impl.adopt_previous();
  impl.applying = true;
  while (impl.removing) co_await steady_clock().sleep_for(1ms);
  auto outcome = co_await impl.bring_about(std::move(model));
  impl.applying = false;
  co_return outcome;
}

bool HaproxyEngine::running() const { return impl_->current != nullptr && !impl_->adopted; }

bool HaproxyEngine::holds_ports() const {
  if (impl_->current) return true;
  const auto identity = haproxy::read_identity(impl_->pid_file);
  return identity && process::alive(*identity);
}

Signal& HaproxyEngine::died() { return impl_->died; }

asio::awaitable<void> HaproxyEngine::stop() {
  auto& impl = *impl_;
  impl.adopt_previous();
  co_await impl.tasks->stop();
  impl.tasks = std::make_unique<TaskGroup>(impl.loop);
  impl.draining_task = impl.applying = impl.removing = impl.handing_over = false;
  auto children = std::exchange(impl.retiring, {});
  if (impl.current) children.push_front(std::exchange(impl.current, nullptr));
  if (impl.starting) children.push_front(std::exchange(impl.starting, nullptr));
  for (const auto& child : children) child->signal(SIGTERM);
  for (const auto& child : children) co_await child->stop(SIGTERM, stop_grace);
  impl.draining.clear();
  impl.adopted = false;
  ::unlink(impl.pid_file.c_str());
  ::unlink(impl.socket.c_str());
}

int HaproxyEngine::pid() const { return impl_->current ? impl_->current->identity().pid : 0; }
std::uint64_t HaproxyEngine::reloads() const { return impl_->reloads; }

}  // namespace devstack::proxy
