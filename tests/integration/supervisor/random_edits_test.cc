// Plans that change at random and in bursts: at the end the engine has what the last one wants, and nothing else.
#include <random>

#include "tests/integration/supervisor/stack_fixture.h"

namespace devstack::supervisor {
namespace {

class RandomEditsTest : public SupervisorTest {
 protected:
  struct Service {
    int scale = 1;
    int edition = 0;
    bool depends = false;
  };
  using Wanted = std::map<std::string, Service>;

  stack::Plan plan_of(const Wanted& wanted) const {
    std::vector<stack::PlannedUnit> units;
    for (const auto& [name, service] : wanted) {
      for (int number = 1; number <= service.scale; ++number) {
        auto unit = container(name, "exec sleep 1000");
        unit.number = number;
        if (number > 1) unit.name += "-" + std::to_string(number);
        unit.spec.environment["EDITION"] = std::to_string(service.edition);
        unit.config_hash = "1:" + name + std::to_string(service.edition);
        if (service.depends && name != "a" && wanted.contains("a")) {
          depend(unit, "a", stack::DependencyCondition::started);
        }
        units.push_back(std::move(unit));
      }
    }
    return plan(std::move(units));
  }
  /// "name hash" of each container that runs, sorted.
  std::string running() const {
    return shell("docker ps --filter label=io.devstack.project=" + project +
                 " --format '{{.Names}} {{.Label \"io.devstack.config-hash\"}}' | sort");
  }
  std::string expected(const Wanted& wanted) const {
    std::vector<std::string> lines;
    for (const auto& [name, service] : wanted) {
      for (int number = 1; number <= service.scale; ++number) {
        lines.push_back(fmt::format("{}-{}-{} 1:{}{}", project, name, number, name, service.edition));
      }
    }
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const auto& line : lines) all += (all.empty() ? "" : "\n") + line;
    return all;
  }
};

TEST_F(RandomEditsTest, EndAtTheLastPlanWhateverCameBefore) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto pick = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); };
  Stack stack(dir.path());
  Wanted wanted;
  for (int burst = 0; burst < 5; ++burst) {
    const int edits = 1 + pick(5);
    for (int edit = 0; edit < edits; ++edit) {
      const std::string name(1, static_cast<char>('a' + pick(4)));
      switch (pick(4)) {
        case 0:
          wanted.erase(name);
          break;
        case 1:
          wanted[name].scale = 1 + pick(3);
          break;
        case 2:
          wanted[name].depends = !wanted[name].depends;
          break;
        default:
          ++wanted[name].edition;
      }
      stack.supervisor->apply(plan_of(wanted));
      // Somewhere in the middle of what the edit before it began.
      const auto moment = stack.supervisor->changed().version() + static_cast<unsigned>(pick(12));
      stack.eventually([&] { return stack.supervisor->changed().version() >= moment; }, 500ms);
    }
  }
  ASSERT_TRUE(stack.eventually([&] {
    return stack.supervisor->status().healthy &&
           stack.supervisor->status().services.size() == plan_of(wanted).units.size();
  }));
  EXPECT_EQ(running(), expected(wanted));
  EXPECT_EQ(containers("x").size(), plan_of(wanted).units.size() * 2 - (wanted.empty() ? 0 : 1)) << "nothing else";
  stack.down();
}

}  // namespace
}  // namespace devstack::supervisor
