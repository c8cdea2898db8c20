// The bytes of a connection, as the server and the client read them.
#include <cstring>
#include <optional>

#include "core/http/client.h"
#include "core/http/parser.h"
#include "core/http/response_head.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace devstack;  // NOLINT(google-build-using-namespace)
using fuzz::require;

constexpr std::size_t header_most = 2048;
constexpr std::size_t body_most = 4096;

void put(http::ReadBuffer& buffer, std::string_view bytes) {
  const auto room = buffer.prepare(bytes.size() + 1);
  if (!bytes.empty()) std::memcpy(room.data(), bytes.data(), bytes.size());
  buffer.commit(bytes.size());
}

/// All requests of a connection as one text, to be compared. `step` bytes come at a time.
std::string requests_of(std::string_view bytes, std::size_t step) {
  std::string seen;
  http::ReadBuffer buffer;
  while (true) {
    http::RequestParser parser(header_most, body_most);
    auto parsed = http::Parse::need_more;
    while (parsed == http::Parse::need_more) {
      if (!buffer.empty()) parsed = parser.feed(buffer);
      if (parsed != http::Parse::need_more) break;
      if (bytes.empty()) return seen;
      put(buffer, bytes.substr(0, step));
      bytes.remove_prefix(std::min(step, bytes.size()));
    }
    if (parsed == http::Parse::failed) return seen;
    const auto& request = parser.request;
    require(request.body.size() <= body_most, "a body over the limit is refused");
    std::size_t header_bytes = 0;
    for (const auto& [name, value] : request.headers) header_bytes += name.size() + value.size();
    require(header_bytes <= header_most, "headers over the limit are refused");
    seen += request.method + " " + request.target + "\n";
    for (const auto& [name, value] : request.headers) seen.append(name).append(": ").append(value).append("\n");
    seen += "\n" + request.body + "\n";
  }
}

/// Status and body, empty as long as its head is not there; nothing when it was refused.
std::optional<std::string> response_of(std::string_view bytes, std::size_t step) {
  std::string seen;
  http::ReadBuffer buffer;
  http::ResponseParser parser([](const http::Response& head) { return head.status != 418; },
                              [&seen](std::string_view chunk) { seen += chunk; });
  auto parsed = http::Parse::need_more;
  while (parsed == http::Parse::need_more && !bytes.empty()) {
    put(buffer, bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    parsed = parser.feed(buffer);
  }
  if (parsed == http::Parse::failed) return std::nullopt;
  if (!parser.is_header_done()) return "";
  return std::to_string(parser.response.status) + seen;
}

/// What a request said, said back by an answer, must not end its head early.
void answer_with(std::string_view text) {
  http::Response response;
  response.headers.add("X-Said", std::string(text));
  response.headers.add(std::string(text.substr(0, 16)), "x");
  std::string head;
  http::append_head(head, response, http::HeadContext{11, false, true, ""});
  require(head.ends_with("\r\n\r\n"), "a head ends with an empty line", head);
  require(head.find("\r\n\r\n") == head.size() - 4, "a head has one end", head);
}

void texts(std::string_view text) {
  if (const auto path = http::decode_path(text)) {
    const auto encoded = http::encode_path(*path, http::Slash::escape);
    require(http::decode_path(encoded) == path, "an encoded path decodes to itself", text);
  }
  if (const auto query = http::Query::parse(text)) {
    for (const auto& [name, value] : *query) require(query->has(name), "every name of a query is found", name);
  }
  if (const auto target = http::Target::parse(text)) {
    const auto again = http::Target::parse(target->to_string());
    require(again && again->to_string() == target->to_string(), "a target reads back", text);
  }
  answer_with(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16384) return 0;
  const auto bytes = fuzz::text_of(data, size);
  const auto whole = requests_of(bytes, size + 1);
  for (const std::size_t step : {1, 7}) {
    const auto pieces = requests_of(bytes, step);
    // A connection that ends badly may be given up earlier or later, by what had come; its requests are the same.
    require(pieces == whole, "borders between reads mean nothing", whole + "\n--- in pieces:\n" + pieces);
  }
  const auto at_once = response_of(bytes, size + 1), in_pieces = response_of(bytes, 3);
  require(!at_once || !in_pieces || at_once == in_pieces, "borders between reads mean nothing to a client");
  texts(bytes.substr(0, 512));
  return 0;
}
