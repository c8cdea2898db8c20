#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/health/h2_stream.h"

/// As much of HTTP/2 (RFC 9113) as checks need: one request, or one PING, a connection. The frames are libnghttp2's.
/// Private to the room.
namespace devstack::health {

struct H2Request {
  std::string path;
  std::string authority;
  bool tls = false;
  std::vector<std::pair<std::string, std::string>> headers;  ///< beside the pseudo ones; names in lower case
  std::string body;
};
/// Header fields and trailers together; of fields of one name the last.
struct H2Response {
  std::map<std::string, std::string> fields;  ///< ":status" among them
  std::string body;
  std::uint32_t reset = 0;  ///< the stream's error code (RFC 9113 §7) when the server broke it off
};

/// A POST and its whole answer, at most 64 KiB each of fields and body. Errors: Errc::io with the reason, too_large.
asio::awaitable<Result<H2Response>> h2_post(H2Stream& stream, H2Request request);
/// Returns when the server has acknowledged a PING (RFC 9113 §6.7).
asio::awaitable<Result<void>> h2_ping(H2Stream& stream);

}  // namespace devstack::health
