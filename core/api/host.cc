#include "core/api/host.h"

#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "core/api/handlers.h"

namespace devstack::api {
namespace {

std::string file_text(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\"");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\"\n") - first + 1);
}

using Values = std::map<std::string_view, std::string_view>;

/// "name: value" lines up to an empty one, which is taken out of `text` with them; quotes around a value go.
Values take_values(std::string_view& text, char between) {
  Values out;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) {
      if (out.empty()) continue;
      break;
    }
    const auto colon = line.find(between);
    if (colon != std::string_view::npos) out.emplace(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return out;
}

std::string_view value_of(const Values& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? std::string_view() : found->second;
}

/// "16384 kB" in bytes, "7" as it is.
std::uint64_t amount(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return text.ends_with("kB") ? value * 1024 : value;
}

std::int64_t whole(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

double fraction(std::string_view text) { return std::strtod(std::string(text).c_str(), nullptr); }

struct MemoryField {
  const char* name;
  const char* line;
};
constexpr MemoryField kAfterPercent[] = {{"free", "MemFree"}, {"active", "Active"}, {"inactive", "Inactive"}};
constexpr MemoryField kRest[] = {{"buffers", "Buffers"},
                                 {"cached", "Cached"},
                                 {"writeBack", "Writeback"},
                                 {"dirty", "Dirty"},
                                 {"writeBackTmp", "WritebackTmp"},
                                 {"shared", "Shmem"},
                                 {"slab", "Slab"},
                                 {"sreclaimable", "SReclaimable"},
                                 {"sunreclaim", "SUnreclaim"},
                                 {"pageTables", "PageTables"},
                                 {"swapCached", "SwapCached"},
                                 {"commitLimit", "CommitLimit"},
                                 {"committedAS", "Committed_AS"},
                                 {"highTotal", "HighTotal"},
                                 {"highFree", "HighFree"},
                                 {"lowTotal", "LowTotal"},
                                 {"lowFree", "LowFree"},
                                 {"swapTotal", "SwapTotal"},
                                 {"swapFree", "SwapFree"},
                                 {"mapped", "Mapped"},
                                 {"vmallocTotal", "VmallocTotal"},
                                 {"vmallocUsed", "VmallocUsed"},
                                 {"vmallocChunk", "VmallocChunk"},
                                 {"hugePagesTotal", "HugePages_Total"},
                                 {"hugePagesFree", "HugePages_Free"},
                                 {"hugePageSize", "Hugepagesize"}};

double percent(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all) * 100;
}

std::uint64_t process_count() {
  std::error_code error;
  std::uint64_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") == std::string::npos) ++count;
  }
  return count;
}

}  // namespace

void write_memory(JsonWriter& out, std::string_view meminfo) {
  const auto lines = take_values(meminfo, ':');
  const auto bytes = [&lines](const char* line) { return amount(value_of(lines, line)); };
  const auto total = bytes("MemTotal");
  const auto cached = bytes("Cached") + bytes("SReclaimable");
  const auto taken = bytes("MemFree") + bytes("Buffers") + cached;
  const auto used = total > taken ? total - taken : 0;
  out.open_object();
  out.field("total", total);
  out.field("available", bytes("MemAvailable"));
  out.field("used", used);
  out.field("usedPercent", percent(used, total));
  for (const auto& field : kAfterPercent) out.field(field.name, bytes(field.line));
  out.field("wired", 0);
  out.field("laundry", 0);
  for (const auto& field : kRest) out.field(field.name, field.name == kRest[1].name ? cached : bytes(field.line));
  out.close_object();
}

void write_processors(JsonWriter& out, std::string_view cpuinfo) {
  out.open_array();
  while (!cpuinfo.empty()) {
    const auto lines = take_values(cpuinfo, ':');
    if (!lines.contains("processor")) continue;
    const auto text = [&lines](const char* name) { return value_of(lines, name); };
    out.open_object();
    out.field("cpu", whole(text("processor")));
    out.field("vendorId", text("vendor_id"));
    out.field("family", text("cpu family"));
    out.field("model", text("model"));
    out.field("stepping", whole(text("stepping")));
    out.field("physicalId", text("physical id"));
    out.field("coreId", text("core id"));
    out.field("cores", 1);
    out.field("modelName", text("model name"));
    out.field("mhz", fraction(text("cpu MHz")));
    out.field("cacheSize", whole(text("cache size")));
    std::vector<std::string> flags;
    for (auto rest = text("flags"); !rest.empty();) {
      const auto flag = rest.substr(0, rest.find(' '));
      flags.emplace_back(flag);
      rest.remove_prefix(std::min(flag.size() + 1, rest.size()));
    }
    out.field("flags", flags);
    out.field("microcode", text("microcode"));
    out.close_object();
  }
  out.close_array();
}

void write_host(JsonWriter& out) {
  utsname system{};
  uname(&system);
  const auto uptime = static_cast<std::uint64_t>(fraction(file_text("/proc/uptime")));
  const std::string release = file_text("/etc/os-release");
  std::string_view rest = release;
  const auto names = take_values(rest, '=');
  const std::string id = file_text("/proc/sys/kernel/random/boot_id");
  out.open_object();
  out.field("hostname", system.nodename);
  out.field("uptime", uptime);
  out.field("bootTime", static_cast<std::uint64_t>(std::time(nullptr)) - uptime);
  out.field("procs", process_count());
  out.field("os", "linux");
  out.field("platform", value_of(names, "ID"));
  out.field("platformFamily", names.contains("ID_LIKE") ? value_of(names, "ID_LIKE") : value_of(names, "ID"));
  out.field("platformVersion", value_of(names, "VERSION_ID"));
  out.field("kernelVersion", system.release);
  out.field("kernelArch", system.machine);
  out.field("virtualizationSystem", "");
  out.field("virtualizationRole", "");
  out.field("hostId", trimmed(id));
  out.close_object();
}

void write_disk(JsonWriter& out, const std::string& path) {
  struct statvfs found {};
  if (::statvfs(path.c_str(), &found) != 0) return out.null();
  const auto total = std::uint64_t{found.f_blocks} * found.f_frsize;
  const auto free = std::uint64_t{found.f_bavail} * found.f_frsize;
  const auto used = std::uint64_t{found.f_blocks - found.f_bfree} * found.f_frsize;
  out.open_object();
  out.field("path", path);
  out.field("fstype", "");
  out.field("total", total);
  out.field("free", free);
  out.field("used", used);
  out.field("usedPercent", percent(used, used + free));
  out.field("inodesTotal", std::uint64_t{found.f_files});
  out.field("inodesUsed", std::uint64_t{found.f_files - found.f_ffree});
  out.field("inodesFree", std::uint64_t{found.f_ffree});
  out.field("inodesUsedPercent", percent(found.f_files - found.f_ffree, found.f_files));
  out.close_object();
}

void agent_host(const Call&, const State&, Answer& answer) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  JsonWriter out(8192);
  out.open_object();
  out.key("Memory");
  write_memory(out, file_text("/proc/meminfo"));
  out.key("CPU");
  write_processors(out, file_text("/proc/cpuinfo"));
  out.key("Host");
  write_host(out);
  out.key("Disk");
  write_disk(out, "/");
  out.field("CollectionTime", std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec);
  out.key("Errors");
  out.null();
  out.close_object();
  answer.body = out.take();
}

}  // namespace devstack::api
