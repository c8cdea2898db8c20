#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// The values that a template sees, with the kinds and the printed forms of Go, because people's files depend on both.
/// Immutable except for the scratch pad; cheap to copy. https://pkg.go.dev/fmt, https://pkg.go.dev/text/template
namespace devstack::templates {

class Value;
struct List;
struct Map;
struct Struct;
struct Scratch;

/// A nil that has a type: what a missing key of a map[string]interface{} gives. Its fields are errors, whereas those of
/// an absent value (the root dot) are absent again.
struct NilInterface {};

/// How large a value is when everything in it is spelled out, and how many containers lie in each other. Kept with each
/// container, because one that is held many times by others is cheap to have and ruinous to print.
struct Extent {
  std::size_t bytes = 1;
  int depth = 0;
};

class Value {
 public:
  using Data = std::variant<std::monostate, NilInterface, bool, std::int64_t, std::uint64_t, double, std::string,
                            std::shared_ptr<const List>, std::shared_ptr<const Map>, std::shared_ptr<const Struct>,
                            std::shared_ptr<Scratch>>;
  Value() = default;
  Value(NilInterface nil) : data_(nil) {}
  Value(bool value) : data_(value) {}
  Value(int value) : data_(std::int64_t{value}) {}
  Value(std::int64_t value) : data_(value) {}
  Value(std::uint64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(List value);
  Value(Map value);
  Value(Struct value);
  Value(std::shared_ptr<Scratch> value) : data_(std::move(value)) {}

  template <class T>
  [[nodiscard]] const T* get() const {
    return std::get_if<T>(&data_);
  }
  [[nodiscard]] const std::string* text() const { return get<std::string>(); }
  [[nodiscard]] const List* list() const { return pointee<List>(); }
  [[nodiscard]] const Map* map() const { return pointee<Map>(); }
  [[nodiscard]] const Struct* structure() const { return pointee<Struct>(); }
  [[nodiscard]] std::shared_ptr<Scratch> scratch() const;
  /// No value at all, or a nil interface.
  [[nodiscard]] bool is_nil() const { return data_.index() < 2; }
  /// The root dot and what is found below it.
  [[nodiscard]] bool is_absent() const { return data_.index() == 0; }
  /// Go's template truth: not zero, not empty; a struct always.
  [[nodiscard]] bool truth() const;
  /// As fmt's %v prints it; nil is "<nil>".
  [[nodiscard]] std::string print() const;
  /// As an action prints it: nil is "<no value>".
  [[nodiscard]] std::string display() const { return is_nil() ? "<no value>" : print(); }
  /// Go's name of the type: "int", "[]string", "map[string]interface {}".
  [[nodiscard]] std::string type() const;
  [[nodiscard]] Extent extent() const;
  [[nodiscard]] const Data& data() const { return data_; }

 private:
  template <class T>
  [[nodiscard]] const T* pointee() const {
    const auto* held = get<std::shared_ptr<const T>>();
    return held == nullptr ? nullptr : held->get();
  }
  Data data_;
};

struct List {
  std::vector<Value> items;
  std::string element = "interface {}";
  Extent extent{};  ///< set by Value; likewise below
};

/// Keys are strings or (byPort) integers; ordered as Go's templates range over them.
using Key = std::variant<std::int64_t, std::string>;
struct Map {
  std::map<Key, Value> entries;
  std::string element = "interface {}";
  Extent extent{};
  [[nodiscard]] const Value* find(std::string_view key) const;
  /// What an absent key gives: "" of a map of strings, else nil.
  [[nodiscard]] Value zero() const;
};

struct Struct {
  std::string type;
  std::vector<std::pair<std::string, Value>> fields;
  Extent extent{};
  [[nodiscard]] const Value* find(std::string_view name) const;
};

/// consul-template's scratch pad: new for each evaluation.
struct Scratch {
  std::map<std::string, Value> values;
};

Value strings(const std::vector<std::string>& items);
Value string_map(const std::map<std::string, std::string>& entries);
Value key_value(const Key& key);

/// Shortest text that reads back, in exponent form below 1e-4 and from 10^`exponent_from`: 6 in print, 21 in JSON.
std::string format_float(double value, int exponent_from);
/// The escape of two characters that a Go literal and JSON share for `c`; "" where they have none.
std::string_view short_escape(char c);
/// A Go string literal: "a\"b\n".
std::string quote(std::string_view text);

}  // namespace devstack::templates
