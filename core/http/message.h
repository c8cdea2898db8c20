#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP requests and responses as plain values (RFC 9110). No Beast here. Values; any thread.
namespace devstack::http {

namespace asio = boost::asio;

/// Header fields in the order given; names compare without case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}
  /// First field of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  /// Replaces every field of that name.
  void set(std::string_view name, std::string value);
  void add(std::string_view name, std::string value);
  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// `?a=1&b&a=2` in order; a name without `=` has an empty value and counts as present. Names and values are decoded
/// (%XX and '+').
class Query {
 public:
  /// Nothing when an escape is malformed.
  static std::optional<Query> parse(std::string_view raw);
  [[nodiscard]] bool has(std::string_view name) const;
  /// First value of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  std::string method = "GET";
  std::string target = "/";  ///< as on the wire: path and query, escapes kept
  Headers headers;
  std::string body;
  std::string peer;  ///< "127.0.0.1:43210", or "unix" (server side only)

  [[nodiscard]] std::string_view raw_path() const;
  [[nodiscard]] std::string_view raw_query() const;
};

/// %XX decoded once; '+' stays. Nothing when an escape is malformed.
std::optional<std::string> decode_path(std::string_view raw);
/// Everything but unreserved characters (RFC 3986 §2.3) escaped; '/' kept when `keep_slash`.
enum class Slash { keep, escape };
std::string encode_path(std::string_view text, Slash slash);

/// Where a streaming response writes. `write` returns false once the peer is gone: stop then.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual asio::awaitable<bool> write(std::string chunk) = 0;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  /// When set, the body is what this coroutine writes (chunked); `body` is ignored. It is cancelled when the peer
  /// closes the connection or the server stops.
  std::function<asio::awaitable<void>(BodyWriter&)> stream;
};

/// `Response text(404, "no such service")`: Content-Type text/plain; charset=utf-8.
Response text(int status, std::string body);
/// Content-Type application/json.
Response json(int status, std::string body);

/// One server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html); `data` may hold newlines.
std::string sse_event(std::string_view event, std::string_view data);

}  // namespace devstack::http
