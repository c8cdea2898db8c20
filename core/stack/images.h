#pragma once

#include <string>
#include <vector>

#include "core/stack/service_spec.h"

/// The images that a stack needs, by name. Pure; any thread.
namespace devstack::stack {

/// The image of a service: what it names, or "<project>-<service>" for one that is built.
std::string image_name(const ServiceSpec& service, const std::string& project);

/// The service, followed by itself with the image of each `pre_start` step that names one of its own (and so is not
/// built): one for each image that its containers are made from.
std::vector<ServiceSpec> by_image(const ServiceSpec& service);

}  // namespace devstack::stack
