#include "core/dns/queries_json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace devstack::dns {
namespace {

namespace json = boost::json;

constexpr std::size_t names_most = 50;

template <class Counts, class Value>
json::object codes(const Counts& counts, Value value) {
  json::object out;
  for (std::size_t code = 0; code < counts.size(); ++code) {
    if (const std::uint64_t count = value(counts.at(code)); count > 0) out[code_name(code)] = count;
  }
  return out;
}

json::object query(const LoggedQuery& logged) {
  return {{"time", logged.unix_us / 1000}, {"client", logged.client.to_string()}, {"name", logged.name.to_text()},
          {"type", to_text(logged.type)},  {"code", to_text(logged.rcode)},       {"source", to_string(logged.source)},
          {"us", logged.latency_us}};
}

json::object name_count(const NameCount& count) {
  json::object by_code = codes(count.by_rcode, [](std::uint64_t n) { return n; });
  // The last one stands for all codes that are not counted apart.
  constexpr std::size_t others = NameCount::codes - 1;
  if (by_code.erase(code_name(others)) > 0) by_code["other"] = count.by_rcode.at(others);
  return {{"name", count.name.to_text()}, {"total", count.total()}, {"codes", std::move(by_code)}};
}

}  // namespace

std::string queries_json(const DnsServer& server, std::uint64_t after) {
  json::object out;
  json::array queries;
  for (const auto& logged : server.log().since(after)) queries.push_back(query(logged));
  out["next"] = after;
  out["queries"] = std::move(queries);
  const auto counters = server.counters();
  out["total"] = counters.queries();
  out["codes"] = codes(counters.by_rcode, [](const Counter& one) { return one.value(); });
  json::object sources;
  for (const auto source : {Source::registry, Source::cache, Source::stale, Source::upstream}) {
    sources[to_string(source)] = counters.of(source).value();
  }
  out["sources"] = std::move(sources);
  json::array names;
  for (const auto& name : server.names(names_most)) names.push_back(name_count(name));
  out["names"] = std::move(names);
  json::array workers;
  for (const auto& one : server.counters_by_worker()) workers.push_back(one.queries());
  out["workers"] = std::move(workers);
  return json::serialize(out);
}

}  // namespace devstack::dns
