#include <algorithm>

#include "core/stack/read.h"

namespace devstack::stack {
namespace {

/// Depth first; what is on `path` again is a cycle.
class Order {
 public:
  explicit Order(const std::map<std::string, ServiceSpec>& services) : services_(services) {}

  Result<void> visit(const std::string& name) {
    if (std::find(done_.begin(), done_.end(), name) != done_.end()) return {};
    if (const auto seen = std::find(path_.begin(), path_.end(), name); seen != path_.end()) {
      std::vector<std::string> cycle(seen, path_.end());
      cycle.push_back(name);
      return fail(Errc::stack_file, "services wait for each other: {}", fmt::join(cycle, " -> "));
    }
    const auto& service = services_.at(name);
    path_.push_back(name);
    auto dependencies = service.depends_on;
    std::sort(dependencies.begin(), dependencies.end(),
              [](const Dependency& a, const Dependency& b) { return a.service < b.service; });
    for (const auto& dependency : dependencies) {
      if (services_.contains(dependency.service)) {
        CHECK(visit(dependency.service));
      } else if (dependency.required) {
        return fail_at(service.at, Errc::stack_file, "services.{}: depends on \"{}\", which is not defined", name,
                       dependency.service);
      }
    }
    path_.pop_back();
    done_.push_back(name);
    return {};
  }

  std::vector<std::string> take() { return std::move(done_); }

 private:
  const std::map<std::string, ServiceSpec>& services_;
  std::vector<std::string> path_, done_;
};

}  // namespace

Result<std::vector<std::string>> start_order(const std::map<std::string, ServiceSpec>& services) {
  Order order(services);
  for (const auto& [name, service] : services) CHECK(order.visit(name));
  return order.take();
}

}  // namespace devstack::stack
