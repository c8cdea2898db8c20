#include "core/health/output_tail.h"

#include <fmt/format.h>

namespace devstack::health {
void OutputTail::append(std::string_view piece) {
  if (piece.size() > limit_) piece.remove_prefix(piece.size() - limit_);
  kept_.append(piece);
  // Cut in large steps: a long body comes in many pieces.
  if (kept_.size() > 2 * limit_) kept_.erase(0, kept_.size() - limit_);
}

std::string OutputTail::take() {
  if (kept_.size() > limit_) kept_.erase(0, kept_.size() - limit_);
  return std::exchange(kept_, {});
}

std::string captured_text(std::string tail, std::uint64_t written) {
  if (written <= tail.size()) return tail;
  return fmt::format("Captured {} of {} bytes\n...\n{}", tail.size(), written, tail);
}

}  // namespace devstack::health
