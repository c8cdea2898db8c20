#include "core/stack/images.h"

#include <algorithm>

namespace devstack::stack {

std::string image_name(const ServiceSpec& service, const std::string& project) {
  return service.image.empty() ? project + "-" + service.name : service.image;
}

std::vector<ServiceSpec> by_image(const ServiceSpec& service) {
  std::vector<ServiceSpec> found{service};
  for (const auto& step : service.pre_start) {
    const auto same = [&](const ServiceSpec& known) { return known.image == step.image; };
    if (step.image.empty() || std::any_of(found.begin(), found.end(), same)) continue;
    auto& made = found.emplace_back(service);
    made.image = step.image;
    made.build.reset();
  }
  return found;
}

}  // namespace devstack::stack
