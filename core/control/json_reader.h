#pragma once

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Private to core/control: how its documents are written and read.
namespace devstack::control {

template <class Values, class Function>
boost::json::array each(const Values& values, Function to_object) {
  boost::json::array out;
  out.reserve(values.size());
  for (const auto& value : values) out.emplace_back(to_object(value));
  return out;
}

/// Reads the fields of one object; keeps the first complaint and then does nothing more.
class Reader {
 public:
  Reader(const boost::json::value& value, std::string where, std::string& complaint)
      : object_(value.if_object()), where_(std::move(where)), complaint_(complaint) {
    if (object_ == nullptr) complain("", "an object");
  }

  void read(std::string_view name, std::string& into) {
    const auto* value = find(name);
    if (value == nullptr) return;
    if (const auto* text = value->if_string()) {
      into.assign(text->data(), text->size());
    } else {
      complain(name, "a string");
    }
  }
  void read(std::string_view name, bool& into) {
    const auto* value = find(name);
    if (value == nullptr) return;
    if (const auto* flag = value->if_bool()) {
      into = *flag;
    } else {
      complain(name, "a boolean");
    }
  }
  template <class Integer>
  requires std::is_integral_v<Integer>
  void read(std::string_view name, Integer& into) {
    const auto* value = find(name);
    if (value == nullptr) return;
    boost::system::error_code wrong;
    const auto number = value->to_number<Integer>(wrong);
    if (wrong) return complain(name, "a number");
    into = number;
  }
  void read(std::string_view name, std::vector<std::string>& into) {
    for (const auto& value : array(name)) {
      if (const auto* text = value.if_string()) {
        into.emplace_back(text->data(), text->size());
      } else {
        complain(name, "an array of strings");
      }
    }
  }
  /// null is nothing.
  void read(std::string_view name, std::optional<double>& into) {
    const auto* value = find(name);
    if (value == nullptr || value->is_null()) return;
    boost::system::error_code wrong;
    const auto number = value->to_number<double>(wrong);
    if (wrong) return complain(name, "a number");
    into = number;
  }
  template <class Known, class Enum>
  void read(std::string_view name, const Known& known, Enum& into) {
    std::string text;
    read(name, text);
    for (const auto candidate : known) {
      if (to_string(candidate) == text) into = candidate;
    }
  }
  template <class Value, class Function>
  void read_each(std::string_view name, std::vector<Value>& into, Function read_one) {
    std::size_t index = 0;
    for (const auto& value : array(name)) {
      Reader inner(value, fmt::format("{}{}[{}].", where_, name, index++), complaint_);
      read_one(inner, into.emplace_back());
    }
  }

 private:
  [[nodiscard]] const boost::json::value* find(std::string_view name) const {
    return object_ == nullptr ? nullptr : object_->if_contains(name);
  }
  [[nodiscard]] const boost::json::array& array(std::string_view name) {
    static const boost::json::array none;
    const auto* value = find(name);
    if (value == nullptr) return none;
    if (const auto* found = value->if_array()) return *found;
    complain(name, "an array");
    return none;
  }
  void complain(std::string_view name, std::string_view wanted) {
    if (!complaint_.empty()) return;
    const auto path = where_ + std::string(name);
    complaint_ = fmt::format("{} is not {}", path.empty() ? "the document" : path, wanted);
  }

  const boost::json::object* object_;
  std::string where_;
  std::string& complaint_;
};

}  // namespace devstack::control
