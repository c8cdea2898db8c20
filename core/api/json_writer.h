#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Writes JSON straight into one string, byte for byte as Go's encoding/json does (which is what Consul's clients see):
/// compact, `<`, `>`, `&` and U+2028/2029 escaped, invalid UTF-8 as \ufffd. Commas are put by looking at the last byte.
namespace devstack::api {

class JsonWriter {
 public:
  JsonWriter() = default;
  explicit JsonWriter(std::size_t reserve_bytes) { out_.reserve(reserve_bytes); }

  void open_object() { separate(), out_ += '{'; }
  void close_object() { out_ += '}'; }
  void open_array() { separate(), out_ += '['; }
  void close_array() { out_ += ']'; }
  /// The next value belongs to this name, which must need no escaping.
  void key(std::string_view name);
  /// As `key`, for a name that comes from outside.
  void escaped_key(std::string_view name);

  void string(std::string_view text);
  void number(std::uint64_t value);
  void number(std::int64_t value);
  void number(int value) { number(static_cast<std::int64_t>(value)); }
  void number(double value);
  void boolean(bool value) { separate(), out_ += value ? "true" : "false"; }
  void null() { separate(), out_ += "null"; }
  /// Ready JSON.
  void raw(std::string_view json) { separate(), out_ += json; }
  void base64(std::string_view bytes);
  void strings(const std::vector<std::string>& list);
  void strings(const std::map<std::string, std::string>& map);

  void field(std::string_view name, std::string_view text) { key(name), string(text); }
  void field(std::string_view name, const std::string& text) { key(name), string(text); }
  void field(std::string_view name, const char* text) { key(name), string(text); }
  void field(std::string_view name, bool value) { key(name), boolean(value); }
  void field(std::string_view name, int value) { key(name), number(value); }
  void field(std::string_view name, std::uint64_t value) { key(name), number(value); }
  void field(std::string_view name, std::int64_t value) { key(name), number(value); }
  void field(std::string_view name, double value) { key(name), number(value); }
  void field(std::string_view name, const std::vector<std::string>& list) { key(name), strings(list); }
  void field(std::string_view name, const std::map<std::string, std::string>& map) { key(name), strings(map); }
  /// Left out when empty, as Go's omitempty.
  void field_unless_empty(std::string_view name, std::string_view text) {
    if (!text.empty()) field(name, text);
  }

  [[nodiscard]] const std::string& text() const { return out_; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void separate() {
    if (out_.empty()) return;
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':') out_ += ',';
  }

  std::string out_;
};

/// A JSON string literal, quotes included.
void append_json_string(std::string& out, std::string_view text);

/// Compact JSON with 4 spaces of indent and a final newline, as `?pretty` gives it.
std::string pretty_json(std::string_view compact);

}  // namespace devstack::api
