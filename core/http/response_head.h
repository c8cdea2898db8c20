#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "core/http/message.h"

/// The status line and header fields of an answer, as bytes (RFC 9112 §4-6). Pure but for HttpDate. Private to the
/// room.
namespace devstack::http {

/// How an answer's body is delimited on the wire.
enum class Framing {
  none,    ///< the status forbids a body (1xx, 204, 304)
  length,  ///< Content-Length
  chunked,
  close,  ///< HTTP/1.0 stream: the end of the connection ends it
};

struct HeadContext {
  int version = 11;  ///< 10 or 11, of the request
  bool head_method = false;
  bool keep_alive = true;
  std::string_view date;  ///< "" leaves the field out
};

Framing framing_of(const Response& response, int version);

/// Appends the head. Of the handler's fields, those that frame the message are replaced by ours: Connection,
/// Transfer-Encoding, and Content-Length but for HEAD. Line breaks inside values become spaces, so that no value that
/// came from outside can start a field of its own.
void append_head(std::string& out, const Response& response, const HeadContext& context);

/// "Sun, 06 Nov 1994 08:49:37 GMT" of now, made once a second.
class HttpDate {
 public:
  std::string_view now();

 private:
  std::time_t second_ = 0;
  std::string text_;
};

}  // namespace devstack::http
