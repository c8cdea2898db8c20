#include "cmd/devstack/kv_requests.h"

#include "cmd/devstack/consul_client.h"
#include "core/base/base64.h"

namespace devstack {
namespace {

http::Request request_of(std::string method, std::string target) {
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  return request;
}

Result<void> check_put(const KvPutOptions& options) {
  if (options.key.empty()) return fail(Errc::usage, "the KEY is missing");
  if (options.key.front() == '/') return fail(Errc::usage, "a key does not begin with '/': \"{}\"", options.key);
  if (options.cas + options.acquire + options.release > 1) {
    return fail(Errc::usage, "--cas, --acquire and --release exclude each other");
  }
  if (options.cas && !options.modify_index) {
    return fail(Errc::usage, "--cas needs --modify-index (0: only where there is no such key yet)");
  }
  if (options.modify_index && !options.cas) return fail(Errc::usage, "--modify-index is for --cas");
  if ((options.acquire || options.release) && options.session.empty()) {
    return fail(Errc::usage, "--acquire and --release need --session");
  }
  if (!options.session.empty() && !options.acquire && !options.release) {
    return fail(Errc::usage, "--session is for --acquire or --release");
  }
  return {};
}

}  // namespace

std::string without_leading_slash(std::string key) {
  if (key.starts_with('/')) key.erase(0, 1);
  return key;
}

std::string kv_target(std::string_view key) { return "/v1/kv/" + http::encode_path(key, http::Slash::keep); }

std::string kv_tree_target(std::string_view prefix) { return kv_target(prefix) + "?recurse"; }

std::string kv_keys_target(std::string_view prefix, std::string_view separator) {
  const std::string target = kv_target(prefix) + "?keys";
  return separator.empty() ? target : with_parameter(target, "separator", separator);
}

Result<http::Request> get_request(const KvGetOptions& options) {
  const std::string key = without_leading_slash(options.key);
  if (options.keys && options.recurse) return fail(Errc::usage, "--keys and --recurse exclude each other");
  if (options.keys) return request_of("GET", kv_keys_target(key, options.separator));
  if (options.recurse) return request_of("GET", kv_tree_target(key));
  if (key.empty()) return fail(Errc::usage, "the KEY is missing (--recurse and --keys do without)");
  return request_of("GET", kv_target(key));
}

Result<http::Request> put_request(const KvPutOptions& options, std::string value) {
  CHECK(check_put(options));
  if (options.base64) {
    auto bytes = decode_base64(value);
    if (!bytes) return fail(Errc::usage, "--base64: the data is not base64");
    value = std::move(*bytes);
  }
  std::string target = kv_target(options.key);
  if (options.flags != 0) target = with_parameter(std::move(target), "flags", std::to_string(options.flags));
  if (options.cas) target = with_parameter(std::move(target), "cas", std::to_string(*options.modify_index));
  if (options.acquire) target = with_parameter(std::move(target), "acquire", options.session);
  if (options.release) target = with_parameter(std::move(target), "release", options.session);
  auto request = request_of("PUT", std::move(target));
  request.body = std::move(value);
  return request;
}

Result<http::Request> delete_request(const KvDeleteOptions& options) {
  const std::string key = without_leading_slash(options.key);
  if (key.empty() && !options.recurse) return fail(Errc::usage, "the KEY is missing");
  if (options.recurse && options.cas) return fail(Errc::usage, "--cas and --recurse exclude each other");
  if (options.cas && options.modify_index.value_or(0) == 0) {
    return fail(Errc::usage, "--cas needs a --modify-index greater than 0");
  }
  if (options.modify_index && !options.cas) return fail(Errc::usage, "--modify-index is for --cas");
  std::string target = options.recurse ? kv_tree_target(key) : kv_target(key);
  if (options.cas) target = with_parameter(std::move(target), "cas", std::to_string(*options.modify_index));
  return request_of("DELETE", std::move(target));
}

}  // namespace devstack
