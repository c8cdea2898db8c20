#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/api.h"
#include "core/base/async/blocking_pool.h"
#include "core/base/result.h"
#include "core/http/message.h"
#include "core/registry/registry.h"

/// What a handler gets and gives. Private to the room.
namespace devstack::api {

class Metrics;

using registry::Index;
using registry::State;
using registry::Watch;

struct Backend {
  registry::RegistryView& view;
  registry::RegistryWriter& writer;
  const ApiOptions& options;
  BlockingPool& pool;  ///< for what would keep the loop from other requests
  Metrics& metrics;
  std::size_t& blocked;  ///< queries that wait for a change now
};

/// A query that is about to wait, counted while this lives. Not admitted when too many do already.
class Blocked {
 public:
  explicit Blocked(const Backend& backend);
  ~Blocked() { count_ -= admitted_ ? 1 : 0; }
  Blocked(const Blocked&) = delete;
  Blocked& operator=(const Blocked&) = delete;
  [[nodiscard]] bool admitted() const { return admitted_; }
  /// What the 429 says.
  static constexpr std::string_view refusal = "Too many blocking queries are waiting, please retry later";

 private:
  std::size_t& count_;
  bool admitted_;
};

enum class Consistency { leader, stale, consistent };
std::string_view name_of(Consistency consistency);

/// Query parameters that every read shares.
struct ReadOptions {
  Index index = 0;  ///< 0: answer at once
  std::chrono::nanoseconds wait{0};
  Consistency consistency = Consistency::leader;
};

/// A request taken apart: `/v1/kv/` + `rest` + `?query`.
struct Call {
  const Backend& backend;
  const http::Request& request;
  std::string_view rest;  ///< the decoded path after the route's; "" for exact routes
  const http::Query& query;
  ReadOptions options;

  /// Value of a parameter, "" when absent.
  [[nodiscard]] std::string_view param(std::string_view name) const { return query.get(name).value_or(""); }
};

/// What a read computes from one state. The index headers are added by the caller.
struct Answer {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";  ///< "" for none
  /// X-Consul-Index, for blocking reads. Raised to 1 when 0.
  Index index = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  /// The request is wrong or the thing needs no waiting: sent at once, without index headers.
  bool final = false;
  /// Says nothing of indexes, though it may be waited for (a node that is not there).
  bool bare = false;
  /// An answer like any other, but one that nobody waits for (query execution).
  bool unblocked = false;

  void refuse(int with_status, std::string text);
  void refuse(const Error& error);
};

http::Response empty(int status = 200);
http::Response respond(const Error& error);
/// The literal `true` or `false` of KV and catalog writes.
http::Response boolean(bool value);

/// One line of the route table. GET goes to `read` when it is set (with the wait loop when `watches` is), everything
/// else to `act`.
using ReadHandler = void (*)(const Call&, const State&, Answer&);
using WatchList = std::vector<Watch> (*)(const Call&);
using ActHandler = asio::awaitable<http::Response> (*)(const Call&);

enum class Header { none, index, index_and_consistency };
/// Which of `dc` and `ns` are looked at.
enum class Checks { none, datacenter, name_space, datacenter_and_namespace };

struct Route {
  std::string_view path;     ///< a trailing '/' means "and everything below"
  std::string_view methods;  ///< as in Allow: "GET,PUT"
  ReadHandler read = nullptr;
  WatchList watches = nullptr;
  ActHandler act = nullptr;
  Header header = Header::none;
  Checks checks = Checks::none;
  bool cacheable = false;  ///< takes ?cached
};

}  // namespace devstack::api
