#include "cmd/devstack/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <boost/json.hpp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cmd/devstack/app.h"
#include "cmd/devstack/exit_code.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/terminal.h"
#include "core/base/async/task_group.h"
#include "core/base/log.h"

namespace devstack {
namespace {

constexpr int kReadyTimeoutMs = 60'000;

/// Held for the life of the process: one supervisor a state directory.
class StateLock {
 public:
  static Result<StateLock> take(const StatePaths& paths) {
    const int fd = open(paths.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return fail(Errc::io, "cannot open {}: {}", paths.lock(), std::strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      char pid[32] = "";
      [[maybe_unused]] const ssize_t got = read(fd, pid, sizeof pid - 1);
      close(fd);
      return fail(Errc::conflict, "another devstack (pid {}) holds the state directory {}", std::atoi(pid), paths.root);
    }
    const std::string pid = std::to_string(getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
      close(fd);
      return fail(Errc::io, "cannot write {}: {}", paths.lock(), std::strerror(errno));
    }
    return StateLock(fd);
  }
  StateLock(StateLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;
  StateLock& operator=(StateLock&&) = delete;
  ~StateLock() {
    if (fd_ >= 0) close(fd_);
  }

 private:
  explicit StateLock(int fd) : fd_(fd) {}
  int fd_;
};

/// One line of JSON to the `up` that waits: {"ok":true,"notices":[…]} or {"ok":false,"code":4,"message":"…"}.
void tell_starter(int fd, const Result<void>& outcome, const std::vector<std::string>& notices) {
  if (fd < 0) return;
  boost::json::object line;
  line["ok"] = outcome.has_value();
  if (!outcome) {
    line["code"] = static_cast<int>(outcome.error().code);
    line["message"] = outcome.error().to_string();
  }
  boost::json::array list;
  for (const auto& notice : notices) list.emplace_back(notice);
  line["notices"] = std::move(list);
  const std::string text = boost::json::serialize(line) + "\n";
  [[maybe_unused]] const ssize_t written = write(fd, text.data(), text.size());
  close(fd);
}

/// systemd's readiness protocol is one datagram (sd_notify(3)).
void notify_systemd(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || std::strlen(path) >= sizeof(sockaddr_un::sun_path)) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, std::strlen(path));
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), length);
  close(fd);
}

/// Every blocked query and every open page is a descriptor; the usual soft limit of 1024 is soon reached. Children get
/// the old one back (core/process/launch.cc).
void raise_file_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = std::max(files.rlim_cur, std::min<rlim_t>(files.rlim_max, 65536));
  setrlimit(RLIMIT_NOFILE, &files);
}

struct Ending {
  int code = 0;
};

asio::awaitable<void> end_on_signal(App& app, Signal& done, Ending& ending, asio::signal_set& signals) {
  bool stopping = false;
  for (;;) {
    boost::system::error_code error;
    const int number = co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    if (number == SIGHUP) {
      const auto changes = co_await app.reload();
      if (changes) {
        log::info("core", "read the stack file again: {}", changes->empty() ? "nothing changed" : *changes);
      } else {
        log::error("core", "the stack file was not taken: {}", changes.error().to_string());
      }
      continue;
    }
    if (stopping) std::_Exit(130);
    stopping = true;
    ending.code = number == SIGINT ? 130 : 0;
    log::info("core", "stopping (again to end at once)");
    notify_systemd("STOPPING=1");
    // Not awaited here: the next signal must be heard meanwhile.
    auto stop = [](App& target, Signal& finished) -> asio::awaitable<void> {
      if (const auto outcome = co_await target.down(); !outcome) log::error("core", "{}", outcome.error().to_string());
      finished.bump();
    };
    spawn(co_await asio::this_coro::executor, "down", stop(app, done));
  }
}

/// Services whose `attach` is false.
std::vector<std::string> quiet_services(const App& app) {
  std::vector<std::string> out;
  for (const auto& [name, service] : app.file().services) {
    if (!service.attach) out.push_back(name);
  }
  return out;
}

asio::awaitable<void> show_output(App& app, AttachedOutput& output) {
  for (;;) {
    const auto seen = output.changed().version();
    output.print(app.status(), quiet_services(app));
    co_await output.changed().wait_past(seen, Instant::max());
  }
}

/// Takes everything down once a unit has ended; `first` is its name.
asio::awaitable<void> end_with_the_first(App& app, std::string& first) {
  for (;;) {
    const auto seen = app.changed().version();
    const auto status = app.status();
    if (const auto* ended = ended_unit(status)) {
      first = ended->name;
      break;
    }
    co_await app.changed().wait_past(seen, Instant::max());
  }
  log::info("core", "{} has ended: stopping", first);
  auto stop = [](App& target) -> asio::awaitable<void> {
    if (const auto outcome = co_await target.down(); !outcome) log::error("core", "{}", outcome.error().to_string());
  };
  spawn(co_await asio::this_coro::executor, "down", stop(app));
}

asio::awaitable<void> run_app(App& app, const ForegroundOptions& options, std::string kept, Ending& ending) {
  const auto loop = co_await asio::this_coro::executor;
  const bool in_terminal = options.ready_fd < 0;
  const auto& attachment = options.attachment;
  std::optional<AttachedOutput> output;
  if (in_terminal && (terminal::is_terminal() || attachment.wanted())) output.emplace(loop, kept, attachment);
  // From before the start: a signal that comes during it is kept until somebody waits for it.
  asio::signal_set signals(loop, SIGTERM, SIGINT, SIGHUP);
  const auto started = co_await app.start();
  tell_starter(options.ready_fd, started, app.notices());
  if (!started) {
    ending.code = report(started.error());
    co_return;
  }
  if (in_terminal) {
    for (const auto& notice : app.notices()) log::warn("core", "{}", notice);
  }
  notify_systemd("READY=1");
  Signal& done = app.finished();
  std::string first;
  TaskGroup tasks(loop);
  tasks.spawn("signals", end_on_signal(app, done, ending, signals));
  if (output) tasks.spawn("show output", show_output(app, *output));
  if (attachment.ends()) tasks.spawn("end with the first", end_with_the_first(app, first));
  co_await done.wait_past(0, std::chrono::steady_clock::time_point::max());
  co_await tasks.stop();
  const auto status = app.status();
  if (output) output->print(status, quiet_services(app));
  if (!first.empty() && ending.code == 0) ending.code = code_of(status, first, attachment);
}

}  // namespace

int run_in_foreground(const Globals& globals, ForegroundOptions options) {
  const StatePaths paths(state_dir());
  const auto refuse = [&](const Error& error) {
    tell_starter(options.ready_fd, tl::unexpected(error), {});
    return report(error);
  };
  if (const auto made = make_state_dir(paths.root); !made) return refuse(made.error());
  const auto lock = StateLock::take(paths);
  if (!lock) return refuse(lock.error());
  if (options.ready_fd >= 0) {
    if (const auto logged = log::to_file(paths.log()); !logged) return refuse(logged.error());
  }
  raise_file_limit();
  const auto standard_input = paths.standard_input(options.file.project);
  asio::io_context loop(1);
  Ending ending;
  {
    const auto kept = paths.logs(options.file.project);
    App app(loop, AppOptions{paths.root, options.load, std::move(options.file), options.choice, globals.ui_dir});
    spawn(loop.get_executor(), "main", run_app(app, options, kept, ending));
    loop.run();
  }
  // Kept over a crash only: it may hold secrets.
  std::error_code ignored;
  std::filesystem::remove(standard_input, ignored);
  return ending.code;
}

Result<void> start_in_background(const Globals& globals, const stack::StackFile& file, const UpChoice& choice) {
  const StatePaths paths(state_dir());
  CHECK(make_state_dir(paths.root));
  TRY(const auto where, load_flags(globals, paths.standard_input(file.project)));
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return fail(Errc::io, "pipe: {}", std::strerror(errno));

  std::vector<std::string> args{own_program(), "up",         "--foreground", "--ready-fd",     "3",
                                "-p",          file.project, "--log-level",  globals.log_level};
  args.insert(args.end(), where.begin(), where.end());
  if (!globals.ui_dir.empty()) args.insert(args.end(), {"--ui-dir", globals.ui_dir});
  const auto chosen = choice.flags();
  args.insert(args.end(), chosen.begin(), chosen.end());
  std::vector<char*> argv;
  for (auto& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);

  const pid_t pid = fork();
  if (pid < 0) return fail(Errc::io, "fork: {}", std::strerror(errno));
  if (pid == 0) {
    // Only async-signal-safe calls until exec. A second fork leaves the supervisor to init, with no terminal.
    setsid();
    if (fork() != 0) _exit(0);
    const int null = open("/dev/null", O_RDWR);
    const int log = open(paths.log().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(null, STDIN_FILENO);
    dup2(log >= 0 ? log : null, STDOUT_FILENO);
    dup2(log >= 0 ? log : null, STDERR_FILENO);
    if (ready[1] == 3) {
      fcntl(3, F_SETFD, 0);
    } else {
      dup2(ready[1], 3);
    }
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ready[1]);
  int ignored = 0;
  waitpid(pid, &ignored, 0);

  std::string line;
  pollfd waiting{ready[0], POLLIN, 0};
  char buffer[4096];
  while (line.find('\n') == std::string::npos) {
    if (poll(&waiting, 1, kReadyTimeoutMs) <= 0) break;
    const ssize_t got = read(ready[0], buffer, sizeof buffer);
    if (got <= 0) break;
    line.append(buffer, static_cast<std::size_t>(got));
  }
  close(ready[0]);
  boost::system::error_code error;
  const auto answer = boost::json::parse(line, error);
  if (error || !answer.is_object()) {
    return fail(Errc::failed, "the supervisor ended before it was ready; its log: {}", paths.log());
  }
  const auto& fields = answer.as_object();
  if (const auto* notices = fields.if_contains("notices"); notices != nullptr && notices->is_array()) {
    for (const auto& notice : notices->as_array()) terminal::complain(std::string(notice.as_string()));
  }
  if (fields.at("ok").as_bool()) return {};
  return tl::unexpected(
      Error{static_cast<Errc>(fields.at("code").as_int64()), std::string(fields.at("message").as_string())});
}

}  // namespace devstack
