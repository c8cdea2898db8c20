#include <algorithm>
#include <charconv>

#include "core/api/blocking.h"
#include "core/api/encode.h"
#include "core/api/handlers.h"
#include "core/api/limits.h"
#include "core/registry/uuid.h"

/// /v1/kv/*. https://developer.hashicorp.com/consul/api-docs/kv
namespace devstack::api {
namespace {

using Table = Watch::Table;

bool is_prefix_read(const Call& call) { return call.query.has("recurse") || call.query.has("keys"); }

void write_raw(const registry::KvEntry& entry, Answer& answer) {
  answer.body = entry.value;
  answer.content_type = "text/plain";
  answer.headers.emplace_back("X-Content-Type-Options", "nosniff");
  answer.headers.emplace_back("Content-Security-Policy", "sandbox");
}

void not_there(Answer& answer) {
  answer.status = 404;
  answer.content_type = "";
}

/// Each key cut after the first separator past the prefix, neighbours once.
void write_keys(const Call& call, const std::vector<registry::KvPtr>& entries, Answer& answer) {
  const std::string_view prefix = call.rest;
  std::string_view separator = call.param("separator");
  if (separator.empty()) separator = call.param("seperator");
  JsonWriter out;
  out.open_array();
  std::string_view last;
  bool any = false;
  for (const auto& entry : entries) {
    std::string_view key = entry->key;
    if (!separator.empty()) {
      const std::size_t cut = key.find(separator, prefix.size());
      if (cut != std::string_view::npos) key = key.substr(0, cut + separator.size());
    }
    if (any && key == last) continue;
    out.string(key);
    last = key;
    any = true;
  }
  out.close_array();
  answer.body = out.take();
}

/// A parameter that must be a number; absent is nothing. The error is Go's, which Consul passes on with 500.
Result<std::optional<std::uint64_t>> number_param(const Call& call, std::string_view name) {
  const auto text = call.query.get(name);
  if (!text) return std::nullopt;
  std::uint64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, value);
  if (error == std::errc::result_out_of_range) {
    return fail(Errc::failed, "strconv.ParseUint: parsing \"{}\": value out of range", *text);
  }
  if (error != std::errc() || at != end) {
    return fail(Errc::failed, "strconv.ParseUint: parsing \"{}\": invalid syntax", *text);
  }
  return value;
}

/// Two of `names` given: what the 400 says.
std::optional<std::string> conflict(const Call& call, std::initializer_list<std::string_view> names) {
  const auto given =
      std::count_if(names.begin(), names.end(), [&](std::string_view name) { return call.query.has(name); });
  if (given < 2) return std::nullopt;
  std::vector<std::pair<std::string, std::string>> fields(call.query.begin(), call.query.end());
  std::stable_sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out = "Conflicting flags: ";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += '&';
    out += http::encode_path(fields[i].first, http::Slash::escape);
    out += '=';
    out += http::encode_path(fields[i].second, http::Slash::escape);
  }
  return out;
}

Result<registry::KvSetCommand> set_command(const Call& call) {
  registry::KvSetCommand command;
  command.key = call.rest;
  TRY(const auto flags, number_param(call, "flags"));
  command.flags = flags.value_or(0);
  TRY(command.cas, number_param(call, "cas"));
  if (const auto session = call.query.get("acquire")) command.acquire = std::string(*session);
  if (const auto session = call.query.get("release")) command.release = std::string(*session);
  if (command.acquire && !command.acquire->empty()) {
    const auto wrong = registry::uuid_lookup_error(*command.acquire);
    if (!wrong.empty()) return fail(Errc::failed, "raft apply failed: failed session lookup: index error: {}", wrong);
  }
  return command;
}

asio::awaitable<http::Response> put_key(const Call& call) {
  if (auto text = conflict(call, {"cas", "acquire", "release"})) co_return http::text(400, std::move(*text));
  if (call.rest.empty()) co_return http::text(400, "Missing key name");
  auto command = set_command(call);
  if (!command) co_return respond(command.error());
  if (call.request.body.size() > kLargestValue) co_return http::text(413, too_large(call.request.body.size()));
  command->value = call.request.body;
  registry::Command posted = std::move(*command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result) co_return respond(result.error());
  co_return boolean(result->applied);
}

asio::awaitable<http::Response> delete_key(const Call& call) {
  if (auto text = conflict(call, {"recurse", "cas"})) co_return http::text(400, std::move(*text));
  registry::KvDeleteCommand command;
  command.key = call.rest;
  command.prefix = call.query.has("recurse");
  if (command.key.empty() && !command.prefix) co_return http::text(400, "Missing key name");
  auto cas = number_param(call, "cas");
  if (!cas) co_return respond(cas.error());
  command.cas = *cas;
  registry::Command posted = std::move(command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result) co_return respond(result.error());
  co_return boolean(result->applied);
}

}  // namespace

void kv_get(const Call& call, const State& state, Answer& answer) {
  const std::string key(call.rest);
  if (!is_prefix_read(call)) {
    if (key.empty()) return answer.refuse(400, "Missing key name");
    const auto entry = state.kv(key);
    answer.index =
        entry == nullptr ? state.index_of({Table::kv_key, key}) : std::max(entry->modify_index, state.restored_at());
    if (entry == nullptr) return not_there(answer);
    if (call.query.has("raw")) return write_raw(*entry, answer);
    JsonWriter out(entry->value.size() * 4 / 3 + key.size() + 192);
    out.open_array();
    write_kv(out, *entry);
    out.close_array();
    answer.body = out.take();
    return;
  }
  answer.index = state.index_of({Table::kv_prefix, key});
  const auto entries = state.kv_prefix(key);
  const bool keys = call.query.has("keys");
  if (entries.empty() && !(keys && key.empty())) return not_there(answer);
  if (keys) return write_keys(call, entries, answer);
  JsonWriter out(entries.size() * 256 + 2);
  out.open_array();
  for (const auto& entry : entries) write_kv(out, *entry);
  out.close_array();
  answer.body = out.take();
}

std::vector<Watch> watch_kv(const Call& call) {
  return {{is_prefix_read(call) ? Table::kv_prefix : Table::kv_key, std::string(call.rest)}};
}

asio::awaitable<http::Response> kv_change(const Call& call) {
  if (const auto options = read_options(call.query); !options) co_return http::text(400, options.error().message);
  if (call.request.method == "DELETE") co_return co_await delete_key(call);
  co_return co_await put_key(call);
}

}  // namespace devstack::api
