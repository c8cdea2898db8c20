#include "core/supervisor/projects.h"

#include "tests/integration/supervisor/stack_fixture.h"

namespace devstack::supervisor {
namespace {

class Recorder final : public Component {
 public:
  [[nodiscard]] std::string_view name() const override { return "dns"; }
  asio::awaitable<Result<void>> start() override {
    runs = true;
    co_return Result<void>();
  }
  asio::awaitable<void> stop() override {
    runs = false;
    co_return;
  }
  [[nodiscard]] ComponentReport report() const override { return {}; }
  bool runs = false;
};

/// Host processes of several projects; no engine is asked.
class ProjectsTest : public SupervisorTest {
 protected:
  /// The machine that projects share, and they.
  struct Machine {
    explicit Machine(const test::TempDir& dir) : base(dir.path(), "unix://" + dir.file("no.sock")) {
      const auto state = dir.path() + "/state";
      projects = std::make_unique<Projects>(
          base.io.get_executor(), [this, state](const std::string& project, std::function<void()> on_change) {
            SupervisorOptions options;
            options.state_dir = state;
            options.project = project.empty() ? ".components" : project;
            options.process_path = "/usr/bin:/bin";
            options.on_change = std::move(on_change);
            return std::make_unique<Supervisor>(base.io.get_executor(), options, *base.watcher, *base.registry,
                                                *base.registry);
          });
      projects->components().add(dns);
      EXPECT_TRUE(test::run(base.io, projects->components().start_components()));
    }
    ~Machine() {
      test::run(base.io, projects->detach(), 60s);
      projects.reset();
    }
    UnitStatus unit(const std::string& name) const {
      for (const auto& unit : projects->status().services) {
        if (unit.name == name) return unit;
      }
      return {};
    }
    bool up() {
      return base.eventually([&] { return projects->status().healthy; });
    }

    Stack base;
    Recorder dns;
    std::unique_ptr<Projects> projects;
  };

  static stack::Plan plan_of(const std::string& project, std::vector<stack::PlannedUnit> units) {
    stack::Plan made;
    made.project = project;
    made.files = {"/" + project + "/stack.yaml"};
    made.units = std::move(units);
    return made;
  }
  static stack::PlannedUnit sleeper(const std::string& name = "web") { return process(name, "exec sleep 1000"); }
};

TEST_F(ProjectsTest, OneAloneSeesNoOther) {
  Machine machine(dir);
  machine.projects->project("demo").apply(plan_of("demo", {sleeper()}));
  ASSERT_TRUE(machine.up());
  const auto status = machine.projects->status();
  EXPECT_EQ(status.project, "demo");
  EXPECT_EQ(status.services.at(0).name, "web");
  EXPECT_EQ(status.services.at(0).project, "demo");
  EXPECT_EQ(status.components.at(0).name, "dns");
  ASSERT_TRUE(test::run(machine.base.io, machine.projects->down_all({}), 60s));
  EXPECT_FALSE(machine.dns.runs);
}

TEST_F(ProjectsTest, SeveralShareNeitherUnitsNorRecordsNorEntriesOfTheRegistry) {
  Machine machine(dir);
  machine.projects->project("demo").apply(plan_of("demo", {sleeper()}));
  machine.projects->project("shop").apply(plan_of("shop", {sleeper(), sleeper("only")}));
  ASSERT_TRUE(machine.up());
  const auto demo = machine.unit("demo/web");
  const auto shop = machine.unit("shop/web");
  EXPECT_NE(demo.id, shop.id);
  EXPECT_EQ(machine.base.registry->snapshot()->instances("web").size(), 2U);
  const auto projects = machine.projects->status().projects;
  ASSERT_EQ(projects.size(), 2U);
  EXPECT_EQ(projects[1].name, "shop");
  EXPECT_EQ(projects[1].files, std::vector<std::string>{"/shop/stack.yaml"});
  EXPECT_EQ(projects[1].services, 2);
  EXPECT_NE(machine.projects->log_file("demo/web"), machine.projects->log_file("shop/web"));

  auto& io = machine.base.io;
  const auto unclear = test::run(io, machine.projects->stop_unit("web"));
  ASSERT_FALSE(unclear);
  EXPECT_EQ(unclear.error().message, "several projects have a service \"web\": say demo/web or shop/web");
  const auto unknown = test::run(io, machine.projects->stop_unit("nobody"));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message,
            "no service \"nobody\" in this stack; there are: demo/web, shop/web, shop/only, dns");
  ASSERT_TRUE(test::run(io, machine.projects->stop_unit("only")));
  ASSERT_TRUE(test::run(io, machine.projects->restart_unit("shop/web,dns"), 30s));
  ASSERT_TRUE(machine.base.eventually([&] { return machine.unit("shop/web").state == State::running; }));
  EXPECT_NE(machine.unit("shop/web").id, shop.id);

  ASSERT_TRUE(test::run(io, machine.projects->down("shop", {}), 60s));
  EXPECT_EQ(machine.unit("web").id, demo.id) << "the other runs on, by its own name again";
  EXPECT_EQ(machine.base.registry->snapshot()->instances("web").size(), 1U);
  EXPECT_TRUE(machine.dns.runs);
  const auto gone = test::run(io, machine.projects->down("shop", {}));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message, "no project \"shop\" is up here; up are: demo");
  ASSERT_TRUE(test::run(io, machine.projects->down_all({}), 60s));
}

TEST_F(ProjectsTest, AreTakenBackAfterTheSupervisorsEnd) {
  std::string demo, shop;
  {
    Machine machine(dir);
    machine.projects->project("demo").apply(plan_of("demo", {sleeper()}));
    machine.projects->project("shop").apply(plan_of("shop", {sleeper()}));
    ASSERT_TRUE(machine.up());
    demo = machine.unit("demo/web").id;
    shop = machine.unit("shop/web").id;
  }
  Machine machine(dir);
  machine.projects->project("demo").apply(plan_of("demo", {sleeper()}));
  ASSERT_TRUE(machine.up());
  EXPECT_EQ(machine.unit("web").id, demo);
  EXPECT_EQ(machine.base.registry->snapshot()->instances("web").size(), 2U) << "the other's entry is not ours to clear";
  machine.projects->project("shop").apply(plan_of("shop", {sleeper()}));
  ASSERT_TRUE(machine.up());
  EXPECT_EQ(machine.unit("shop/web").id, shop);
  ASSERT_TRUE(test::run(machine.base.io, machine.projects->down_all({}), 60s));
  EXPECT_TRUE(machine.base.registry->snapshot()->instances("web").empty());
}

}  // namespace
}  // namespace devstack::supervisor
