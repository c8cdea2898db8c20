#include <algorithm>

#include "core/api/blocking.h"
#include "core/api/decode.h"
#include "core/api/encode.h"
#include "core/api/handlers.h"
#include "core/api/uuid.h"
#include "core/base/duration.h"
#include "core/registry/uuid.h"

/// /v1/session/*. https://developer.hashicorp.com/consul/api-docs/session
namespace devstack::api {
namespace {

using registry::Session;
using Table = Watch::Table;
namespace json = boost::json;

constexpr std::chrono::hours kLongestTtl{24};

/// A number below 1000 means seconds, else nanoseconds; what is neither number nor text means none.
void read_lock_delay(Fields& fields, Session& session) {
  const auto* value = fields.find("LockDelay");
  if (value == nullptr) return;
  session.lock_delay = {};
  fields.read("LockDelay", session.lock_delay);
  constexpr std::chrono::nanoseconds kSeconds{1000};
  constexpr std::chrono::nanoseconds kLeast = -std::chrono::hours(24 * 365);
  if (session.lock_delay < kSeconds && session.lock_delay.count() > kLeast / std::chrono::seconds(1)) {
    session.lock_delay *= std::chrono::nanoseconds(std::chrono::seconds(1)).count();
  }
}

void read_service_checks(Fields& fields, Session& session) {
  const auto* value = fields.find("ServiceChecks");
  if (value == nullptr || !value->is_array()) return;
  session.service_checks_given = true;
  for (const auto& element : value->get_array()) {
    Fields check(element, "ServiceCheck");
    std::string id;
    check.read("ID", id);
    if (auto done = check.done(Unknown::ignore); !done) fields.set_error(done.error());
    if (!id.empty()) session.service_checks.push_back(std::move(id));
  }
}

/// NodeChecks and its older spelling, Checks. Each stands for serfHealth until it is given, be it as null; an empty
/// older one empties the newer, one that says nothing new is forgotten.
void read_node_checks(Fields& fields, const json::value& body, Session& session) {
  const std::vector<std::string> usual = {"serfHealth"};
  const auto checks = [&](std::string_view name) {
    std::vector<std::string> list;
    fields.read(name, list);
    return has_member(body, name) ? list : usual;
  };
  session.node_checks = checks("NodeChecks");
  const auto older = checks("Checks");
  if (older.empty()) session.node_checks.clear();
  if (older != usual && !session.node_checks.empty()) session.checks = older;
}

/// TTL and behaviour, with the texts of Consul's session endpoint.
Result<void> check_session(const Session& session, std::string_view behavior, std::chrono::nanoseconds ttl_min) {
  if (!behavior.empty() && behavior != "release" && behavior != "delete") {
    return fail(Errc::failed, "Invalid Behavior setting '{}'", behavior);
  }
  if (session.ttl.empty()) return {};
  const auto ttl = parse_duration(session.ttl);
  if (!ttl) return fail(Errc::failed, "Session TTL '{}' invalid: {}", session.ttl, ttl.error().message);
  if (ttl->count() != 0 && (*ttl < ttl_min || *ttl > kLongestTtl)) {
    return fail(Errc::failed, "Invalid Session TTL '{}', must be between [{}={}]", ttl->count(),
                format_duration(ttl_min), format_duration(kLongestTtl));
  }
  return {};
}

/// Errc::parse is the 400 of a body that is not one.
Result<Session> read_session(const Call& call) {
  Session session;
  session.id = new_uuid();
  session.node = call.backend.writer.identity().node;
  session.node_checks = {"serfHealth"};
  std::string behavior;
  if (!call.request.body.empty()) {
    auto value = parse_json(call.request.body);
    if (!value) return fail(Errc::parse, "Request decode failed: {}", value.error().message);
    Fields fields(*value, "");
    fields.read("Name", session.name);
    fields.read("Node", session.node);
    fields.read("Behavior", behavior);
    fields.read("TTL", session.ttl);
    read_node_checks(fields, *value, session);
    read_lock_delay(fields, session);
    read_service_checks(fields, session);
    if (auto done = fields.done(Unknown::ignore); !done) {
      return fail(Errc::parse, "Request decode failed: {}", done.error().message);
    }
  }
  if (session.node.empty()) return fail(Errc::failed, "Must provide Node");
  CHECK(check_session(session, behavior, call.backend.options.session_ttl_min));
  if (behavior == "delete") session.behavior = Session::Behavior::remove;
  return session;
}

void write_sessions(const std::vector<registry::SessionPtr>& sessions, Answer& answer) {
  JsonWriter out;
  out.open_array();
  for (const auto& session : sessions) write_session(out, *session);
  out.close_array();
  answer.body = out.take();
}

/// What looking up a malformed id says, "" for one that is well formed.
std::string bad_id(std::string_view id) {
  const auto why = registry::uuid_lookup_error(id);
  return why.empty() ? "" : "failed session lookup: index error: " + why;
}

}  // namespace

void session_info(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing session");
  if (auto why = bad_id(call.rest); !why.empty()) return answer.refuse(500, std::move(why));
  answer.index = state.index_of({Table::sessions, ""});
  const auto session = state.session(call.rest);
  write_sessions(session == nullptr ? std::vector<registry::SessionPtr>{} : std::vector{session}, answer);
}

void session_list(const Call&, const State& state, Answer& answer) {
  answer.index = state.index_of({Table::sessions, ""});
  write_sessions(state.sessions(), answer);
}

void session_node(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing node name");
  answer.index = state.index_of({Table::sessions, ""});
  write_sessions(state.sessions_of_node(call.rest), answer);
}

std::vector<Watch> watch_sessions(const Call&) { return {{Table::sessions, ""}}; }

asio::awaitable<http::Response> session_create(const Call& call) {
  auto session = read_session(call);
  if (!session) co_return respond(session.error());
  JsonWriter out;
  out.open_object();
  out.field("ID", session->id);
  out.close_object();
  registry::SessionCreateCommand command;
  command.session = std::move(*session);
  registry::Command posted = std::move(command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result) co_return respond(result.error());
  co_return http::json(200, out.take());
}

asio::awaitable<http::Response> session_renew(const Call& call) {
  if (const auto options = read_options(call.query); !options) co_return http::text(400, options.error().message);
  if (call.rest.empty()) co_return http::text(400, "Missing session");
  if (auto why = bad_id(call.rest); !why.empty()) co_return http::text(500, std::move(why));
  const auto session = call.backend.view.snapshot()->session(call.rest);
  if (session == nullptr) co_return http::text(404, fmt::format("Session id '{}' not found", call.rest));
  call.backend.options.renew_session(session->id);
  Answer answer;
  write_sessions({session}, answer);
  co_return http::json(200, std::move(answer.body));
}

asio::awaitable<http::Response> session_destroy(const Call& call) {
  if (call.rest.empty()) co_return http::text(400, "Missing session");
  if (auto why = bad_id(call.rest); !why.empty()) co_return http::text(500, "apply failed: " + why);
  registry::SessionDestroyCommand command;
  command.id = call.rest;
  registry::Command posted = std::move(command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result) co_return respond(result.error());
  co_return boolean(true);
}

}  // namespace devstack::api
