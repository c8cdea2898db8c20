#include "core/host/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace devstack::host {
namespace {

namespace json = boost::json;
using Kind = FileState::Kind;

constexpr std::array<std::pair<Kind, const char*>, 5> kKinds{{{Kind::absent, "absent"},
                                                              {Kind::file, "file"},
                                                              {Kind::symlink, "symlink"},
                                                              {Kind::directory, "directory"},
                                                              {Kind::other, "other"}}};

/// A byte as the character of its number: JSON holds text, files hold anything, and most of it stays readable.
std::string to_text(std::string_view bytes) {
  std::string out;
  for (const char letter : bytes) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x80U) {
      out += letter;
    } else {
      out += static_cast<char>(0xC0U | (byte >> 6U));
      out += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
  return out;
}

std::string from_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80U || i + 1 == text.size()) {
      out += text[i];
    } else {
      out += static_cast<char>(((lead & 0x3U) << 6U) | (static_cast<unsigned char>(text[++i]) & 0x3FU));
    }
  }
  return out;
}

json::object to_json(const FileState& state) {
  json::object out;
  for (const auto& [kind, name] : kKinds) {
    if (kind == state.kind) out["kind"] = name;
  }
  if (!state.exists()) return out;
  out["mode"] = fmt::format("{:04o}", state.mode);
  out["uid"] = state.uid;
  out["gid"] = state.gid;
  if (state.mtime_ns != 0) out["mtime_ns"] = state.mtime_ns;
  if (state.kind != Kind::directory) out["bytes"] = to_text(state.bytes);
  return out;
}

FileState state_from(const json::object& row) {
  FileState state;
  for (const auto& [kind, name] : kKinds) {
    if (row.at("kind").as_string() == name) state.kind = kind;
  }
  if (!state.exists()) return state;
  state.mode = static_cast<mode_t>(std::stoul(std::string(row.at("mode").as_string()), nullptr, 8));
  state.uid = row.at("uid").to_number<uid_t>();
  state.gid = row.at("gid").to_number<gid_t>();
  if (const auto* time = row.if_contains("mtime_ns")) state.mtime_ns = time->to_number<std::int64_t>();
  if (const auto* bytes = row.if_contains("bytes")) state.bytes = from_text(std::string_view(bytes->as_string()));
  return state;
}

json::object to_json(const HostSettings& settings) {
  return {
      {"address", settings.address}, {"port", settings.port},         {"domains", json::value_from(settings.domains)},
      {"search", settings.search},   {"resolver", settings.resolver}, {"docker", settings.docker}};
}

HostSettings settings_from(const json::object& row) {
  HostSettings settings;
  settings.address = std::string(row.at("address").as_string());
  settings.port = row.at("port").to_number<std::uint16_t>();
  settings.domains = json::value_to<std::vector<std::string>>(row.at("domains"));
  settings.search = std::string(row.at("search").as_string());
  settings.resolver = row.at("resolver").as_bool();
  settings.docker = row.at("docker").as_bool();
  return settings;
}

struct ToJson {
  json::object operator()(const HostSettings& settings) const { return {{"settings", to_json(settings)}}; }
  json::object operator()(const Entry& entry) const {
    return {{"change", entry.path}, {"before", to_json(entry.before)}, {"after", to_json(entry.after)}};
  }
  json::object operator()(const Told& /*told*/) const { return {{"told", true}}; }
  json::object operator()(const Undone& undone) const { return {{"undone", undone.path}}; }
};

struct Remember {
  History& history;
  void operator()(HostSettings settings) const {
    history.addresses.insert(settings.address);
    history.settings = std::move(settings);
  }
  void operator()(Entry entry) const {
    history.untold.insert(entry.path);
    history.entries.push_back(std::move(entry));
  }
  void operator()(const Told& /*told*/) const { history.untold.clear(); }
  void operator()(const Undone& undone) const {
    std::erase_if(history.entries, [&](const Entry& entry) { return entry.path == undone.path; });
    history.untold.erase(undone.path);
  }
};

std::optional<Record> decode(std::string_view line) {
  try {
    const auto value = json::parse({line.data(), line.size()});
    const auto& row = value.as_object();
    if (const auto* settings = row.if_contains("settings")) return settings_from(settings->as_object());
    if (const auto* path = row.if_contains("change")) {
      return Entry{std::string(path->as_string()), state_from(row.at("before").as_object()),
                   state_from(row.at("after").as_object())};
    }
    if (const auto* path = row.if_contains("undone")) return Undone{std::string(path->as_string())};
    if (row.contains("told")) return Told{};
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return std::nullopt;
}

/// Follows the entries of one path backwards from what stands there now: to the last one that knows it, from what was
/// before that to the next one. Where none does, somebody else's hand shows: what they wrote is where it stays.
Restoration walk_back(const std::string& path, const std::vector<const Entry*>& entries, FileState now, bool force) {
  Restoration out{path, now, std::move(now), false};
  const auto knows = [&](const Entry* entry) {
    // A folder of ours may have been made and not yet given its mode; whether it is empty is seen when it is removed.
    const bool our_folder = entry->after.kind == Kind::directory && out.back.kind == Kind::directory;
    return our_folder || same(out.back, entry->after) || same(out.back, entry->before);
  };
  for (auto at = entries.rbegin(); at != entries.rend(); ++at) {
    at = std::find_if(at, entries.rend(), knows);
    if (at == entries.rend()) {
      out.foreign = true;
      break;
    }
    out.back = (*at)->before;
  }
  if (force && out.foreign) out = {path, out.now, entries.front()->before, false};
  return out;
}

auto io_error(std::string_view what, const std::string& path) {
  const auto code = errno == EACCES || errno == EPERM ? Errc::permission : Errc::io;
  return fail(code, "cannot {} {}: {}", what, path, std::strerror(errno));
}

Result<std::string> read_text(int fd, const std::string& path) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", path);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

void sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

std::string encode(const Record& record) { return json::serialize(std::visit(ToJson{}, record)) + "\n"; }

Result<History> replay(std::string_view text) {
  History history;
  for (int line = 1; history.bytes < text.size(); ++line) {
    const auto end = text.find('\n', history.bytes);
    auto record =
        end == std::string_view::npos ? std::nullopt : decode(text.substr(history.bytes, end - history.bytes));
    if (!record) {
      if (end == std::string_view::npos || end + 1 == text.size()) return history;
      return fail(Errc::parse, "line {} of the journal is damaged: what it tells of cannot be undone by devstack",
                  line);
    }
    std::visit(Remember{history}, std::move(*record));
    history.bytes = end + 1;
  }
  return history;
}

std::vector<Restoration> restorations(const std::vector<Entry>& entries,
                                      const std::function<FileState(const std::string&)>& now, bool force) {
  std::vector<std::string> order;  // a path where it was first changed: a folder before what is in it
  for (const auto& entry : entries) {
    if (std::find(order.begin(), order.end(), entry.path) == order.end()) order.push_back(entry.path);
  }
  std::vector<Restoration> out;
  for (auto path = order.rbegin(); path != order.rend(); ++path) {
    std::vector<const Entry*> own;
    for (const auto& entry : entries) {
      if (entry.path == *path) own.push_back(&entry);
    }
    out.push_back(walk_back(*path, own, now(*path), force));
  }
  return out;
}

Journal::Journal(std::string dir, int fd) : dir_(std::move(dir)), fd_(fd) {}
Journal::Journal(Journal&& other) noexcept
    : dir_(std::move(other.dir_)), fd_(std::exchange(other.fd_, -1)), history_(std::move(other.history_)) {}
Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Journal> Journal::open(const std::string& dir, Access access) {
  const std::string path = dir + "/journal";
  const bool hold = access == Access::hold;
  if (hold) {
    std::error_code error;
    std::filesystem::create_directories(dir, error);
    if (error) return fail(Errc::io, "cannot make {}: {}", dir, error.message());
  }
  const int flags = hold ? O_RDWR | O_CREAT | O_APPEND : O_RDONLY;
  Journal journal(dir, ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (journal.fd_ < 0) {
    if (!hold && errno == ENOENT) return journal;
    return io_error("open", path);
  }
  if (hold && ::flock(journal.fd_, LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::conflict, "another devstack is changing this machine now ({} is locked)", path);
  }
  struct stat status {};
  if (hold && (::fstat(journal.fd_, &status) != 0 || status.st_nlink == 0)) {
    return fail(Errc::conflict, "another devstack has just undone its changes to this machine: run this again");
  }
  TRY(const auto text, read_text(journal.fd_, path));
  auto history = replay(text);
  if (!history) return tl::unexpected(std::move(history.error()).with_context(path));
  journal.history_ = std::move(*history);
  if (!hold) return journal;
  if (::ftruncate(journal.fd_, static_cast<off_t>(journal.history_.bytes)) != 0) return io_error("mend", path);
  sync_folder(dir);
  sync_folder(std::filesystem::path(dir).parent_path().string());
  return journal;
}

Result<void> Journal::append(const Record& record) {
  const std::string line = encode(record);
  const std::string path = dir_ + "/journal";
  std::string_view rest = line;
  const auto give_up = [&]() -> Result<void> {
    const auto error = io_error("write", path);
    static_cast<void>(::ftruncate(fd_, static_cast<off_t>(history_.bytes)));
    return error;
  };
  while (!rest.empty()) {
    const auto count = ::write(fd_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return give_up();
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(fd_) != 0) return give_up();
  history_.bytes += line.size();
  std::visit(Remember{history_}, Record(record));
  return {};
}

Result<void> Journal::close_if_empty() {
  if (!history_.entries.empty()) return {};
  if (::unlink((dir_ + "/journal").c_str()) != 0 && errno != ENOENT) return io_error("remove", dir_ + "/journal");
  ::rmdir(dir_.c_str());
  sync_folder(std::filesystem::path(dir_).parent_path().string());
  return {};
}

}  // namespace devstack::host
