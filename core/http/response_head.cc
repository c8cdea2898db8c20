#include "core/http/response_head.h"

#include <boost/beast/http/status.hpp>
#include <charconv>

#include "core/base/ascii.h"

namespace devstack::http {
namespace {

void append_number(std::string& out, std::size_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

// A plain loop: find_first_of calls memchr for every byte, which was a twentieth of a small answer's cost.
void append_clean(std::string& out, std::string_view text) {
  const auto start = out.size();
  out.append(text);
  for (auto at = start; at < out.size(); ++at) {
    if (out[at] == '\r' || out[at] == '\n' || out[at] == '\0') out[at] = ' ';
  }
}

std::string_view reason(int status) {
  const auto known = boost::beast::http::int_to_status(static_cast<unsigned>(status));
  const auto phrase = boost::beast::http::obsolete_reason(known);
  return {phrase.data(), phrase.size()};
}

bool is_framing_field(std::string_view name) {
  return equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding") ||
         equal_ignoring_case(name, "Connection");
}

}  // namespace

Framing framing_of(const Response& response, int version) {
  if (response.status < 200 || response.status == 204 || response.status == 304) return Framing::none;
  if (!response.stream) return Framing::length;
  return version >= 11 ? Framing::chunked : Framing::close;
}

void append_head(std::string& out, const Response& response, const HeadContext& context) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::size_t>(response.status));
  out.append(" ").append(reason(response.status)).append("\r\n");
  for (const auto& [name, value] : response.headers) {
    if (is_framing_field(name)) continue;
    append_clean(out, name);
    out.append(": ");
    append_clean(out, value);
    out.append("\r\n");
  }
  if (!context.date.empty()) out.append("Date: ").append(context.date).append("\r\n");
  switch (framing_of(response, context.version)) {
    case Framing::length: {
      const auto own = context.head_method ? response.headers.get("Content-Length") : std::nullopt;
      out.append("Content-Length: ");
      if (own) {
        append_clean(out, *own);
      } else {
        append_number(out, response.body.size());
      }
      out.append("\r\n");
      break;
    }
    case Framing::chunked:
      out.append("Transfer-Encoding: chunked\r\n");
      break;
    case Framing::none:
    case Framing::close:
      break;
  }
  if (!context.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (context.version < 11) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

std::string_view HttpDate::now() {
  const auto second = std::time(nullptr);
  if (second != second_) {
    second_ = second;
    std::tm parts{};
    gmtime_r(&second, &parts);
    char text[40];
    text_.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
  }
  return text_;
}

}  // namespace devstack::http
