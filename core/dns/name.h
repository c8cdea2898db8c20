#pragma once

#include <boost/container/static_vector.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ascii.h"
#include "core/base/result.h"

/// Domain names (RFC 1034 §3.1). Pure; any thread.
namespace devstack::dns {

/// The labels of a name from left to right, without the root label; views into the Name.
using Labels = boost::container::static_vector<std::string_view, 127>;

/// A fully qualified name, held in the wire's uncompressed form, so that a label may hold any byte, dots included.
/// Always valid: labels of 1 to 63 bytes, 255 bytes in all. Case is kept, comparing ignores it (ASCII only).
class Name {
 public:
  /// The root, ".".
  Name() : wire_(1, '\0') {}

  /// Presentation form: "web.service.consul", with or without the final dot; `\.` and `\DDD` as in RFC 1035 §5.1.
  static Result<Name> parse(std::string_view text);
  /// `prefix` split at its dots (no escapes), then `suffix`. Empty when the result would not be a valid name.
  static std::optional<Name> join(std::string_view prefix, const Name& suffix);
  /// Takes bytes in wire form that the caller has checked (the codec).
  static Name from_valid_wire(std::string wire);

  [[nodiscard]] std::string_view wire() const { return wire_; }
  [[nodiscard]] Labels labels() const;
  /// Presentation form with the final dot; "." for the root.
  [[nodiscard]] std::string to_text() const;
  /// All ASCII letters small.
  [[nodiscard]] Name lowered() const;
  /// True when this name is `zone` or below it.
  [[nodiscard]] bool within(const Name& zone) const;
  [[nodiscard]] bool is_root() const { return wire_.size() == 1; }

  friend bool operator==(const Name& a, const Name& b);

 private:
  std::string wire_;
};

}  // namespace devstack::dns
