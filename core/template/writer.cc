#include "core/template/writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "core/base/log.h"
#include "core/process/child.h"

namespace devstack::templates {
namespace {

namespace fs = std::filesystem;
using Environment = std::map<std::string, std::string>;

constexpr std::chrono::seconds kCommandTime{30};

auto io_error(std::string_view what, const std::string& path) {
  return fail(Errc::io, "cannot {} {}: {}", what, path, std::strerror(errno));
}

/// The file under a temporary name; gone with the object unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& beside) : path_(beside + ".devstack-XXXXXX") {}
  ~TemporaryFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!path_.empty() && made_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  Result<void> write(std::string_view content) {
    fd_ = ::mkostemp(path_.data(), O_CLOEXEC);
    if (fd_ < 0) return io_error("create a file beside", path_);
    made_ = true;
    while (!content.empty()) {
      const auto count = ::write(fd_, content.data(), content.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return io_error("write", path_);
      content.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }
  Result<void> finish(const std::string& destination, mode_t mode, const std::optional<struct stat>& old) {
    // Only root can give files away; for others the owner is the same already or stays theirs.
    const bool other_owner = old && (old->st_uid != ::geteuid() || old->st_gid != ::getegid());
    if (other_owner && ::fchown(fd_, old->st_uid, old->st_gid) != 0 && errno != EPERM) return io_error("chown", path_);
    if (::fchmod(fd_, mode) != 0) return io_error("chmod", path_);
    if (::fsync(fd_) != 0) return io_error("sync", path_);
    if (::rename(path_.c_str(), destination.c_str()) != 0) return io_error("replace", destination);
    made_ = false;
    return {};
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_ = -1;
  bool made_ = false;
};

std::optional<std::string> content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string last_line(std::string_view output) {
  while (output.ends_with('\n')) output.remove_suffix(1);
  const auto start = output.rfind('\n');
  return std::string(start == std::string_view::npos ? output : output.substr(start + 1));
}

asio::awaitable<Result<void>> shell(std::string command, Environment environment, std::string working_dir) {
  process::Spec spec;
  spec.argv = {"/bin/sh", "-c", command};
  spec.env = std::move(environment);
  spec.working_dir = std::move(working_dir);
  auto finished = co_await process::run(std::move(spec), kCommandTime);
  if (!finished) co_return tl::unexpected<Error>(std::move(finished.error()));
  if (!finished->output.empty()) log::info("templates", "{}: {}", command, finished->output);
  if (finished->exit_code == 0) co_return Result<void>();
  const auto said = last_line(finished->output);
  co_return fail(Errc::failed, "`{}` ended with {}{}{}", command, finished->exit_code, said.empty() ? "" : ": ", said);
}

std::string with_path(std::string command, const std::string& path) {
  for (auto at = command.find("{}"); at != std::string::npos; at = command.find("{}", at + path.size())) {
    command.replace(at, 2, path);
  }
  return command;
}

}  // namespace

asio::awaitable<Result<Written>> write_file(Output output, std::string content, Environment environment) {
  struct stat status {};
  std::optional<struct stat> old;
  if (::stat(output.destination.c_str(), &status) == 0) old = status;
  mode_t mode = old ? old->st_mode & 07777U : 0644U;
  if (!output.perms.empty()) mode = static_cast<mode_t>(std::stoul(output.perms, nullptr, 8));
  const bool same_mode = old && (old->st_mode & 07777U) == mode;
  if (same_mode && content_of(output.destination) == content) co_return Written::unchanged;

  std::error_code problem;
  fs::create_directories(fs::path(output.destination).parent_path(), problem);
  if (problem) co_return fail(Errc::io, "cannot make the folder of {}: {}", output.destination, problem.message());
  TemporaryFile file(output.destination);
  CO_CHECK(file.write(content));
  if (!output.check.empty()) {
    environment["FILE"] = file.path();
    auto checked = co_await shell(with_path(output.check, file.path()), std::move(environment), output.working_dir);
    if (!checked) co_return tl::unexpected<Error>(std::move(checked.error()).with_context("check"));
  }
  CO_CHECK(file.finish(output.destination, mode, old));
  co_return Written::changed;
}

asio::awaitable<Result<void>> run_command(std::string command, Environment environment, std::string working_dir) {
  return shell(std::move(command), std::move(environment), std::move(working_dir));
}

}  // namespace devstack::templates
