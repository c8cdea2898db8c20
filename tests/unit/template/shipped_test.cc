#include "core/stack/stack_file.h"
#include "tests/unit/template/world.h"

namespace devstack::templates {
namespace {

TEST(ShippedStack, ItsTemplateListsWhatRuns) {
  stack::LoadOptions options;
  options.cwd = DEVSTACK_SOURCE_DIR;
  options.files = {"stack.yaml"};
  const auto file = stack::load(options);
  ASSERT_TRUE(file) << file.error().to_string();
  ASSERT_EQ(file->templates.size(), 1U);
  test::World world;
  for (const auto& [key, value] : file->registry.kv) world.set(key, value);
  world.add_service("hello-1", "hello", "172.17.0.2", 8080, {});
  EXPECT_EQ(world.render(file->templates[0].contents),
            "# hello: what is running now\nconsul 127.0.0.1:8300\nhello 172.17.0.2:8080\n");
}

}  // namespace
}  // namespace devstack::templates
