#include "cmd/devstack/services_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "cmd/devstack/consul_json.h"
#include "cmd/devstack/table.h"
#include "cmd/devstack/terminal.h"
#include "core/api/json_writer.h"

namespace devstack {
namespace {

namespace json = boost::json;

/// How bad a check is; instances and services are as bad as their worst.
int badness(std::string_view status) {
  if (status == "passing") return 0;
  return status == "warning" ? 1 : 2;
}

std::string worst(const std::vector<ServiceCheck>& checks) {
  std::string out = "passing";
  for (const auto& check : checks) {
    // What Consul puts a node or service into maintenance with.
    if (check.id == "_node_maintenance" || check.id.starts_with("_service_maintenance:")) return "maintenance";
    if (badness(check.status) > badness(out)) out = check.status;
  }
  return out;
}

std::string place(const json::object& node, const json::object& service) {
  std::string address = consul_json::text(service, "Address");
  if (address.empty()) address = consul_json::text(node, "Address");
  const auto port = consul_json::number(service, "Port");
  if (port == 0) return address;
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                : fmt::format("[{}]:{}", address, port);
}

std::string listed(const std::vector<std::string>& values, std::size_t most, std::string_view separator) {
  if (values.empty()) return "-";
  std::string out;
  for (std::size_t i = 0; i < std::min(most, values.size()); ++i) {
    out += (i == 0 ? "" : std::string(separator)) + terminal::printable(values[i]);
  }
  if (values.size() > most) out += fmt::format(" (+{} more)", values.size() - most);
  return out;
}

std::string coloured(const std::string& status) {
  if (status == "passing") return terminal::good(status);
  return status == "critical" ? terminal::bad(status) : terminal::warn(status);
}

std::string check_line(const ServiceCheck& check) {
  const auto end = check.output.find_last_not_of(" \r\n");
  const std::string output = end == std::string::npos ? "" : check.output.substr(0, end + 1);
  const std::string line = fmt::format("    {}  {}", coloured(check.status),
                                       terminal::printable(check.name.empty() ? check.id : check.name));
  return line + (output.empty() ? "" : terminal::dim(": " + terminal::printable(output))) + "\n";
}

}  // namespace

Result<std::vector<std::string>> parse_service_names(std::string_view body) {
  TRY(const auto value, consul_json::parse(body));
  const auto* object = value.if_object();
  if (object == nullptr) return fail(Errc::parse, "what answered is no Consul: its services are no map");
  std::vector<std::string> out;
  for (const auto& field : *object) out.emplace_back(field.key().data(), field.key().size());
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::vector<ServiceInstance>> parse_instances(std::string_view body) {
  TRY(const auto entries, consul_json::objects(body));
  std::vector<ServiceInstance> out;
  for (const auto& entry : entries) {
    const auto& node = consul_json::child(entry, "Node");
    const auto& service = consul_json::child(entry, "Service");
    ServiceInstance instance;
    instance.id = consul_json::text(service, "ID");
    instance.node = consul_json::text(node, "Node");
    instance.address = place(node, service);
    instance.tags = consul_json::strings(service, "Tags");
    if (const auto* checks = entry.if_contains("Checks"); checks != nullptr && checks->is_array()) {
      for (const auto& value : checks->as_array()) {
        const json::object check = value.is_object() ? value.as_object() : json::object();
        instance.checks.push_back({consul_json::text(check, "CheckID"), consul_json::text(check, "Name"),
                                   consul_json::text(check, "Status"), consul_json::text(check, "Output")});
      }
    }
    instance.status = worst(instance.checks);
    out.push_back(std::move(instance));
  }
  return out;
}

ServiceSummary summarise(std::string name, const std::vector<ServiceInstance>& instances) {
  ServiceSummary out;
  out.name = std::move(name);
  out.instances = instances.size();
  std::set<std::string> tags;
  for (const auto& instance : instances) {
    out.passing += instance.status == "passing" ? 1 : 0;
    out.addresses.push_back(instance.address);
    tags.insert(instance.tags.begin(), instance.tags.end());
  }
  out.tags.assign(tags.begin(), tags.end());
  return out;
}

std::string services_table(const std::vector<ServiceSummary>& services) {
  if (services.empty()) return "no services in this registry\n";
  Table table({"NAME", "INSTANCES", "PASSING", "ADDRESSES", "TAGS"});
  for (const auto& service : services) {
    const std::string passing = std::to_string(service.passing);
    table.add({{terminal::printable(service.name)},
               {std::to_string(service.instances)},
               {passing, service.passing == service.instances ? terminal::good(passing) : terminal::bad(passing)},
               {listed(service.addresses, 3, ", ")},
               {listed(service.tags, 8, ",")}});
  }
  return table.text();
}

std::string instances_text(const std::vector<ServiceInstance>& instances) {
  Table table({"ID", "NODE", "ADDRESS", "STATUS", "TAGS"});
  for (const auto& instance : instances) {
    std::string checks;
    for (const auto& check : instance.checks) checks += check_line(check);
    table.add({{terminal::printable(instance.id)},
               {terminal::printable(instance.node)},
               {terminal::printable(instance.address)},
               {instance.status, coloured(instance.status)},
               {listed(instance.tags, 8, ",")}},
              checks);
  }
  return table.text();
}

std::string services_json(const std::vector<ServiceSummary>& services) {
  api::JsonWriter out;
  out.open_array();
  for (const auto& service : services) {
    out.open_object();
    out.field("name", service.name);
    out.field("instances", std::uint64_t{service.instances});
    out.field("passing", std::uint64_t{service.passing});
    out.field("addresses", service.addresses);
    out.field("tags", service.tags);
    out.close_object();
  }
  out.close_array();
  return out.take();
}

std::string instances_json(const std::vector<ServiceInstance>& instances) {
  api::JsonWriter out;
  out.open_array();
  for (const auto& instance : instances) {
    out.open_object();
    out.field("id", instance.id);
    out.field("node", instance.node);
    out.field("address", instance.address);
    out.field("status", instance.status);
    out.field("tags", instance.tags);
    out.key("checks");
    out.open_array();
    for (const auto& check : instance.checks) {
      out.open_object();
      out.field("id", check.id);
      out.field("name", check.name);
      out.field("status", check.status);
      out.field("output", check.output);
      out.close_object();
    }
    out.close_array();
    out.close_object();
  }
  out.close_array();
  return out.take();
}

}  // namespace devstack
