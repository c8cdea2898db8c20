#include <boost/json/serialize.hpp>

#include "core/stack/describe.h"

namespace devstack::stack {
namespace {

/// FNV-1a with 128 bits: enough to tell configurations apart, not a seal. http://www.isthe.com/chongo/tech/comp/fnv/
std::string fnv1a_128(std::string_view text) {
  __extension__ using Wide = unsigned __int128;
  const Wide prime = (Wide{1} << 88U) + 0x13B;
  Wide hash = (Wide{0x6C62272E07BB0142ULL} << 64U) + 0x62B821756295C58DULL;
  for (const unsigned char byte : text) {
    hash ^= byte;
    hash *= prime;
  }
  return fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(hash >> 64U), static_cast<std::uint64_t>(hash));
}

/// What can change while the container or process stays.
ServiceSpec made_from(ServiceSpec service) {
  service.build.reset();
  service.pull_policy.clear();
  service.scale = 1;
  service.depends_on.clear();
  service.profiles.clear();
  service.wait_for = {};
  service.watch.clear();
  service.attach = true;
  return service;
}

}  // namespace

std::string config_hash(const ServiceSpec& service, UnitKind kind, std::string_view granted) {
  std::string content = kind == UnitKind::container ? "container " : "process ";
  content += boost::json::serialize(describe(made_from(service)));
  if (!granted.empty()) content += granted;
  return "1:" + fnv1a_128(content);
}

}  // namespace devstack::stack
