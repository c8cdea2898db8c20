#include "core/api/agent_ids.h"
#include "core/api/encode.h"
#include "core/api/handlers.h"
#include "core/api/select.h"

/// GET /v1/agent/health/service/*: one word about an instance, as a load balancer's check wants it.
/// https://developer.hashicorp.com/consul/api-docs/agent/service#get-local-service-health
namespace devstack::api {
namespace {

using registry::CheckPtr;
using registry::ServicePtr;

struct Health {
  std::string_view status;
  std::vector<CheckPtr> checks;
};

int severity(std::string_view status) {
  if (status == registry::status::maintenance) return 3;
  if (status == registry::status::critical) return 2;
  return status == registry::status::warning ? 1 : 0;
}

int http_code(std::string_view status) {
  constexpr int kCodes[] = {200, 429, 503, 503};
  return kCodes[severity(status)];
}

/// The worst of the agent's checks of the node and of the service; serfHealth is not the agent's.
Health health_of(const State& state, const registry::Service& service) {
  Health out{registry::status::passing, {}};
  for (const auto& check : state.checks_of_node(service.node)) {
    if (!check->agent_owned || (!check->service_id.empty() && check->service_id != service.id)) continue;
    const std::string_view status =
        check->type == "maintenance" ? registry::status::maintenance : std::string_view(check->status);
    if (severity(status) > severity(out.status)) out.status = status;
    out.checks.push_back(check);
  }
  return out;
}

bool wants_text(const Call& call) {
  if (call.param("format") == "text") return true;
  const auto accept = call.request.headers.get("Accept");
  return accept && accept->starts_with("text/plain");
}

void write_health(JsonWriter& out, const registry::Service& service, const Health& health,
                  std::string_view datacenter) {
  out.open_object();
  out.field("AggregatedStatus", health.status);
  out.key("Service");
  write_agent_service(out, service, datacenter, "");
  out.key("Checks");
  out.open_array();
  for (const auto& check : health.checks) write_agent_health_check(out, *check);
  out.close_array();
  out.close_object();
}

void set_status(Answer& answer, int code, std::string_view reason) {
  answer.status = code;
  answer.headers.emplace_back("X-Consul-Reason", reason);
}

}  // namespace

void agent_health_by_id(const Call& call, const State& state, Answer& answer) {
  const auto id = agent_id(call);
  if (!id) return answer.refuse(id.error());
  if (id->empty()) return answer.refuse(500, "Bad request: Missing serviceID");
  const auto identity = call.backend.writer.identity();
  const auto service = agent_service_of(state, identity.node, *id);
  if (service == nullptr) {
    set_status(answer, 404, fmt::format("ServiceId {} not found", *id));
    answer.body = wants_text(call) ? fmt::format("ServiceId {} not found", *id)
                                   : R"({"AggregatedStatus":"critical","Service":null,"Checks":null})";
    return;
  }
  const auto health = health_of(state, *service);
  set_status(answer, http_code(health.status), health.status);
  if (wants_text(call)) {
    answer.body = health.status;
    answer.content_type = "text/plain";
    return;
  }
  JsonWriter out;
  write_health(out, *service, health, identity.datacenter);
  answer.body = out.take();
}

void agent_health_by_name(const Call& call, const State& state, Answer& answer) {
  const auto name = agent_id(call);
  if (!name) return answer.refuse(name.error());
  if (name->empty()) return answer.refuse(500, "Bad request: Missing service Name");
  const auto identity = call.backend.writer.identity();
  std::string_view worst = registry::status::passing;
  bool found = false;
  JsonWriter out;
  out.open_array();
  for (const auto& service : state.services_of(identity.node)) {
    if (!service->agent_owned || service->name != *name) continue;
    const auto health = health_of(state, *service);
    if (severity(health.status) > severity(worst)) worst = health.status;
    write_health(out, *service, health, identity.datacenter);
    found = true;
  }
  out.close_array();
  const auto missing = fmt::format("ServiceName {} Not Found", *name);
  set_status(answer, found ? http_code(worst) : 404, found ? worst : std::string_view(missing));
  answer.body = out.take();
  if (!wants_text(call)) return;
  answer.content_type = "text/plain";
  answer.body = found ? std::string(worst) : missing;
}

}  // namespace devstack::api
