#include "core/supervisor/path_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "core/base/log.h"

namespace devstack::supervisor {
namespace {

namespace fs = std::filesystem;
constexpr std::uint32_t events_wanted =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK;
constexpr auto quiet_span = std::chrono::milliseconds(100);
/// What changes without a pause (a log file below the folder) is told of after this many quiet spans.
constexpr int most_quiet_spans = 20;

}  // namespace

bool ignored_name(std::string_view name) {
  constexpr std::array names{".git", ".hg", ".svn", "node_modules", "__pycache__", "4913", ".DS_Store"};
  constexpr std::array ends{"~", ".swp", ".swo", ".swx", ".tmp", ".pyc", "___jb_tmp___", "___jb_old___"};
  constexpr std::array begins{".#", "#", ".goutputstream-"};
  return std::any_of(names.begin(), names.end(), [&](const char* other) { return name == other; }) ||
         std::any_of(ends.begin(), ends.end(), [&](const char* end) { return name.ends_with(end); }) ||
         std::any_of(begins.begin(), begins.end(), [&](const char* begin) { return name.starts_with(begin); });
}

struct PathWatch::Impl {
  struct Folder {
    std::string path;
    bool all = false;             ///< everything in it counts
    std::set<std::string> names;  ///< these alone count otherwise: the watched paths themselves
  };

  Impl(const asio::any_io_executor& executor, Clock& time) : descriptor(executor), clock(time) {}

  Result<void> add_root(const std::string& given);
  void add_tree(const fs::path& root);
  Folder* add_folder(const std::string& path);
  std::string take_changes();
  std::string change_of(const inotify_event& event);

  asio::posix::stream_descriptor descriptor;
  Clock& clock;
  std::map<int, Folder> folders;
  bool full = false;  ///< said so
};

PathWatch::Impl::Folder* PathWatch::Impl::add_folder(const std::string& path) {
  if (folders.size() >= most_folders) {
    if (!std::exchange(full, true)) {
      log::warn("supervisor", "watch: more than {} folders; changes in {} and others are not seen", most_folders, path);
    }
    return nullptr;
  }
  const int watch = ::inotify_add_watch(descriptor.native_handle(), path.c_str(), events_wanted);
  if (watch < 0) return nullptr;
  auto& folder = folders[watch];
  folder.path = path;
  return &folder;
}

void PathWatch::Impl::add_tree(const fs::path& root) {
  std::vector<fs::path> open{root};
  while (!open.empty()) {
    const fs::path at = std::move(open.back());
    open.pop_back();
    auto* folder = add_folder(at.string());
    if (folder == nullptr) {
      if (errno == ENOSPC && !std::exchange(full, true)) {
        log::warn("supervisor", "watch: no room for more watches at {}: raise sysctl fs.inotify.max_user_watches",
                  at.string());
      }
      continue;
    }
    folder->all = true;
    std::error_code error;
    for (fs::directory_iterator entry(at, error), end; !error && entry != end; entry.increment(error)) {
      std::error_code gone;
      const bool folder_below = entry->is_directory(gone) && !entry->is_symlink(gone);
      if (folder_below && !ignored_name(entry->path().filename().string())) open.push_back(entry->path());
    }
  }
}

Result<void> PathWatch::Impl::add_root(const std::string& given) {
  fs::path path = fs::path(given).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const std::string parent = path.parent_path().string();
  auto* folder = add_folder(parent);
  if (folder == nullptr && errno == ENOSPC) {
    return fail(Errc::io, "watch: no room for more watches: raise sysctl fs.inotify.max_user_watches");
  }
  if (folder == nullptr) return fail(Errc::not_found, "watch: {} is not there: {}", parent, std::strerror(errno));
  folder->names.insert(path.filename().string());
  std::error_code error;
  if (fs::is_directory(path, error)) add_tree(path);
  return {};
}

/// The path that an event is about, when it counts; follows a folder that appeared.
std::string PathWatch::Impl::change_of(const inotify_event& event) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) return "more than can be told";
  const auto at = folders.find(event.wd);
  if (at == folders.end()) return {};
  if ((event.mask & IN_IGNORED) != 0) {
    folders.erase(at);
    return {};
  }
  const std::string name = event.len > 0 ? event.name : "";
  const bool named = at->second.names.contains(name);
  if (!named && (!at->second.all || ignored_name(name))) return {};
  const std::string path = at->second.path + "/" + name;
  if ((event.mask & IN_ISDIR) != 0 && (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) add_tree(path);
  return path;
}

/// The first path that changed since the last call; "" for none.
std::string PathWatch::Impl::take_changes() {
  std::string first;
  alignas(inotify_event) std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(descriptor.native_handle(), buffer.data(), buffer.size());
    if (got <= 0) return first;
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      auto path = change_of(*event);
      if (first.empty()) first = std::move(path);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
}

PathWatch::PathWatch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PathWatch::~PathWatch() = default;

Result<std::unique_ptr<PathWatch>> PathWatch::open(asio::any_io_executor executor, std::vector<std::string> paths,
                                                   Clock& clock) {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return fail(Errc::io, "watch: inotify: {}", std::strerror(errno));
  auto impl = std::make_unique<Impl>(executor, clock);
  boost::system::error_code error;
  impl->descriptor.assign(fd, error);
  if (error) {
    ::close(fd);
    return fail(Errc::io, "watch: inotify: {}", error.message());
  }
  for (const auto& path : paths) CHECK(impl->add_root(path));
  return std::unique_ptr<PathWatch>(new PathWatch(std::move(impl)));
}

asio::awaitable<std::string> PathWatch::next() {
  std::string first = impl_->take_changes();
  while (first.empty()) {
    co_await impl_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    first = impl_->take_changes();
  }
  for (int spans = 0; spans < most_quiet_spans; ++spans) {
    co_await impl_->clock.sleep_for(quiet_span);
    if (impl_->take_changes().empty()) break;
  }
  co_return first;
}

}  // namespace devstack::supervisor
