#include "core/registry/row_json.h"

#include <boost/json.hpp>
#include <stdexcept>
#include <type_traits>

namespace devstack::registry {
namespace {

namespace json = boost::json;

constexpr CheckDefinition::Kind last_of(CheckDefinition::Kind) { return CheckDefinition::Kind::alias; }
constexpr Session::Behavior last_of(Session::Behavior) { return Session::Behavior::remove; }

// One description of each type serves both directions: `fields(archive, value)` names every member once, and the
// archive either writes it or reads it.

class Writing {
 public:
  template <class T>
  void operator()(const char* name, const T& value) {
    // Numbers are always written: absent means the member's default, which need not be 0.
    constexpr bool number = (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) || std::is_enum_v<T> ||
                            std::is_same_v<T, std::chrono::nanoseconds>;
    if (number || !(value == T{})) object_[name] = to(value);
  }
  std::string text() && { return json::serialize(object_); }
  json::object object() && { return std::move(object_); }

 private:
  static json::value to(const std::string& v) { return json::string(v); }
  static json::value to(bool v) { return v; }
  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  static json::value to(T v) {
    if constexpr (std::is_enum_v<T>) return static_cast<std::int64_t>(v);
    if constexpr (std::is_unsigned_v<T>) return static_cast<std::uint64_t>(v);
    return static_cast<std::int64_t>(v);
  }
  static json::value to(std::chrono::nanoseconds v) { return v.count(); }
  static json::value to(const std::vector<std::string>& v) {
    json::array out;
    for (const auto& item : v) out.push_back(to(item));
    return out;
  }
  template <class T>
  static json::value to(const std::map<std::string, T>& v) {
    json::object out;
    for (const auto& [name, item] : v) out[name] = to(item);
    return out;
  }
  template <class T>
  requires std::is_class_v<T>
  static json::value to(const T& v) {
    Writing inner;
    fields(inner, v);
    return std::move(inner).object();
  }

  json::object object_;
};

/// Throws what Boost.JSON throws when a member is of another kind.
class Reading {
 public:
  explicit Reading(const json::object& object) : object_(object) {}
  template <class T>
  void operator()(const char* name, T& value) {
    if (const auto* found = object_.if_contains(name)) from(*found, value);
  }

 private:
  static void from(const json::value& v, std::string& out) { out.assign(v.as_string().data(), v.as_string().size()); }
  static void from(const json::value& v, bool& out) { out = v.as_bool(); }
  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  static void from(const json::value& v, T& out) {
    if constexpr (std::is_enum_v<T>) {
      const auto number = v.to_number<std::int64_t>();
      if (number < 0 || number > static_cast<std::int64_t>(last_of(T{}))) throw std::out_of_range("no such choice");
      out = static_cast<T>(number);
    } else {
      out = v.to_number<T>();
    }
  }
  static void from(const json::value& v, std::chrono::nanoseconds& out) {
    out = std::chrono::nanoseconds(v.to_number<std::int64_t>());
  }
  static void from(const json::value& v, std::vector<std::string>& out) {
    for (const auto& item : v.as_array()) from(item, out.emplace_back());
  }
  template <class T>
  static void from(const json::value& v, std::map<std::string, T>& out) {
    for (const auto& [name, item] : v.as_object()) from(item, out[std::string(name)]);
  }
  template <class T>
  requires std::is_class_v<T>
  static void from(const json::value& v, T& out) {
    Reading inner(v.as_object());
    fields(inner, out);
  }

  const json::object& object_;
};

template <class T, class Plain>
concept IsOf = std::is_same_v<std::remove_const_t<T>, Plain>;

template <class Archive, IsOf<Node> T>
void fields(Archive& io, T& v) {
  io("id", v.id), io("name", v.name), io("address", v.address), io("datacenter", v.datacenter);
  io("tagged_addresses", v.tagged_addresses), io("meta", v.meta);
  io("create_index", v.create_index), io("modify_index", v.modify_index);
}

template <class Archive, IsOf<ServiceAddress> T>
void fields(Archive& io, T& v) {
  io("address", v.address), io("port", v.port);
}

template <class Archive, IsOf<Weights> T>
void fields(Archive& io, T& v) {
  io("passing", v.passing), io("warning", v.warning);
}

template <class Archive, IsOf<Service> T>
void fields(Archive& io, T& v) {
  io("node", v.node), io("kind", v.kind), io("id", v.id), io("name", v.name), io("tags", v.tags);
  io("address", v.address), io("tagged_addresses", v.tagged_addresses), io("meta", v.meta), io("port", v.port);
  io("socket_path", v.socket_path), io("weights", v.weights), io("enable_tag_override", v.enable_tag_override);
  io("agent_owned", v.agent_owned), io("source", v.source), io("proxy", v.proxy_json), io("connect", v.connect_json);
  io("create_index", v.create_index), io("modify_index", v.modify_index);
}

template <class Archive, IsOf<CheckDefinition> T>
void fields(Archive& io, T& v) {
  io("kind", v.kind), io("http", v.http), io("method", v.method), io("body", v.body), io("tcp", v.tcp);
  io("grpc", v.grpc), io("h2ping", v.h2ping), io("header", v.header), io("disable_redirects", v.disable_redirects);
  io("tls_skip_verify", v.tls_skip_verify), io("grpc_use_tls", v.grpc_use_tls),
      io("tls_server_name", v.tls_server_name);
  io("script_args", v.script_args), io("docker_container_id", v.docker_container_id), io("shell", v.shell);
  io("alias_node", v.alias_node), io("alias_service", v.alias_service);
  io("interval", v.interval), io("timeout", v.timeout), io("ttl", v.ttl);
  io("deregister_critical_after", v.deregister_critical_after);
  io("success_before_passing", v.success_before_passing), io("failures_before_critical", v.failures_before_critical);
  io("output_max_bytes", v.output_max_bytes);
}

template <class Archive, IsOf<Check> T>
void fields(Archive& io, T& v) {
  io("node", v.node), io("id", v.id), io("name", v.name), io("status", v.status), io("notes", v.notes);
  io("output", v.output), io("service_id", v.service_id), io("service_name", v.service_name);
  io("service_tags", v.service_tags), io("type", v.type), io("interval", v.interval), io("timeout", v.timeout);
  io("agent_owned", v.agent_owned), io("definition", v.definition);
  io("create_index", v.create_index), io("modify_index", v.modify_index);
}

template <class Archive, IsOf<Session> T>
void fields(Archive& io, T& v) {
  io("id", v.id), io("name", v.name), io("node", v.node), io("lock_delay", v.lock_delay), io("behavior", v.behavior);
  io("ttl", v.ttl), io("node_checks", v.node_checks), io("service_checks", v.service_checks);
  io("checks", v.checks), io("service_checks_given", v.service_checks_given);
  io("create_index", v.create_index), io("modify_index", v.modify_index);
}

template <class Archive, IsOf<PreparedQuery> T>
void fields(Archive& io, T& v) {
  io("id", v.id), io("name", v.name), io("session", v.session), io("definition", v.definition);
  io("create_index", v.create_index), io("modify_index", v.modify_index);
}

template <class T>
std::string write(const T& value) {
  Writing out;
  fields(out, value);
  return std::move(out).text();
}

/// `value` holds what absent members mean.
template <class T>
Result<T> read(std::string_view text, T value) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // outputs of checks are bytes
  options.max_depth = 16;
  try {
    const auto parsed = json::parse(json::string_view(text.data(), text.size()), {}, options);
    Reading in(parsed.as_object());
    fields(in, value);
    return value;
  } catch (const std::exception& error) {
    return fail(Errc::parse, "a stored row is not readable: {}", error.what());
  }
}

}  // namespace

std::string to_body(const Node& node) { return write(node); }
std::string to_body(const Service& service) { return write(service); }
std::string to_body(const Check& check) { return write(check); }
std::string to_body(const Session& session) { return write(session); }
std::string to_body(const PreparedQuery& query) { return write(query); }

template <>
Result<Node> from_body<Node>(std::string_view text) {
  return read(text, Node{});
}
template <>
Result<Service> from_body<Service>(std::string_view text) {
  return read(text, Service{});
}
template <>
Result<Check> from_body<Check>(std::string_view text) {
  return read(text, Check{});
}
template <>
Result<Session> from_body<Session>(std::string_view text) {
  return read(text, Session{});
}
template <>
Result<PreparedQuery> from_body<PreparedQuery>(std::string_view text) {
  return read(text, PreparedQuery{});
}

}  // namespace devstack::registry
