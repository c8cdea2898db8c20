#include "core/supervisor/records.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/log.h"

namespace devstack::supervisor {
namespace {

namespace json = boost::json;

ProcessRecord from_json(const json::object& row) {
  ProcessRecord record;
  record.identity.pid = static_cast<pid_t>(row.at("pid").to_number<std::int64_t>());
  record.identity.start_time = row.at("start_time").to_number<std::uint64_t>();
  record.identity.boot_id = std::string(row.at("boot_id").as_string());
  record.port = static_cast<std::uint16_t>(row.at("port").to_number<std::int64_t>());
  record.config_hash = std::string(row.at("config_hash").as_string());
  // Absent in records of older versions.
  if (const auto* marker = row.if_contains("marker")) record.marker = std::string(marker->as_string());
  if (const auto* ready = row.if_contains("ready")) record.ready = ready->as_bool();
  if (const auto* offset = row.if_contains("log_offset")) record.log_offset = offset->to_number<std::uint64_t>();
  return record;
}

json::object to_json(const ProcessRecord& record) {
  return {
      {"pid", record.identity.pid}, {"start_time", record.identity.start_time}, {"boot_id", record.identity.boot_id},
      {"port", record.port},        {"config_hash", record.config_hash},        {"marker", record.marker},
      {"ready", record.ready},      {"log_offset", record.log_offset}};
}

}  // namespace

Records::Records(std::string file) : file_(std::move(file)) {
  std::ifstream in(file_, std::ios::binary);
  if (!in) return;
  std::stringstream text;
  text << in.rdbuf();
  try {
    const json::value document = json::parse(text.str());
    for (const auto& [unit, row] : document.as_object()) {
      records_.emplace(std::string(unit), from_json(row.as_object()));
    }
  } catch (const std::exception& error) {
    records_.clear();
    log::warn("supervisor", "{} cannot be read ({}): processes of an earlier run are not found again", file_,
              error.what());
  }
}

std::optional<ProcessRecord> Records::find(const std::string& unit) const {
  const auto at = records_.find(unit);
  if (at == records_.end()) return std::nullopt;
  return at->second;
}

Result<void> Records::put(const std::string& unit, ProcessRecord record) {
  records_[unit] = std::move(record);
  return save();
}

Result<void> Records::erase(const std::string& unit) {
  if (records_.erase(unit) == 0) return {};
  return save();
}

Result<void> Records::save() const {
  json::object rows;
  for (const auto& [unit, record] : records_) rows[unit] = to_json(record);
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(file_).parent_path(), ignored);
  const std::string fresh = file_ + ".new";
  std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
  out << json::serialize(rows) << '\n';
  out.close();
  if (!out) return fail(Errc::io, "cannot write {}: {}", fresh, std::strerror(errno));
  if (::rename(fresh.c_str(), file_.c_str()) != 0) {
    return fail(Errc::io, "cannot write {}: {}", file_, std::strerror(errno));
  }
  return {};
}

}  // namespace devstack::supervisor
