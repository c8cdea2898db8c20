#include "cmd/devstack/load_records.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cmd/devstack/command.h"

namespace devstack {
namespace {

namespace fs = std::filesystem;

std::string file_of(const StatePaths& paths, const std::string& project) {
  return paths.projects() + "/" + project + "/load.json";
}

}  // namespace

Result<void> save_load(const StatePaths& paths, const std::string& project, const stack::LoadOptions& load) {
  const std::string file = file_of(paths, project);
  std::error_code ignored;
  fs::create_directories(fs::path(file).parent_path(), ignored);
  const std::string fresh = file + ".new";
  const std::string text = apply_request(load);
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int why = errno;
  if (fd >= 0) ::close(fd);
  if (!written) return fail(Errc::io, "cannot write {}: {}", fresh, std::strerror(why));
  if (::rename(fresh.c_str(), file.c_str()) != 0) {
    return fail(Errc::io, "cannot write {}: {}", file, std::strerror(errno));
  }
  return {};
}

std::vector<LoadRecord> saved_loads(const StatePaths& paths) {
  std::vector<LoadRecord> found;
  std::error_code error;
  for (fs::directory_iterator entry(paths.projects(), error), end; !error && entry != end; entry.increment(error)) {
    const std::string project = entry->path().filename().string();
    std::ifstream in(file_of(paths, project), std::ios::binary);
    if (!in) continue;
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    found.push_back({project, parse_apply_request(text).value_or(stack::LoadOptions{})});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.project < b.project; });
  return found;
}

void forget_load(const StatePaths& paths, const std::string& project) {
  std::error_code ignored;
  fs::remove(file_of(paths, project), ignored);
  // processes.json, too, unless something is left that it names.
  fs::remove(paths.projects() + "/" + project, ignored);
}

}  // namespace devstack
