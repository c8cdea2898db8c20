#pragma once

#include <string>

namespace devstack {

/// Says which networks of a project, and where they were to go which of its volumes, a `down` has left because
/// containers that stay use them. Main thread; nothing where no engine answers.
void warn_of_what_is_in_use(const std::string& project, bool volumes);

}  // namespace devstack
