#pragma once

#include <string>
#include <vector>

#include "cmd/devstack/command.h"
#include "core/control/client.h"
#include "core/supervisor/status.h"

/// Which of the projects that are up side by side a command is about.
namespace devstack {

/// -p, else the project of the stack file that is found from here; "" when there is none that can be read. It need not
/// be up.
std::string named_project(const Globals& globals);

/// `named`, or without it the only one that is up. Errc::not_found when `named` is not up, Errc::conflict when it could
/// be any of several; both say what is up. Pure.
Result<std::string> choose_project(const std::vector<std::string>& up, const std::string& named);

std::vector<std::string> project_names(const supervisor::Status& status);

/// A service or unit as the supervisor knows it: NAME of `project` is PROJECT/NAME while several are up. Pure.
std::string unit_in(const supervisor::Status& status, const std::string& project, const std::string& name);

/// The supervisor as a command about one project sees it: that project's services, by their own names. Where it is not
/// up (or is ""), all there is.
class ProjectClient {
 public:
  explicit ProjectClient(std::string project);
  [[nodiscard]] asio::awaitable<Result<supervisor::Status>> status() const;
  asio::awaitable<Result<void>> carry_out(control::UnitOrder order) const;

 private:
  control::ControlClient client_;
  std::string project_;
};

}  // namespace devstack
