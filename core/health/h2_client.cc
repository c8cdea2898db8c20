#include "core/health/h2_client.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstring>

namespace devstack::health {
namespace {

constexpr std::size_t largest_body = 64U << 10U;  ///< and as much for all fields
constexpr std::size_t field_overhead = 32;        ///< as RFC 9113 §6.5.2 counts a field

/// What one connection waits for, and what came of it. nghttp2's callbacks fill it in.
struct Exchange {
  std::string to_send;  ///< the rest of the request's body
  H2Response response;
  std::size_t field_bytes = 0;
  bool answered = false, acknowledged = false, too_large = false;
};

struct Session {
  explicit Session(Exchange& exchange);
  ~Session() { nghttp2_session_del(handle); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  nghttp2_session* handle = nullptr;
};

std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
              const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.field_bytes += name_size + value_size + field_overhead;
  if (exchange.field_bytes > largest_body) {
    exchange.too_large = true;
    return 0;
  }
  exchange.response.fields.insert_or_assign(std::string(view(name, name_size)), std::string(view(value, value_size)));
  return 0;
}

int on_data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (exchange.response.body.size() + size > largest_body) {
    exchange.too_large = true;
  } else {
    exchange.response.body.append(view(data, size));
  }
  return 0;
}

int on_stream_close(nghttp2_session*, std::int32_t, std::uint32_t code, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.answered = true;
  exchange.response.reset = code;
  return 0;
}

int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  const bool ack = frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
  if (ack) static_cast<Exchange*>(user)->acknowledged = true;
  return 0;
}

ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* room, std::size_t size, std::uint32_t* flags,
                  nghttp2_data_source* source, void*) {
  auto& body = static_cast<Exchange*>(source->ptr)->to_send;
  const auto count = std::min(size, body.size());
  std::memcpy(room, body.data(), count);
  body.erase(0, count);
  if (body.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(count);
}

Session::Session(Exchange& exchange) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_client_new(&handle, callbacks, &exchange);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry no_push{NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  nghttp2_submit_settings(handle, NGHTTP2_FLAG_NONE, &no_push, 1);
}

nghttp2_nv field(const std::string& name, const std::string& value) {
  const auto bytes = [](const std::string& text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));  // nghttp2 copies it
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

asio::awaitable<Result<void>> flush(Session& session, H2Stream& stream) {
  std::string out;
  while (true) {
    const std::uint8_t* data = nullptr;
    const auto size = nghttp2_session_mem_send(session.handle, &data);
    if (size < 0) co_return fail(Errc::io, "http2: {}", nghttp2_strerror(static_cast<int>(size)));
    if (size == 0) break;
    out.append(view(data, static_cast<std::size_t>(size)));
  }
  if (out.empty()) co_return Result<void>();
  co_return co_await stream.write(std::move(out));
}

/// Sends and reads until `done` is set.
asio::awaitable<Result<void>> pump(Session& session, H2Stream& stream, const Exchange& exchange, const bool& done) {
  std::array<std::uint8_t, 16384> room{};
  while (true) {
    auto sent = co_await flush(session, stream);
    if (exchange.too_large) co_return fail(Errc::too_large, "the answer is larger than {} bytes", largest_body);
    if (done) co_return Result<void>();
    CO_CHECK(std::move(sent));
    CO_TRY(const auto count, co_await stream.read_some(asio::buffer(room)));
    const auto taken = nghttp2_session_mem_recv(session.handle, room.data(), count);
    if (taken < 0) co_return fail(Errc::io, "http2: {}", nghttp2_strerror(static_cast<int>(taken)));
    if (!done && nghttp2_session_want_read(session.handle) == 0 && nghttp2_session_want_write(session.handle) == 0) {
      co_return fail(Errc::io, "http2: the server has ended the connection");
    }
  }
}

}  // namespace

asio::awaitable<Result<H2Response>> h2_post(H2Stream& stream, H2Request request) {
  Exchange exchange;
  exchange.to_send = std::move(request.body);
  Session session(exchange);
  std::vector<std::pair<std::string, std::string>> all{{":method", "POST"},
                                                       {":scheme", request.tls ? "https" : "http"},
                                                       {":path", request.path},
                                                       {":authority", request.authority}};
  all.insert(all.end(), request.headers.begin(), request.headers.end());
  std::vector<nghttp2_nv> fields;
  for (const auto& [name, value] : all) fields.push_back(field(name, value));
  nghttp2_data_provider body{};
  body.source.ptr = &exchange;
  body.read_callback = read_body;
  const auto id = nghttp2_submit_request(session.handle, nullptr, fields.data(), fields.size(), &body, nullptr);
  if (id < 0) co_return fail(Errc::failed, "http2: {}", nghttp2_strerror(id));
  auto done = co_await pump(session, stream, exchange, exchange.answered);
  CO_CHECK(std::move(done));
  co_return std::move(exchange.response);
}

asio::awaitable<Result<void>> h2_ping(H2Stream& stream) {
  Exchange exchange;
  Session session(exchange);
  nghttp2_submit_ping(session.handle, NGHTTP2_FLAG_NONE, nullptr);
  co_return co_await pump(session, stream, exchange, exchange.acknowledged);
}

}  // namespace devstack::health
