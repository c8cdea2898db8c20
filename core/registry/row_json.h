#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/registry/types.h"

/// The JSON bodies of stored rows. Private to the room; the HTTP API has its own. A member that is missing has its
/// default, one that is unknown is ignored, so that fields may come without a migration. Strings are bytes.
namespace devstack::registry {

std::string to_body(const Node& node);
std::string to_body(const Service& service);
std::string to_body(const Check& check);
std::string to_body(const Session& session);
std::string to_body(const PreparedQuery& query);

/// Errc::parse when the text is not such a body.
template <class T>
Result<T> from_body(std::string_view text);
template <>
Result<Node> from_body<Node>(std::string_view text);
template <>
Result<Service> from_body<Service>(std::string_view text);
template <>
Result<Check> from_body<Check>(std::string_view text);
template <>
Result<Session> from_body<Session>(std::string_view text);
template <>
Result<PreparedQuery> from_body<PreparedQuery>(std::string_view text);

}  // namespace devstack::registry
