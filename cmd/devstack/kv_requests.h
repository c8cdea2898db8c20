#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/http/message.h"

/// What `devstack kv` asks for, as requests to Consul's KV endpoint. Flags and their rules are those of Consul's own
/// `consul kv`. Errors are Errc::usage. Pure. https://developer.hashicorp.com/consul/api-docs/kv
namespace devstack {

struct KvGetOptions {
  std::string key;
  bool recurse = false;
  bool keys = false;
  bool detailed = false;
  bool base64 = false;
  bool raw = false;
  std::string separator = "/";  ///< with `keys`
};

struct KvPutOptions {
  std::string key;
  std::optional<std::string> data = std::nullopt;  ///< as given: text, "@file" or "-"
  bool base64 = false;
  std::uint64_t flags = 0;
  bool cas = false;
  std::optional<std::uint64_t> modify_index = std::nullopt;  ///< with `cas`; 0: only where there is no such key
  bool acquire = false;
  bool release = false;
  std::string session = {};
};

struct KvDeleteOptions {
  std::string key;
  bool recurse = false;
  bool cas = false;
  std::optional<std::uint64_t> modify_index = std::nullopt;
};

/// A key never begins with '/'; people write it.
std::string without_leading_slash(std::string key);
/// "/v1/kv/KEY", escaped.
std::string kv_target(std::string_view key);
/// Every entry at and below a prefix.
std::string kv_tree_target(std::string_view prefix);
/// The keys at a prefix; what lies deeper than the next separator is shortened to it. "" lists them all.
std::string kv_keys_target(std::string_view prefix, std::string_view separator);

Result<http::Request> get_request(const KvGetOptions& options);
/// `value`: the bytes that options.data stands for, before --base64.
Result<http::Request> put_request(const KvPutOptions& options, std::string value);
Result<http::Request> delete_request(const KvDeleteOptions& options);

}  // namespace devstack
