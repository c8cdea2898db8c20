#include "core/proxy/engine.h"

#include <algorithm>

namespace devstack::proxy {

bool only_backends_differ(const Model& from, const Model& to) {
  const auto same_name = [](const Route& a, const Route& b) { return a.service == b.service && a.hosts == b.hosts; };
  return from.bind == to.bind && from.port == to.port && from.extra == to.extra &&
         std::equal(from.routes.begin(), from.routes.end(), to.routes.begin(), to.routes.end(), same_name);
}

BackendChanges backend_changes(const Model& from, const Model& to) {
  BackendChanges changes;
  const auto missing_in = [](const Route& route, const Route& other, std::vector<BackendChange>& out) {
    for (const auto& backend : route.backends) {
      if (!std::binary_search(other.backends.begin(), other.backends.end(), backend)) {
        out.push_back({route.service, backend});
      }
    }
  };
  for (std::size_t i = 0; i < from.routes.size() && i < to.routes.size(); ++i) {
    missing_in(to.routes[i], from.routes[i], changes.add);
    missing_in(from.routes[i], to.routes[i], changes.remove);
  }
  return changes;
}

}  // namespace devstack::proxy
