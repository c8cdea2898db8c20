#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

/// What the registry knows of services, read from Consul's health endpoint and told to people and programs. Pure.
/// https://developer.hashicorp.com/consul/api-docs/health#list-service-instances-for-service
namespace devstack {

struct ServiceCheck {
  std::string id;
  std::string name;
  std::string status;  ///< passing, warning, critical
  std::string output;
};

struct ServiceInstance {
  std::string id;
  std::string node;
  std::string address;  ///< "172.17.0.5:80"; the node's where the service has none, no port where it is 0
  std::string status;   ///< maintenance, else the worst of its checks: critical, warning, passing
  std::vector<std::string> tags;
  std::vector<ServiceCheck> checks;
};

struct ServiceSummary {
  std::string name;
  std::size_t instances = 0;
  std::size_t passing = 0;
  std::vector<std::string> addresses;  ///< one an instance
  std::vector<std::string> tags;       ///< of any instance, sorted
};

/// The names in the body of GET /v1/catalog/services, sorted.
Result<std::vector<std::string>> parse_service_names(std::string_view body);
/// The body of GET /v1/health/service/NAME.
Result<std::vector<ServiceInstance>> parse_instances(std::string_view body);
ServiceSummary summarise(std::string name, const std::vector<ServiceInstance>& instances);

/// NAME INSTANCES PASSING ADDRESSES TAGS.
std::string services_table(const std::vector<ServiceSummary>& services);
/// ID NODE ADDRESS STATUS TAGS, below each instance its checks.
std::string instances_text(const std::vector<ServiceInstance>& instances);
std::string services_json(const std::vector<ServiceSummary>& services);
std::string instances_json(const std::vector<ServiceInstance>& instances);

}  // namespace devstack
