#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "core/stack/plan.h"
#include "core/stack/stack_file.h"

/// A stack as a JSON document in the file's own keys, defaults left out: what `config` prints and what is hashed.
/// Private to the room.
namespace devstack::stack {

boost::json::object describe(const ServiceSpec& service);
// --- its parts in describe_container.cc ---
boost::json::value describe_mount(const Mount& mount);
boost::json::object describe_build(const BuildSettings& build);
boost::json::object describe_hook(const Hook& hook);
boost::json::object describe_watch_rule(const WatchRule& rule);
void put_isolation(boost::json::object& into, const Isolation& isolation);
void put_resources(boost::json::object& into, const Resources& resources);

boost::json::object describe(const StackFile& file);

/// "1:" and 32 hex digits over what the container or process is made from, and over `granted`: what is in the configs
/// and secrets that it is given. Not over build, pull_policy, scale, depends_on, profiles, wait_for, develop and
/// attach. Leaving defaults out keeps it the same when a later version learns new keys.
std::string config_hash(const ServiceSpec& service, UnitKind kind, std::string_view granted = {});

}  // namespace devstack::stack
