#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

/// Request bodies, read as Go's encoding/json reads them into Consul's structs. Pure.
/// Private.
namespace devstack::api {

/// The first JSON value of a body; what follows it is ignored. The error has Go's wording where it is simple ("EOF").
Result<boost::json::value> parse_json(std::string_view body);

enum class Unknown { refuse, ignore };

/// Whether an object has that member, its name compared without case; null counts.
bool has_member(const boost::json::value& value, std::string_view name);

/// One JSON object on its way into a struct. Names match without case; null is absent; the first error is kept and
/// comes out of `done`.
///
/// The type's name is Go's, with the way to it from the body ("NodeService.Service"), since errors name both.
///
///     Fields fields(value, "ServiceDefinition");
///     fields.read("Name", service.name);
///     CHECK(fields.done(Unknown::refuse));
class Fields {
 public:
  using StringMap = std::map<std::string, std::string>;

  Fields(const boost::json::value& value, std::string_view type_name);

  /// The value of a field, null when absent. It counts as known from now on.
  const boost::json::value* find(std::string_view name, std::string_view alias = {});
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  void set_error(Error error);

  void read(std::string_view name, std::string& out, std::string_view alias = {});
  void read(std::string_view name, bool& out, std::string_view alias = {});
  void read(std::string_view name, int& out, std::string_view alias = {});
  void read(std::string_view name, std::uint64_t& out);
  void read(std::string_view name, std::vector<std::string>& out, std::string_view alias = {});
  void read(std::string_view name, StringMap& out, std::string_view alias = {});
  void read(std::string_view name, std::map<std::string, std::vector<std::string>>& out);
  /// A Go duration string, or a number of nanoseconds.
  void read(std::string_view name, std::chrono::nanoseconds& out, std::string_view alias = {});
  /// Known, but not used here.
  void skip(std::string_view name) { (void)find(name); }

  Result<void> done(Unknown unknown);

 private:
  void mismatch(const boost::json::value& value, std::string_view name, std::string_view type);

  const boost::json::object* object_ = nullptr;
  std::string_view type_name_;
  std::vector<std::string_view> known_;
  std::optional<Error> error_;
};

}  // namespace devstack::api
