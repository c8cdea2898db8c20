#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/registrator/registrations.h"
#include "core/registry/registry.h"

namespace devstack::registrator {

/// The writing half of the registrator: knows which container stands behind which service id, and writes to the
/// registry what differs. Loop thread; calls for one container do not overlap (JobQueue sees to it).
class Registrar {
 public:
  /// Whether an id that another container also claims changes hands.
  enum class TakeOver { no, yes };

  Registrar(registry::RegistryView& view, registry::RegistryWriter& writer) : view_(view), writer_(writer) {}

  /// Makes the registry hold exactly `wanted` for this container; an empty list takes everything of it out. What
  /// was removed for being critical too long comes back with TakeOver::yes only.
  asio::awaitable<Result<void>> converge(std::string container, std::vector<Registration> wanted, TakeOver take_over);
  /// Takes out registrations of ours that no tracked container claims.
  asio::awaitable<Result<void>> sweep(std::string hostname, bool adopt_by_id);

  /// Called when `container` should be looked at again: an id it shares with another has become free.
  std::function<void(std::string container)> contested;

  [[nodiscard]] std::vector<std::string> containers() const;
  [[nodiscard]] std::size_t services() const { return owners_.size(); }
  /// For an engine that forgets sources: a differing source is no difference.
  void ignore_source() { compare_source_ = false; }

 private:
  asio::awaitable<Result<void>> write(Registration wanted);
  /// Whether somebody took the service out since it was written, and it has a check that asks for that
  /// (deregister_critical_after): it stays out until its container starts again, or both would go on for ever.
  [[nodiscard]] bool was_given_up(const Registration& wanted) const;
  /// Checks of ours that are not wanted any more; those that others put on the service stay.
  asio::awaitable<Result<void>> remove_stale_checks(Registration wanted, registry::ServicePtr present);
  asio::awaitable<Result<void>> release(std::string service_id, std::string container);
  asio::awaitable<Result<void>> deregister(std::string service_id, std::string check_id);
  [[nodiscard]] bool same(const registry::Service& wanted, const registry::Service& present) const;

  registry::RegistryView& view_;
  registry::RegistryWriter& writer_;
  std::map<std::string, std::set<std::string>> claims_;  ///< container -> service ids
  std::map<std::string, std::string> owners_;            ///< service id -> the container it stands for
  std::map<std::string, registry::Index> written_;       ///< service id -> the index at which it was known to be there
  bool compare_source_ = true;
};

}  // namespace devstack::registrator
