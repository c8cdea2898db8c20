#include <dirent.h>

#include <cctype>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "core/process/child.h"
#include "core/process/group.h"

namespace devstack::process {
namespace {

struct Stat {
  char state = 'X';
  pid_t group = 0;
  std::uint64_t start_time = 0;
};

/// proc(5): the command name stands in parentheses and may itself hold blanks and parentheses.
std::optional<Stat> read_stat(const std::string& pid) {
  std::ifstream in("/proc/" + pid + "/stat");
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto paren = text.rfind(')');
  if (paren == std::string::npos) return std::nullopt;
  Stat stat;
  std::size_t at = paren + 1;
  for (int field = 3; at < text.size() && field <= 22; ++field) {
    at = text.find_first_not_of(' ', at);
    if (at == std::string::npos) return std::nullopt;
    const auto end = std::min(text.find(' ', at), text.size());
    const char* first = text.data() + at;
    const char* last = text.data() + end;
    if (field == 3) stat.state = *first;
    if (field == 5) std::from_chars(first, last, stat.group);
    if (field == 22) std::from_chars(first, last, stat.start_time);
    at = end;
  }
  return stat;
}

bool lives(const Stat& stat) { return stat.state != 'Z' && stat.state != 'X'; }

const std::string& boot_id() {
  static const std::string id = [] {
    std::string line;
    std::ifstream in("/proc/sys/kernel/random/boot_id");
    std::getline(in, line);
    return line;
  }();
  return id;
}

}  // namespace

std::optional<Identity> identify(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  const auto stat = read_stat(std::to_string(pid));
  if (!stat || !lives(*stat)) return std::nullopt;
  return Identity{pid, stat->start_time, boot_id()};
}

bool alive(const Identity& identity) {
  const auto now = identify(identity.pid);
  return now && *now == identity;
}

bool stopped(const Identity& identity) {
  const auto stat = read_stat(std::to_string(identity.pid));
  return stat && stat->state == 'T' && stat->start_time == identity.start_time;
}

bool group_has_members(pid_t group) {
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return false;
  bool found = false;
  while (const dirent* entry = ::readdir(proc)) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    const auto stat = read_stat(entry->d_name);
    if (stat && stat->group == group && lives(*stat)) {
      found = true;
      break;
    }
  }
  ::closedir(proc);
  return found;
}

}  // namespace devstack::process
