// From the stack file's text to what `answer` takes.
#include <algorithm>

#include "core/dns/server.h"

namespace devstack::dns {
namespace {

std::uint32_t seconds(std::chrono::seconds value) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value.count(), 0, 0x7fffffff));
}

}  // namespace

Result<AnswerOptions> answer_options(const DnsOptions& options) {
  AnswerOptions out;
  for (const auto& domain : options.domains) {
    auto name = Name::parse(domain);
    if (!name || name->is_root()) return fail(Errc::invalid_argument, "dns domain \"{}\" is no domain name", domain);
    out.domains.push_back(std::move(*name));
  }
  if (out.domains.empty()) return fail(Errc::invalid_argument, "the DNS server needs a domain, such as consul");
  out.datacenter = to_lower(options.datacenter);
  out.node = options.node;
  TRY(out.records, fixed_records(options.records));
  out.recursion = !options.recursors.empty() || !options.servers.empty();
  out.node_ttl = seconds(options.node_ttl);
  for (const auto& [name, ttl] : options.service_ttl) out.service_ttl[to_lower(name)] = seconds(ttl);
  out.only_passing = options.only_passing;
  out.udp_answer_limit = options.udp_answer_limit;
  out.a_record_limit = options.a_record_limit;
  out.node_meta_txt = options.node_meta_txt;
  return out;
}

}  // namespace devstack::dns
