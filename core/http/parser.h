#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ascii.h"
#include "core/http/message.h"
#include "core/http/read_buffer.h"

/// Beast's parser filling our own messages directly: no intermediate field container, no copy. Private to the room.
namespace devstack::http {

enum class Parse { need_more, done, failed };

/// What both directions share; `Derived` gives on_body_bytes().
template <bool is_request>
class MessageParser : public boost::beast::http::basic_parser<is_request> {
 public:
  using Base = boost::beast::http::basic_parser<is_request>;

  /// Feeds what the buffer holds and takes out what was used. After `failed`, error() says why.
  Parse feed(ReadBuffer& buffer) {
    while (!Base::is_done()) {
      // Once it has seen the "0" of an empty body, Beast asserts that there is as much as ends one.
      if (between_chunks() && buffer.size() < std::string_view("0\r\n\r\n").size()) return Parse::need_more;
      const auto used = Base::put(boost::asio::buffer(buffer.data()), error_);
      buffer.consume(used);
      if (error_ == boost::beast::http::error::need_more) {
        error_ = {};
        return Parse::need_more;
      }
      if (error_) return Parse::failed;
      if (Base::is_done()) break;
      if (buffer.empty()) return Parse::need_more;
    }
    return Parse::done;
  }
  [[nodiscard]] boost::system::error_code error() const { return error_; }

 protected:
  using Field = boost::beast::http::field;
  using View = boost::beast::string_view;
  using Code = boost::system::error_code;

  MessageParser() { Base::eager(true); }
  static std::string_view view(View text) { return {text.data(), text.size()}; }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, Code&) override {
    // A promise of many bytes costs the sender nothing: believe it only so far.
    if (length) expect_bytes(static_cast<std::size_t>(std::min<std::uint64_t>(*length, 256U << 10U)));
  }
  std::size_t on_body_impl(View body, Code& error) override { return take(body, error); }
  void on_chunk_header_impl(std::uint64_t size, View, Code&) override { chunk_left_ = size; }
  std::size_t on_chunk_body_impl(std::uint64_t left, View body, Code& error) override {
    chunk_left_ = left - body.size();
    return take(body, error);
  }
  void on_finish_impl(Code&) override {}

  /// Base bounds one line; this bounds all of them together.
  void count_field(View name, View value, Code& error) {
    header_bytes_ += name.size() + value.size() + 4;
    if (header_bytes_ > header_most_) error = boost::beast::http::error::header_limit;
  }
  void limit_header(std::size_t bytes) {
    header_most_ = bytes;
    Base::header_limit(static_cast<std::uint32_t>(bytes));
  }

  virtual void expect_bytes(std::size_t count) = 0;
  virtual void on_body_bytes(std::string_view bytes) = 0;

 private:
  [[nodiscard]] bool between_chunks() const { return Base::is_header_done() && Base::chunked() && chunk_left_ == 0; }
  std::size_t take(View body, Code&) {
    on_body_bytes(view(body));
    return body.size();
  }
  Code error_;
  std::uint64_t chunk_left_ = 0;
  std::size_t header_bytes_ = 0;
  std::size_t header_most_ = 0;
};

class RequestParser final : public MessageParser<true> {
 public:
  using BodyLimit = std::function<std::optional<std::size_t>(std::string_view method, std::string_view target)>;
  /// `body_bytes_of` may be null; it outlives the parser.
  RequestParser(std::size_t header_bytes, std::size_t body_bytes, const BodyLimit* body_bytes_of = nullptr)
      : body_bytes_of_(body_bytes_of) {
    limit_header(header_bytes);
    body_limit(body_bytes);
  }
  Request request;
  int version = 11;
  bool expects_continue = false;
  bool unknown_coding = false;  ///< Transfer-Encoding other than "chunked"

 private:
  void on_request_impl(boost::beast::http::verb, View method, View target, int number, Code&) override {
    request.method.assign(method.data(), method.size());
    request.target.assign(target.data(), target.size());
    version = number;
    if (body_bytes_of_ == nullptr || !*body_bytes_of_) return;
    if (const auto limit = (*body_bytes_of_)(view(method), view(target))) body_limit(*limit);
  }
  void on_response_impl(int, View, int, Code&) override {}
  void on_field_impl(Field field, View name, View value, Code& error) override {
    count_field(name, value, error);
    if (field == Field::expect) expects_continue = equal_ignoring_case(view(value), "100-continue");
    if (field == Field::transfer_encoding && !equal_ignoring_case(view(value), "chunked")) unknown_coding = true;
    request.headers.add(view(name), std::string(view(value)));
  }
  void on_header_impl(Code& error) override {
    if (unknown_coding) error = boost::beast::http::error::bad_transfer_encoding;
  }
  void expect_bytes(std::size_t count) override { request.body.reserve(count); }
  void on_body_bytes(std::string_view bytes) override { request.body.append(bytes); }

  const BodyLimit* body_bytes_of_;
};

class ResponseParser final : public MessageParser<false> {
 public:
  /// `on_head` and `on_chunk` may be empty: then the body is collected. `on_head` returning false ends the parsing with
  /// error::end_of_stream, which a parser itself never gives.
  ResponseParser(std::function<bool(const Response&)> on_head, std::function<void(std::string_view)> on_chunk)
      : on_head_(std::move(on_head)), on_chunk_(std::move(on_chunk)) {
    limit_header(256U << 10U);
    body_limit(boost::none);
  }
  Response response;
  [[nodiscard]] bool informational() const { return response.status >= 100 && response.status < 200; }

 private:
  void on_request_impl(boost::beast::http::verb, View, View, int, Code&) override {}
  void on_response_impl(int status, View, int, Code&) override { response.status = status; }
  void on_field_impl(Field, View name, View value, Code& error) override {
    count_field(name, value, error);
    response.headers.add(view(name), std::string(view(value)));
  }
  void on_header_impl(Code& error) override {
    if (informational() || !on_head_) return;
    if (!on_head_(response)) error = boost::beast::http::error::end_of_stream;
  }
  void expect_bytes(std::size_t count) override {
    if (!on_chunk_) response.body.reserve(count);
  }
  void on_body_bytes(std::string_view bytes) override {
    if (on_chunk_) {
      on_chunk_(bytes);
    } else {
      response.body.append(bytes);
    }
  }

  std::function<bool(const Response&)> on_head_;
  std::function<void(std::string_view)> on_chunk_;
};

}  // namespace devstack::http
