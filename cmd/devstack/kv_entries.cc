#include "cmd/devstack/kv_entries.h"

#include <tuple>

#include "cmd/devstack/consul_json.h"
#include "core/api/json_writer.h"
#include "core/base/base64.h"

namespace devstack {
namespace {

/// Length of the UTF-8 sequence at the front of `text`, 0 when it is none (RFC 3629 §4).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
  if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;
  return length;
}

bool same_content(const KvEntry& a, const KvEntry& b) {
  return std::tie(a.value, a.flags, a.session, a.lock_index) == std::tie(b.value, b.flags, b.session, b.lock_index);
}

}  // namespace

Result<std::vector<KvEntry>> parse_kv_entries(std::string_view body) {
  TRY(const auto objects, consul_json::objects(body));
  std::vector<KvEntry> out;
  for (const auto& object : objects) {
    KvEntry entry;
    entry.key = consul_json::text(object, "Key");
    TRY(entry.value, consul_json::bytes(object, "Value"));
    entry.flags = consul_json::number(object, "Flags");
    entry.create_index = consul_json::number(object, "CreateIndex");
    entry.modify_index = consul_json::number(object, "ModifyIndex");
    entry.lock_index = consul_json::number(object, "LockIndex");
    entry.session = consul_json::text(object, "Session");
    out.push_back(std::move(entry));
  }
  return out;
}

Result<std::vector<std::string>> parse_kv_keys(std::string_view body) {
  TRY(auto value, consul_json::parse(body));
  const boost::json::object holder{{"keys", std::move(value)}};
  return consul_json::strings(holder, "keys");
}

std::string value_text(const KvEntry& entry, ValueForm form) {
  if (form == ValueForm::bytes) return entry.value;
  std::string out;
  append_base64(out, entry.value);
  return out;
}

std::string detailed_text(const KvEntry& entry, ValueForm form) {
  std::string out;
  const auto line = [&out](std::string_view name, const auto& value) { out += fmt::format("{:<17}{}\n", name, value); };
  line("CreateIndex", entry.create_index);
  line("Flags", entry.flags);
  line("Key", entry.key);
  line("LockIndex", entry.lock_index);
  line("ModifyIndex", entry.modify_index);
  line("Session", entry.session.empty() ? std::string("-") : entry.session);
  line("Value", value_text(entry, form));
  return out;
}

std::string export_text(const std::vector<KvEntry>& entries) {
  if (entries.empty()) return "[]\n";
  std::string out = "[";
  for (const auto& entry : entries) {
    out += out.size() == 1 ? "\n\t{\n\t\t\"key\": " : ",\n\t{\n\t\t\"key\": ";
    api::append_json_string(out, entry.key);
    out += fmt::format(",\n\t\t\"flags\": {},\n\t\t\"value\": \"", entry.flags);
    append_base64(out, entry.value);
    out += "\"\n\t}";
  }
  return out + "\n]\n";
}

bool is_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = bytes.front() == '\0' ? 0 : sequence_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string entry_json(const KvEntry& entry) {
  api::JsonWriter out;
  out.open_object();
  out.field("LockIndex", entry.lock_index);
  out.field("Key", entry.key);
  out.field("Flags", entry.flags);
  out.key("Value");
  if (entry.value.empty()) {
    out.null();
  } else {
    out.base64(entry.value);
  }
  out.field_unless_empty("Session", entry.session);
  out.field("CreateIndex", entry.create_index);
  out.field("ModifyIndex", entry.modify_index);
  out.close_object();
  return out.take();
}

std::vector<KvDifference::Change> KvDifference::update(std::vector<KvEntry> now) {
  std::map<std::string, KvEntry> next;
  for (auto& entry : now) {
    std::string key = entry.key;
    next.insert_or_assign(std::move(key), std::move(entry));
  }
  std::map<std::string, Change> changes;
  for (const auto& [key, entry] : next) {
    const auto old = seen_.find(key);
    if (old == seen_.end() || !same_content(old->second, entry)) changes[key] = {entry, false};
  }
  for (const auto& [key, entry] : seen_) {
    if (!next.contains(key)) changes[key] = {entry, true};
  }
  seen_ = std::move(next);
  std::vector<Change> out;
  for (auto& [key, change] : changes) out.push_back(std::move(change));
  return out;
}

}  // namespace devstack
