#include "cmd/devstack/kv_import.h"

#include <algorithm>

#include "cmd/devstack/consul_client.h"
#include "cmd/devstack/consul_json.h"
#include "cmd/devstack/kv_requests.h"
#include "core/api/json_writer.h"
#include "core/base/ascii.h"
#include "core/base/base64.h"

namespace devstack {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostEntries = 64;
constexpr std::size_t kMostBytes = 512U << 10U;
/// An operation's JSON without key and value: names, braces, a 20-digit number.
constexpr std::size_t kEnvelope = 80;

tl::unexpected<Error> syntax_error(std::string_view text, std::size_t at, const std::string& why) {
  const auto before = text.substr(0, std::min(at, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto newline = before.rfind('\n');
  const auto column = newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  return fail(Errc::parse, "not the JSON of `kv export`: line {}, column {}: {}", line, column, why);
}

Result<json::value> parse_document(std::string_view text) {
  json::stream_parser parser;
  boost::system::error_code error;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (error) return syntax_error(text, read, error.message());
  const auto rest = text.find_first_not_of(" \t\r\n", read);
  if (rest != std::string_view::npos) return syntax_error(text, rest, "something follows the list");
  parser.finish(error);
  if (error) return syntax_error(text, text.size(), "it ends too early");
  return parser.release();
}

Result<void> read_field(std::string_view name, const json::value& value, KvEntry& entry) {
  if (value.is_null()) return {};
  if (name == "flags") {
    boost::system::error_code error;
    const auto flags = value.is_number() ? value.to_number<std::uint64_t>(error) : 0;
    if (error || !value.is_number()) return fail(Errc::parse, "flags is not a number from 0 to 2^64-1");
    entry.flags = flags;
  } else if (name == "key" || name == "value") {
    const auto* string = value.if_string();
    if (string == nullptr) return fail(Errc::parse, "{} is not a string", name);
    if (name == "key") {
      entry.key.assign(string->data(), string->size());
      return {};
    }
    auto bytes = decode_base64(std::string_view(string->data(), string->size()));
    if (!bytes) return fail(Errc::parse, "value is not base64");
    entry.value = std::move(*bytes);
  }
  return {};
}

Result<KvEntry> read_entry(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return fail(Errc::parse, "not an object with key, flags and value");
  KvEntry entry;
  Result<void> read;
  for (const auto& field : *object) {
    if (auto one = read_field(to_lower(field.key()), field.value(), entry); !one && read) read = std::move(one);
  }
  if (!read) {
    return fail(Errc::parse, "{}{}", entry.key.empty() ? "" : fmt::format("key \"{}\": ", entry.key),
                read.error().message);
  }
  if (entry.key.empty()) return fail(Errc::parse, "it has no key");
  if (entry.key.front() == '/') return fail(Errc::parse, "key \"{}\" begins with '/'", entry.key);
  return entry;
}

std::size_t request_size(const KvEntry& entry) {
  std::string key;
  api::append_json_string(key, entry.key);
  return kEnvelope + key.size() + (entry.value.size() + 2) / 3 * 4;
}

}  // namespace

Result<std::vector<KvEntry>> parse_import(std::string_view text, std::string_view prefix) {
  TRY(const auto document, parse_document(text));
  std::vector<KvEntry> out;
  if (document.is_null()) return out;
  const auto* list = document.if_array();
  if (list == nullptr) return fail(Errc::parse, "not the JSON of `kv export`: it is not a list");
  std::string before = without_leading_slash(std::string(prefix));
  if (!before.empty() && !before.ends_with('/')) before += '/';
  for (const auto& value : *list) {
    auto entry = read_entry(value);
    if (!entry) return fail(Errc::parse, "entry {}: {}", out.size() + 1, entry.error().message);
    entry->key.insert(0, before);
    out.push_back(std::move(*entry));
  }
  return out;
}

std::vector<ImportBatch> import_batches(const std::vector<KvEntry>& entries) {
  std::vector<ImportBatch> out;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::size_t size = request_size(entries[i]);
    if (out.empty() || out.back().count == kMostEntries || bytes + size > kMostBytes) {
      out.push_back({i, 0});
      bytes = 2;  // the list's brackets
    }
    ++out.back().count;
    bytes += size;
  }
  return out;
}

http::Request import_request(std::span<const KvEntry> entries) {
  http::Request request;
  request.method = "PUT";
  if (entries.size() == 1) {
    request.target = kv_target(entries.front().key);
    if (entries.front().flags != 0) {
      request.target = with_parameter(std::move(request.target), "flags", std::to_string(entries.front().flags));
    }
    request.body = entries.front().value;
    return request;
  }
  request.target = "/v1/txn";
  request.headers.set("Content-Type", "application/json");
  api::JsonWriter out;
  out.open_array();
  for (const auto& entry : entries) {
    out.open_object();
    out.key("KV");
    out.open_object();
    out.field("Verb", "set");
    out.field("Key", entry.key);
    out.field("Flags", entry.flags);
    out.key("Value");
    out.base64(entry.value);
    out.close_object();
    out.close_object();
  }
  out.close_array();
  request.body = out.take();
  return request;
}

std::string import_failure(std::string_view body, const std::vector<KvEntry>& entries, std::size_t first) {
  const auto document = consul_json::parse(body);
  const auto* object = document ? document->if_object() : nullptr;
  const auto* errors = object == nullptr ? nullptr : object->if_contains("Errors");
  const auto* list = errors == nullptr ? nullptr : errors->if_array();
  if (list == nullptr || list->empty()) return std::string(body);
  std::string out;
  for (const auto& error : *list) {
    if (!error.is_object()) continue;
    const std::size_t at = first + consul_json::number(error.as_object(), "OpIndex");
    out += fmt::format("{}entry {} (key \"{}\"): {}", out.empty() ? "" : "; ", at + 1,
                       at < entries.size() ? entries[at].key : "?", consul_json::text(error.as_object(), "What"));
  }
  return out;
}

}  // namespace devstack
