#pragma once

#include <limits>
#include <utility>

#include "core/stack/read.h"

/// What most rows of a table of keys need: a value is read and put where a chain of members leads, as in
/// `{"pid", Into<&ServiceSpec::isolation, &Isolation::pid>::text}`. Private to the room.
namespace devstack::stack {

template <auto first, auto... rest>
auto& member(auto& object) {
  if constexpr (sizeof...(rest) == 0) {
    return object.*first;
  } else {
    return member<rest...>(object.*first);
  }
}

template <auto... path>
struct Into {
  template <class T>
  static void text(T& object, const Node& node, const Reading& in) {
    put(object, read_text(node, in));
  }
  template <class T>
  static void flag(T& object, const Node& node, const Reading& in) {
    put(object, read_switch(node, in));
  }
  template <class T>
  static void size(T& object, const Node& node, const Reading& in) {
    put(object, read_size(node, in));
  }
  template <class T>
  static void size_or_unlimited(T& object, const Node& node, const Reading& in) {
    put(object, read_size_or_unlimited(node, in));
  }
  template <class T>
  static void span(T& object, const Node& node, const Reading& in) {
    put(object, read_duration(node, in));
  }
  template <class T>
  static void mode(T& object, const Node& node, const Reading& in) {
    put(object, read_mode(node, in));
  }
  template <long least, long most, class T>
  static void number(T& object, const Node& node, const Reading& in) {
    using Member = std::remove_reference_t<decltype(member<path...>(object))>;
    if (const auto value = read_number(node, least, most, in)) member<path...>(object) = static_cast<Member>(*value);
  }
  template <class T>
  static void texts(T& object, const Node& node, const Reading& in) {
    member<path...>(object) = read_texts(node, in);
  }
  template <class T>
  static void text_or_texts(T& object, const Node& node, const Reading& in) {
    if (node.kind != Node::Kind::null) member<path...>(object) = read_text_or_texts(node, in);
  }
  /// A map or a list of K=V.
  template <class T>
  static void pairs(T& object, const Node& node, const Reading& in) {
    member<path...>(object) = read_labels(node, in);
  }
  template <class T>
  static void file(T& object, const Node& node, const Reading& in) {
    if (const auto path_given = read_text(node, in)) member<path...>(object) = absolute_path(*path_given, in);
  }
  template <class T>
  static void command(T& object, const Node& node, const Reading& in) {
    member<path...>(object) = read_container_command(node, in);
  }
  /// Whatever `read(node, in)` returns.
  template <auto read, class T>
  static void by(T& object, const Node& node, const Reading& in) {
    member<path...>(object) = read(node, in);
  }

 private:
  template <class T, class Value>
  static void put(T& object, std::optional<Value> value) {
    if (value) member<path...>(object) = std::move(*value);
  }
};

/// A key that is known and changes nothing here.
template <class T>
void ignored(T& /*into*/, const Node& /*node*/, const Reading& /*in*/) {}

/// The same, and the user is told.
template <class T>
void ignored_with_warning(T& /*into*/, const Node& node, const Reading& in) {
  in.report.warn(node.at, "{}has no effect here and is ignored", node.prefix());
}

}  // namespace devstack::stack
