#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "core/stack/plan.h"
#include "core/stack/stack_file.h"

/// A stack as a JSON document in the file's own keys, defaults left out: what `config` prints and what is hashed.
/// Private to the room.
namespace devstack::stack {

boost::json::object describe(const ServiceSpec& service);
boost::json::object describe(const StackFile& file);

/// "1:" and 32 hex digits over what the container or process is made from; not over scale and dependencies. Leaving
/// defaults out keeps it the same when a later version learns new keys.
std::string config_hash(const ServiceSpec& service, UnitKind kind);

}  // namespace devstack::stack
