#include <algorithm>

#include "core/api/decode.h"
#include "core/api/encode.h"
#include "core/api/handlers.h"
#include "core/api/uuid.h"
#include "core/base/duration.h"

/// /v1/session/*. https://developer.hashicorp.com/consul/api-docs/session
namespace devstack::api {
namespace {

using registry::Session;
using Table = Watch::Table;
namespace json = boost::json;

constexpr std::chrono::hours kLongestTtl{24};

/// A number below 1000 means seconds, else nanoseconds.
void read_lock_delay(Fields& fields, Session& session) {
  const auto* value = fields.find("LockDelay");
  if (value != nullptr && value->is_int64() && value->get_int64() < 1000) {
    // Less than no delay is none; so many seconds less than none would not fit.
    session.lock_delay = std::chrono::seconds(std::max<std::int64_t>(value->get_int64(), -1));
  } else {
    fields.read("LockDelay", session.lock_delay);
  }
}

void read_service_checks(Fields& fields, Session& session) {
  const auto* value = fields.find("ServiceChecks");
  if (value == nullptr || !value->is_array()) return;
  for (const auto& element : value->get_array()) {
    Fields check(element, "ServiceCheck");
    std::string id;
    check.read("ID", id);
    if (auto done = check.done(Unknown::ignore); !done) fields.set_error(done.error());
    if (!id.empty()) session.service_checks.push_back(std::move(id));
  }
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
    Fields fields(*value, "Session");
    std::string node;
    std::vector<std::string> legacy;
    fields.read("Name", session.name);
    fields.read("Node", node);
    fields.read("Behavior", behavior);
    fields.read("TTL", session.ttl);
    const bool has_legacy = fields.find("Checks") != nullptr;
    fields.read("Checks", legacy);
    const bool has_checks = fields.find("NodeChecks") != nullptr;
    if (has_legacy || has_checks) session.node_checks.clear();
    fields.read("NodeChecks", session.node_checks);
    session.node_checks.insert(session.node_checks.end(), legacy.begin(), legacy.end());
    read_lock_delay(fields, session);
    read_service_checks(fields, session);
    if (auto done = fields.done(Unknown::ignore); !done) {
      return fail(Errc::parse, "Request decode failed: {}", done.error().message);
    }
    if (!node.empty()) session.node = node;
  }
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

tl::unexpected<Error> malformed_id() {
  return fail(Errc::failed, "failed session lookup: index error: UUID must be 36 characters");
}

}  // namespace

void session_info(const Call& call, const State& state, Answer& answer) {
  if (call.rest.empty()) return answer.refuse(400, "Missing session");
  if (call.rest.size() != 36) return answer.refuse(malformed_id().value());
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
  if (call.rest.empty()) co_return http::text(400, "Missing session");
  if (call.rest.size() != 36) co_return respond(malformed_id().value());
  const auto session = call.backend.view.snapshot()->session(call.rest);
  if (session == nullptr) co_return http::text(404, fmt::format("Session id '{}' not found", call.rest));
  call.backend.options.renew_session(session->id);
  Answer answer;
  write_sessions({session}, answer);
  co_return http::json(200, std::move(answer.body));
}

asio::awaitable<http::Response> session_destroy(const Call& call) {
  if (call.rest.empty()) co_return http::text(400, "Missing session");
  registry::SessionDestroyCommand command;
  command.id = call.rest;
  registry::Command posted = std::move(command);
  const auto result = co_await call.backend.writer.apply(std::move(posted));
  if (!result) co_return respond(result.error());
  co_return boolean(true);
}

}  // namespace devstack::api
