#pragma once

#include "core/base/async/component.h"
#include "core/supervisor/backend.h"

namespace devstack::supervisor {

/// A part of the appliance as a unit. It has no end of its own: only start() and stop() change it.
class ComponentUnit final : public Backend {
 public:
  ComponentUnit(Component& component, std::function<void()> changed);
  ~ComponentUnit() override;
  asio::awaitable<Result<UnitEvent>> launch() override;
  asio::awaitable<Result<void>> halt(Grace grace) override;
  void describe(UnitStatus& status) const override;
  /// Why the last launch failed, with its code; the machine keeps only the text.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  Component& component_;
  std::optional<Error> error_;
  std::int64_t started_at_ = 0;
};

}  // namespace devstack::supervisor
