#include "cmd/devstack/dns_metrics.h"

namespace devstack {
namespace {

/// Clients choose names, and a metric with a million of them is a burden to whoever stores it.
constexpr std::size_t names_most = 100;

api::OutsideMetrics::Sum in_milliseconds(const dns::Times& times) {
  const auto ms = [](std::uint64_t us) { return static_cast<double>(us) / 1000; };
  return {times.count, ms(times.sum), static_cast<double>(times.squares) / 1e6, ms(times.least), ms(times.most)};
}

api::OutsideMetrics::Sample sample(std::string name, const std::string& node, const dns::DnsServer::Latency& latency) {
  return {std::move(name), {{"node", node}}, in_milliseconds(latency.finished), in_milliseconds(latency.total)};
}

std::string counted_code(std::size_t code) {
  return code + 1 == dns::NameCount::codes ? "other" : dns::code_name(code);
}

}  // namespace

api::OutsideMetrics dns_metrics(const dns::DnsServer& server, const std::string& node) {
  using Kind = dns::DnsServer::Kind;
  api::OutsideMetrics out;
  out.samples = {sample("consul.dns.domain_query", node, server.latency(Kind::own)),
                 sample("consul.dns.ptr_query", node, server.latency(Kind::reverse))};
  const auto counters = server.counters();
  for (std::size_t code = 0; code < counters.by_rcode.size(); ++code) {
    out.totals.push_back(
        {"devstack.dns.answers", {{"code", dns::code_name(code)}}, counters.by_rcode.at(code).value()});
  }
  std::size_t names = 0;
  for (const auto& name : server.names(dns::NameCounters::capacity)) {
    if (!name.ours) continue;
    if (++names > names_most) break;
    for (std::size_t code = 0; code < name.by_rcode.size(); ++code) {
      out.totals.push_back({"devstack.dns.names",
                            {{"code", counted_code(code)}, {"name", name.name.to_text()}},
                            name.by_rcode.at(code)});
    }
  }
  for (const auto source : {dns::Source::registry, dns::Source::cache, dns::Source::stale, dns::Source::upstream}) {
    out.totals.push_back(
        {"devstack.dns.sources", {{"source", std::string(to_string(source))}}, counters.of(source).value()});
  }
  return out;
}

}  // namespace devstack
