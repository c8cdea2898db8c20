#include "core/host/machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace devstack::host {
namespace {

constexpr std::size_t kLargest = 1U << 20U;
constexpr mode_t kPermissions = 07777;
constexpr std::int64_t kNanoseconds = 1'000'000'000;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

auto io_error(std::string_view what, const std::string& path) {
  const int number = errno;
  const char* hint = "";
  if (number == EBUSY) hint = " (it is a mount of its own: a container's?)";
  if (number == EPERM && ::geteuid() == 0) hint = " (is it immutable? see lsattr)";
  if (number == EROFS) hint = " (this system keeps its configuration elsewhere)";
  const auto code = number == EACCES || number == EPERM ? Errc::permission : Errc::io;
  return fail(code, "cannot {} {}: {}{}", what, path, std::strerror(number), hint);
}

/// open(2) below `root`, where every symlink, absolute ones too, stays below it.
int open_in_root(int root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<__u64>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  return static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
}

Result<std::string> read_all(int fd, const std::string& path) {
  std::string out;
  std::array<char, 16384> buffer{};
  for (;;) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", path);
    if (got == 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(got));
    if (out.size() > kLargest) return fail(Errc::too_large, "{} is larger than 1 MiB", path);
  }
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

/// Labels and ACLs follow the name, not the inode. What the file system refuses is not worth failing for.
void copy_attributes(int from, int to) {
  std::array<char, 4096> names{};
  const auto length = ::flistxattr(from, names.data(), names.size());
  std::array<char, 4096> value{};
  for (ssize_t at = 0; at < length;) {
    const char* name = names.data() + at;
    const auto size = ::fgetxattr(from, name, value.data(), value.size());
    if (size >= 0) static_cast<void>(::fsetxattr(to, name, value.data(), static_cast<std::size_t>(size), 0));
    at += static_cast<ssize_t>(std::strlen(name)) + 1;
  }
}

/// Hidden, and ended by no suffix that a configuration folder's reader looks for.
std::string temporary(const std::string& name) { return "." + name + ".devstack-new"; }

Result<void> set_owner_and_times(int fd, const FileState& wanted, const std::string& path) {
  struct stat now {};
  if (::fstat(fd, &now) != 0) return io_error("look at", path);
  const bool other_owner = now.st_uid != wanted.uid || now.st_gid != wanted.gid;
  if (other_owner && ::fchown(fd, wanted.uid, wanted.gid) != 0) return io_error("give away", path);
  if (::fchmod(fd, wanted.mode) != 0) return io_error("set the mode of", path);
  if (wanted.mtime_ns == 0) return {};
  const timespec then{wanted.mtime_ns / kNanoseconds, wanted.mtime_ns % kNanoseconds};
  const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, then};
  if (::futimens(fd, times.data()) != 0) return io_error("set the time of", path);
  return {};
}

}  // namespace

bool same(const FileState& left, const FileState& right) {
  using Kind = FileState::Kind;
  if (left.kind != right.kind) return false;
  if (left.kind == Kind::absent) return true;
  const bool owner = left.uid == right.uid && left.gid == right.gid;
  if (left.kind == Kind::symlink) return owner && left.bytes == right.bytes;
  return owner && left.mode == right.mode && left.bytes == right.bytes;
}

FileState regular_file(std::string bytes, mode_t mode, uid_t uid, gid_t gid) {
  return {FileState::Kind::file, std::move(bytes), mode, uid, gid, 0};
}

struct Machine::Place {
  Descriptor parent;
  std::string name;
};

Result<Machine> Machine::open(std::string root, OnStep on_step) {
  const int fd = ::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail(Errc::not_found, "cannot open the root {}: {}", root, std::strerror(errno));
  return Machine(std::move(root), fd, std::move(on_step));
}

Machine::Machine(std::string root, int root_fd, OnStep on_step)
    : root_(std::move(root)), root_fd_(root_fd), on_step_(std::move(on_step)) {}
Machine::Machine(Machine&& other) noexcept
    : root_(std::move(other.root_)), root_fd_(std::exchange(other.root_fd_, -1)), on_step_(std::move(other.on_step_)) {}
Machine& Machine::operator=(Machine&& other) noexcept {
  std::swap(root_, other.root_);
  std::swap(root_fd_, other.root_fd_);
  std::swap(on_step_, other.on_step_);
  return *this;
}
Machine::~Machine() {
  if (root_fd_ >= 0) ::close(root_fd_);
}

void Machine::step(std::string_view name) const {
  if (on_step_) on_step_(name);
}

Result<Machine::Place> Machine::place(const std::string& path) const {
  const auto slash = path.rfind('/');
  const std::string parent = slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
  const int fd = open_in_root(root_fd_, parent, O_RDONLY | O_DIRECTORY);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return fail(Errc::not_found, "there is no folder {}", parent);
    return io_error("open the folder", parent);
  }
  return Place{Descriptor(fd), path.substr(slash + 1)};
}

Result<FileState> Machine::look(const std::string& path) const {
  const auto at = place(path);
  if (!at) {
    if (at.error().code == Errc::not_found) return FileState{};
    return tl::unexpected(at.error());
  }
  struct stat status {};
  if (::fstatat(at->parent.get(), at->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return FileState{};
    return io_error("look at", path);
  }
  FileState found{FileState::Kind::other, "", status.st_mode & kPermissions, status.st_uid, status.st_gid, 0};
  if (S_ISDIR(status.st_mode)) {
    found.kind = FileState::Kind::directory;
  } else if (S_ISLNK(status.st_mode)) {
    found.kind = FileState::Kind::symlink;
    found.mode = 0;
    std::array<char, 4096> target{};
    const auto length = ::readlinkat(at->parent.get(), at->name.c_str(), target.data(), target.size());
    if (length < 0) return io_error("read the link", path);
    found.bytes.assign(target.data(), static_cast<std::size_t>(length));
  } else if (S_ISREG(status.st_mode)) {
    found.kind = FileState::Kind::file;
    found.mtime_ns = status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec;
    const Descriptor file(::openat(at->parent.get(), at->name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (file.get() < 0) return io_error("open", path);
    TRY(found.bytes, read_all(file.get(), path));
  }
  return found;
}

Result<std::string> Machine::read(const std::string& path) const {
  const Descriptor file(open_in_root(root_fd_, path, O_RDONLY | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return fail(Errc::not_found, "there is no {}", path);
    return io_error("open", path);
  }
  return read_all(file.get(), path);
}

std::vector<std::string> Machine::list(const std::string& path) const {
  std::vector<std::string> names;
  const int fd = open_in_root(root_fd_, path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return names;
  DIR* folder = ::fdopendir(fd);
  if (folder == nullptr) {
    ::close(fd);
    return names;
  }
  while (const dirent* entry = ::readdir(folder)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(folder);
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> Machine::put(const std::string& path, const FileState& wanted) {
  TRY(const auto at, place(path));
  switch (wanted.kind) {
    case FileState::Kind::absent:
      return remove(at, path);
    case FileState::Kind::file:
      return put_file(at, path, wanted);
    case FileState::Kind::symlink:
      return put_symlink(at, path, wanted);
    case FileState::Kind::directory:
      return put_directory(at, path, wanted);
    case FileState::Kind::other:
      break;
  }
  return fail(Errc::invalid_argument, "{} is neither a file nor a folder", path);
}

Result<void> Machine::remove(const Place& at, const std::string& path) {
  const int folder = at.parent.get();
  if (::unlinkat(folder, at.name.c_str(), 0) != 0) {
    const bool is_folder = errno == EISDIR;
    if (errno == ENOENT) return {};
    if (!is_folder) return io_error("remove", path);
    if (::unlinkat(folder, at.name.c_str(), AT_REMOVEDIR) != 0) {
      if (errno == ENOTEMPTY || errno == EEXIST) return fail(Errc::conflict, "{} is not empty", path);
      return io_error("remove", path);
    }
  }
  step("removed");
  if (::fsync(folder) != 0) return io_error("sync the folder of", path);
  return {};
}

Result<void> Machine::put_file(const Place& at, const std::string& path, const FileState& wanted) {
  const auto name = temporary(at.name);
  const int folder = at.parent.get();
  ::unlinkat(folder, name.c_str(), 0);
  const Descriptor file(::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return io_error("make a file beside", path);
  const Descriptor old(::openat(folder, at.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  const auto fill = [&]() -> Result<void> {
    CHECK(write_all(file.get(), wanted.bytes, path));
    if (old.get() >= 0) copy_attributes(old.get(), file.get());
    CHECK(set_owner_and_times(file.get(), wanted, path));
    if (::fsync(file.get()) != 0) return io_error("sync", path);
    return {};
  };
  auto filled = fill();
  if (!filled) {
    ::unlinkat(folder, name.c_str(), 0);
    return filled;
  }
  step("written");
  return finish(at, path);
}

Result<void> Machine::put_symlink(const Place& at, const std::string& path, const FileState& wanted) {
  const auto name = temporary(at.name);
  const int folder = at.parent.get();
  ::unlinkat(folder, name.c_str(), 0);
  if (::symlinkat(wanted.bytes.c_str(), folder, name.c_str()) != 0) return io_error("make a link beside", path);
  const bool other_owner = wanted.uid != ::geteuid() || wanted.gid != ::getegid();
  if (other_owner && ::fchownat(folder, name.c_str(), wanted.uid, wanted.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    const auto error = io_error("give away", path);
    ::unlinkat(folder, name.c_str(), 0);
    return error;
  }
  step("written");
  return finish(at, path);
}

Result<void> Machine::finish(const Place& at, const std::string& path) {
  const auto name = temporary(at.name);
  const int folder = at.parent.get();
  if (::renameat(folder, name.c_str(), folder, at.name.c_str()) != 0) {
    const auto error = io_error("replace", path);
    ::unlinkat(folder, name.c_str(), 0);
    return error;
  }
  step("renamed");
  if (::fsync(folder) != 0) return io_error("sync the folder of", path);
  return {};
}

Result<void> Machine::put_directory(const Place& at, const std::string& path, const FileState& wanted) {
  const int folder = at.parent.get();
  if (::mkdirat(folder, at.name.c_str(), 0700) != 0 && errno != EEXIST) return io_error("make the folder", path);
  step("made");
  const Descriptor made(::openat(folder, at.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (made.get() < 0) return io_error("open the folder", path);
  CHECK(set_owner_and_times(made.get(), wanted, path));
  if (::fsync(folder) != 0) return io_error("sync the folder of", path);
  return {};
}

void Machine::sweep(const std::string& path) {
  const auto at = place(path);
  if (at) ::unlinkat(at->parent.get(), temporary(at->name).c_str(), 0);
}

}  // namespace devstack::host
