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
#include <utility>

#include "core/base/log.h"

namespace devstack::supervisor {
namespace {

namespace fs = std::filesystem;
constexpr std::uint32_t events_wanted =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK;
constexpr int most_quiet_spans = 20;

bool is_in(const std::string& path, const std::string& folder) {
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

bool users_own(const std::string& path) { return !ignored_name(path.substr(path.rfind('/') + 1)); }

std::string no_room(std::string_view path) {
  return fmt::format("watch: the kernel has no room to watch {} too: raise sysctl fs.inotify.max_user_watches", path);
}

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
  enum class Tell { no, yes };

  Impl(const asio::any_io_executor& executor, Clock& time, PathWatchOptions given)
      : descriptor(executor), clock(time), options(std::move(given)) {
    if (!options.counts) options.counts = users_own;
    if (!options.looks_into) options.looks_into = users_own;
  }

  Result<void> add_root(const std::string& given);
  void add_tree(const std::string& root, Tell tell);
  Folder* add_folder(const std::string& path);
  void forget(const std::string& root);
  void note(const std::string& path);
  bool take_changes();
  void take(const inotify_event& event);

  asio::posix::stream_descriptor descriptor;
  Clock& clock;
  PathWatchOptions options;
  std::vector<std::string> roots;
  std::map<int, Folder> folders;
  PathChanges changes;
  bool begun = false;   ///< open() has returned
  bool fresh = false;   ///< something was noted
  std::string problem;  ///< the first folder that could not be followed, and what to do
};

PathWatch::Impl::Folder* PathWatch::Impl::add_folder(const std::string& path) {
  const bool room = folders.size() < most_folders;
  const int watch = room ? ::inotify_add_watch(descriptor.native_handle(), path.c_str(), events_wanted) : -1;
  if (watch >= 0) {
    auto& folder = folders[watch];
    folder.path = path;
    return &folder;
  }
  const bool full = !room || errno == ENOSPC;
  if (full && problem.empty()) {
    problem = room ? no_room(path)
                   : fmt::format("watch: more than {} folders, {} among them: leave out what need not be followed",
                                 most_folders, path);
    if (begun) log::warn("supervisor", "{}", problem);
  }
  return nullptr;
}

void PathWatch::Impl::note(const std::string& path) {
  fresh = true;
  if (changes.paths.size() < most_paths) {
    changes.paths.insert(path);
  } else {
    changes.everything = true;
  }
}

void PathWatch::Impl::add_tree(const std::string& root, Tell tell) {
  std::vector<std::string> open{root};
  while (!open.empty() && problem.empty()) {
    const auto at = std::move(open.back());
    open.pop_back();
    auto* folder = add_folder(at);
    if (folder == nullptr) continue;
    folder->all = true;
    std::error_code error;
    for (fs::directory_iterator entry(at, error), end; !error && entry != end; entry.increment(error)) {
      const auto path = entry->path().string();
      // What is made before its folder is watched causes no event.
      if (tell == Tell::yes && options.counts(path)) note(path);
      std::error_code gone;
      const bool below = entry->is_directory(gone) && !entry->is_symlink(gone);
      if (below && options.looks_into(path)) open.push_back(path);
    }
  }
}

/// A folder that moved away would go on telling of its files under the names that they had.
void PathWatch::Impl::forget(const std::string& root) {
  std::erase_if(folders, [&](const auto& one) {
    const bool gone = is_in(one.second.path, root);
    if (gone) ::inotify_rm_watch(descriptor.native_handle(), one.first);
    return gone;
  });
}

Result<void> PathWatch::Impl::add_root(const std::string& given) {
  fs::path path = fs::path(given).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const std::string parent = path.parent_path().string();
  auto* folder = add_folder(parent);
  const int error = errno;
  if (folder != nullptr) {
    folder->names.insert(path.filename().string());
    roots.push_back(path.string());
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) add_tree(path.string(), Tell::no);
  }
  if (!problem.empty()) return fail(Errc::io, "{}", problem);
  if (folder == nullptr) return fail(Errc::not_found, "watch: {} is not there: {}", parent, std::strerror(error));
  return {};
}

void PathWatch::Impl::take(const inotify_event& event) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {
    fresh = changes.everything = true;
    for (const auto& root : roots) add_tree(root, Tell::no);  // folders may have come that nothing was heard of
    return;
  }
  const auto at = folders.find(event.wd);
  if (at == folders.end()) return;
  if ((event.mask & IN_IGNORED) != 0) {
    folders.erase(at);
    return;
  }
  const std::string name = event.len > 0 ? event.name : "";
  const bool named = at->second.names.contains(name);
  if (!named && !at->second.all) return;
  const std::string path = at->second.path + "/" + name;
  const bool folder = (event.mask & IN_ISDIR) != 0;
  if (folder && (event.mask & IN_MOVED_FROM) != 0) forget(path);
  if (named || options.counts(path)) note(path);
  const bool came = (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
  if (folder && came && (named || options.looks_into(path))) add_tree(path, Tell::yes);
}

/// Whether there was one since the last call.
bool PathWatch::Impl::take_changes() {
  fresh = false;
  alignas(inotify_event) std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(descriptor.native_handle(), buffer.data(), buffer.size());
    if (got <= 0) return fresh;
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      take(*event);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
}

PathWatch::PathWatch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PathWatch::~PathWatch() = default;

Result<std::unique_ptr<PathWatch>> PathWatch::open(asio::any_io_executor executor, std::vector<std::string> paths,
                                                   Clock& clock, PathWatchOptions options) {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) {
    return fail(Errc::io, "watch: inotify: {}{}", std::strerror(errno),
                errno == EMFILE ? ": raise sysctl fs.inotify.max_user_instances" : "");
  }
  auto impl = std::make_unique<Impl>(executor, clock, std::move(options));
  boost::system::error_code error;
  impl->descriptor.assign(fd, error);
  if (error) {
    ::close(fd);
    return fail(Errc::io, "watch: inotify: {}", error.message());
  }
  for (const auto& path : paths) CHECK(impl->add_root(path));
  impl->begun = true;
  return std::unique_ptr<PathWatch>(new PathWatch(std::move(impl)));
}

asio::awaitable<PathChanges> PathWatch::next() {
  bool changed = impl_->take_changes();
  while (!changed) {
    co_await impl_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    changed = impl_->take_changes();
  }
  for (int spans = 0; spans < most_quiet_spans && changed; ++spans) {
    co_await impl_->clock.sleep_for(impl_->options.quiet);
    changed = impl_->take_changes();
  }
  co_return std::exchange(impl_->changes, {});
}

}  // namespace devstack::supervisor
