#include "core/api/connect.h"

#include <algorithm>

namespace devstack::api {

registry::Index connect_index(const registry::State& state, registry::Watch::Table table, std::string_view service,
                              const std::vector<registry::Instance>& instances) {
  // A proxy that leaves takes the index of its name along: the table of all instances has risen above it then.
  registry::Index index =
      std::max(state.index_of({table, std::string(service)}), state.index_of({registry::Watch::Table::services, ""}));
  for (const auto& instance : instances) index = std::max(index, state.index_of({table, instance.service->name}));
  return index;
}

}  // namespace devstack::api
