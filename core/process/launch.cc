#include "core/process/launch.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/start_dir.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace devstack::process {
namespace {

/// Ours may be raised later; select(2) in a child cannot use more than it was made for.
const rlimit file_limit_at_start = [] {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit;
}();

namespace process = boost::process::v2;
namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

struct Account {
  bool change = false;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string name, home = "/", shell;
};

template <class Number>
bool number(std::string_view text, Number& out) {
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  return !text.empty() && error == std::errc() && at == end;
}

/// "name", "uid", "name:group", "uid:gid", as Compose's `user:`.
Result<Account> account_of(const std::string& user) {
  Account account;
  if (user.empty()) return account;
  const auto colon = user.find(':');
  const std::string name = user.substr(0, colon);
  const passwd* entry = nullptr;
  if (number(name, account.uid)) {
    entry = ::getpwuid(account.uid);
    account.gid = entry != nullptr ? entry->pw_gid : account.uid;
  } else if (entry = ::getpwnam(name.c_str()); entry != nullptr) {
    account.uid = entry->pw_uid;
    account.gid = entry->pw_gid;
  } else {
    return fail(Errc::not_found, "no user \"{}\" on this machine", name);
  }
  if (colon != std::string::npos) {
    const std::string group = user.substr(colon + 1);
    if (!number(group, account.gid)) {
      const auto* row = ::getgrnam(group.c_str());
      if (row == nullptr) return fail(Errc::not_found, "no group \"{}\" on this machine", group);
      account.gid = row->gr_gid;
    }
  }
  account.change = account.uid != ::geteuid() || account.gid != ::getegid();
  if (account.change && ::geteuid() != 0) {
    return fail(Errc::permission, "only root may start a process as user \"{}\"", user);
  }
  if (entry != nullptr) {
    account.name = entry->pw_name;
    account.home = entry->pw_dir;
    account.shell = entry->pw_shell;
  }
  int count = 64;
  account.groups.resize(64);
  if (entry == nullptr || ::getgrouplist(entry->pw_name, account.gid, account.groups.data(), &count) < 0) {
    account.groups.assign(1, account.gid);
  } else {
    account.groups.resize(static_cast<std::size_t>(count));
  }
  return account;
}

/// Another user's process finds its own files: what the caller does not say is that user's, as login(1) sets it.
std::vector<std::string> environment_of(const Spec& spec, const Account& account) {
  auto variables = spec.env;
  if (account.change) {
    variables.emplace("HOME", account.home);
    for (const char* key : {"USER", "LOGNAME"}) {
      if (!account.name.empty()) variables.emplace(key, account.name);
    }
    if (!account.shell.empty()) variables.emplace("SHELL", account.shell);
  }
  std::vector<std::string> out;
  out.reserve(variables.size());
  for (const auto& [key, value] : variables) out.push_back(key + "=" + value);
  return out;
}

/// What runs between fork and exec: system calls only.
struct ChildSetup {
  int input = -1;
  int output = -1;
  const Account* account = nullptr;
  const char* working_dir = nullptr;
  const char* const* argv = nullptr;

  process::error_code on_setup(process::posix::default_launcher&, const process::filesystem::path&,
                               const char* const*& command_line) {
    command_line = argv;  // argv[0] as the user wrote it, not the path found
    return {};
  }

  process::error_code on_exec_setup(process::posix::default_launcher&, const process::filesystem::path&,
                                    const char* const*) {
    ::setsid();
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int number = 1; number < 32; ++number) ::signal(number, SIG_DFL);
    ::setrlimit(RLIMIT_NOFILE, &file_limit_at_start);
    const bool ready = ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
                       ::dup2(output, STDERR_FILENO) >= 0 && change_account() &&
                       (working_dir == nullptr || ::chdir(working_dir) == 0);
    // Boost 1.81's own close_all leaves everything below its error pipe open (it compares a descriptor with itself).
    ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    if (ready) return {};
    return {errno, boost::system::system_category()};
  }

  /// The launcher would call exit(), and with it our destructors, in the forked copy of us.
  template <class... Ignored>
  void on_exec_error(Ignored&&...) {
    ::_exit(127);
  }

 private:
  [[nodiscard]] bool change_account() const {
    if (!account->change) return true;
    return ::setgroups(account->groups.size(), account->groups.data()) == 0 && ::setgid(account->gid) == 0 &&
           ::setuid(account->uid) == 0;
  }
};

std::string working_dir_text(const Spec& spec) {
  std::error_code ignored;
  return spec.working_dir.empty() ? fs::current_path(ignored).string() : spec.working_dir;
}

/// The file to execute, or why there is none, before a process is forked for nothing.
Result<std::string> program_of(const Spec& spec) {
  if (spec.argv.empty() || spec.argv[0].empty()) return fail(Errc::invalid_argument, "the command is empty");
  const std::string& name = spec.argv[0];
  std::error_code error;
  if (!spec.working_dir.empty() && !fs::is_directory(spec.working_dir, error)) {
    return fail(Errc::not_found, "{}: the working directory {} does not exist", name, spec.working_dir);
  }
  if (name.find('/') == std::string::npos) {
    const auto path = spec.env.find("PATH");
    const std::string search = path == spec.env.end() ? "/usr/local/bin:/usr/bin:/bin" : path->second;
    if (auto found = find_program(name, search)) return *found;
    return fail(Errc::not_found, "{}: command not found in PATH ({})", name, search);
  }
  const fs::path file = fs::path(working_dir_text(spec)) / name;
  if (!fs::exists(file, error)) {
    if (fs::path(name).is_absolute()) return fail(Errc::not_found, "{}: no such file", name);
    return fail(Errc::not_found, "{}: no such file in {}", name, working_dir_text(spec));
  }
  if (fs::is_directory(file, error)) return fail(Errc::permission, "{}: is a directory", name);
  if (::access(file.c_str(), X_OK) != 0) {
    return fail(Errc::permission, "{}: not executable (chmod +x {})", name, file.string());
  }
  return name;
}

Result<Descriptor> open_log(const std::string& path) {
  if (path.empty()) return Descriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  std::error_code ignored;
  fs::create_directories(fs::path(path).parent_path(), ignored);
  Descriptor log(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
  if (log.get() < 0) return fail(Errc::io, "cannot open the log file {}: {}", path, std::strerror(errno));
  return log;
}

Error launch_error(const Spec& spec, int code) {
  const std::string& name = spec.argv[0];
  switch (code) {
    case ENOENT:
      return Error{Errc::not_found, fmt::format("{}: its interpreter (#! line or loader) does not exist", name)};
    case ENOEXEC:
      return Error{Errc::failed, fmt::format("{}: not a program for this machine (a script needs a #! line)", name)};
    case EACCES:
      if (!spec.user.empty()) {
        return Error{Errc::permission, fmt::format("{}: user {} may not run it, or may not enter the folder {}", name,
                                                   spec.user, working_dir_text(spec))};
      }
      [[fallthrough]];
    case EPERM:
      return Error{Errc::permission, fmt::format("{}: {}", name, std::strerror(code))};
    default:
      return Error{Errc::io, fmt::format("{}: cannot be started: {}", name, std::strerror(code))};
  }
}

std::vector<const char*> c_strings(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const auto& text : texts) pointers.push_back(text.c_str());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<pid_t> launch(const asio::any_io_executor& executor, const Spec& spec, int output_fd) {
  TRY(const std::string program, program_of(spec));
  TRY(const Account account, account_of(spec.user));
  const Descriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  TRY(const Descriptor log, output_fd >= 0 ? Result<Descriptor>(Descriptor()) : open_log(spec.log_file));

  const auto env = environment_of(spec, account);
  const auto argv = c_strings(spec.argv);
  const auto envp = c_strings(env);

  ChildSetup setup;
  setup.input = input.get();
  setup.output = output_fd >= 0 ? output_fd : log.get();
  setup.account = &account;
  setup.working_dir = spec.working_dir.empty() ? nullptr : spec.working_dir.c_str();
  setup.argv = argv.data();

  process::posix::default_launcher launcher;
  launcher.env = envp.data();
  process::error_code error;
  const std::vector<std::string> no_args;
  try {
    auto started = launcher(executor, error, process::filesystem::path(program), no_args, setup);
    if (!error) started.detach();
  } catch (const std::exception& caught) {
    // The fork may have happened: a child that nobody knows must not stay.
    if (launcher.pid > 0) {
      ::kill(launcher.pid, SIGKILL);
      ::waitpid(launcher.pid, nullptr, 0);
    }
    return fail(Errc::io, "{}: cannot be started: {}", spec.argv[0], caught.what());
  }
  if (error) {
    if (launcher.pid > 0) ::waitpid(launcher.pid, nullptr, 0);  // the launcher does not reap a failed exec
    return tl::unexpected<Error>(launch_error(spec, error.value()));
  }
  return launcher.pid;
}

}  // namespace devstack::process
