#pragma once

#include <string>

#include "core/api/api.h"
#include "core/dns/server.h"

namespace devstack {

/// The DNS server's rows of agent/metrics: consul.dns.domain_query and ptr_query as Consul has them (samples, labelled
/// with the node), and counters of ours: devstack.dns.answers by code, devstack.dns.sources by where they came from,
/// devstack.dns.names by name and code, for the names asked most that exist.
api::OutsideMetrics dns_metrics(const dns::DnsServer& server, const std::string& node);

}  // namespace devstack
