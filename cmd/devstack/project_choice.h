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

/// The instance that a word of a command means: SERVICE or UNIT of `project`, by their own names, or PROJECT/NAME of
/// any that is up. Its name stays what the supervisor knows it by only where the word names the project. Errors are
/// those of choose_project() and unit_of_service(). Pure.
Result<supervisor::UnitStatus> chosen_unit(const supervisor::Status& all, const std::string& project,
                                           const std::string& word, int index = 0);
/// All instances of what the words mean, in the order in which they start; without words, all of `project`. Pure.
Result<std::vector<supervisor::UnitStatus>> chosen_units(const supervisor::Status& all, const std::string& project,
                                                         const std::vector<std::string>& words);

/// The same service or unit as the supervisor knows it: PROJECT/NAME while several are up. Pure.
Result<std::string> unit_in(const supervisor::Status& all, const std::string& project, const std::string& word);

/// The supervisor as a command about one project sees it: that project's services, by their own names. `project` as
/// choose_project() takes it, whose errors these calls give beside those of the control API.
class ProjectClient {
 public:
  explicit ProjectClient(std::string project);
  [[nodiscard]] asio::awaitable<Result<supervisor::Status>> status() const;
  [[nodiscard]] asio::awaitable<Result<supervisor::UnitStatus>> unit(std::string word, int index) const;
  /// The same, which must be a container that exists (must_be_container()).
  [[nodiscard]] asio::awaitable<Result<supervisor::UnitStatus>> container(std::string word, int index) const;
  [[nodiscard]] asio::awaitable<Result<std::vector<supervisor::UnitStatus>>> units(
      std::vector<std::string> words) const;
  /// `order.name` is a word as above, or a component.
  asio::awaitable<Result<void>> carry_out(control::UnitOrder order) const;

 private:
  control::ControlClient client_;
  std::string project_;
};

}  // namespace devstack
