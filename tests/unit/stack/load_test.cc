#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/stack/plan.h"
#include "core/stack/stack_file.h"
#include "tests/support/temp_dir.h"

namespace devstack::stack {
namespace {

using devstack::test::read_file;
using devstack::test::TempDir;
using testing::HasSubstr;

Result<StackFile> load_in(const std::string& cwd, Environment environment = {}, std::vector<std::string> files = {}) {
  LoadOptions options;
  options.cwd = cwd;
  options.environment = std::move(environment);
  options.files = std::move(files);
  return load(options);
}

TEST(Load, PrefersNamesInTheDocumentedOrder) {
  TempDir dir;
  for (const auto* name :
       {"docker-compose.yaml", "docker-compose.yml", "compose.yml", "compose.yaml", "stack.yml", "stack.yaml"}) {
    dir.write(name, "services: {}\n");
    EXPECT_EQ(load_in(dir.path())->path, dir.file(name));
  }
}

TEST(Load, WalksUp) {
  TempDir dir;
  dir.write("stack.yaml", "services: {a: {image: x, volumes: [\"./d:/d\"]}}\n");
  dir.write("deep/er/file", "");
  const auto file = load_in(dir.file("deep/er"));
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->project_dir, dir.path());
  EXPECT_EQ(file->services.at("a").volumes.at(0).source, dir.path() + "/d");
}

TEST(Load, ANearerComposeFileWinsOverAFartherStackFile) {
  TempDir dir;
  dir.write("stack.yaml", "services: {}\n");
  dir.write("app/compose.yaml", "services: {}\n");
  EXPECT_EQ(load_in(dir.file("app"))->path, dir.file("app/compose.yaml"));
}

TEST(Load, DocumentsOfOneFileAreMergedInTheirOrder) {
  TempDir dir;
  dir.write("stack.yaml",
            "---\nname: first\nservices:\n  web: {image: a, environment: {A: \"1\", B: \"1\"}, ports: [\"80\"]}\n"
            "--- # over it\nname: second\nservices:\n  web: {image: b, environment: {B: \"2\"}, ports: !reset null}\n"
            "  db: {extends: {file: other.yaml, service: base}}\n---\n");
  dir.write("other.yaml", "services: {base: {image: c, user: one}}\n---\nservices: {base: {user: two}}\n");
  const auto file = load_in(dir.path());
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->project, "second");
  const auto& web = file->services.at("web");
  EXPECT_EQ(web.image, "b");
  EXPECT_EQ(web.environment, (TextMap{{"A", "1"}, {"B", "2"}}));
  EXPECT_TRUE(web.ports.empty());
  EXPECT_EQ(file->services.at("db").image, "c");
  EXPECT_EQ(file->services.at("db").user, "two");
}

TEST(Load, AnIncludedFileMayHaveSeveralDocuments) {
  TempDir dir;
  dir.write("stack.yaml", "include: [more.yaml]\nservices: {}\n");
  dir.write("more.yaml", "services: {web: {image: a}}\n---\nservices: {web: {image: b}, db: {image: c}}\n");
  const auto file = load_in(dir.path());
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->services.at("web").image, "b");
  EXPECT_EQ(file->services.at("db").image, "c");
}

TEST(Load, MoreDocumentsThanAnybodyWritesAreRefused) {
  TempDir dir;
  std::string text = "services: {}\n";
  for (int i = 0; i < 64; ++i) text += "---\n";
  dir.write("stack.yaml", text);
  EXPECT_THAT(load_in(dir.path()).error().to_string(), HasSubstr("stack.yaml:65:1: more than 64 documents"));
}

TEST(Load, SaysWhatToDoWhenThereIsNoFile) {
  TempDir dir;
  const auto file = load_in(dir.path());
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Errc::stack_file);
  EXPECT_EQ(file.error().to_string(),
            "no stack.yaml or compose.yaml in " + dir.path() + " or above it: name a file with -f");
}

TEST(Load, ErrorsNameTheFileAsTheUserSeesIt) {
  TempDir dir;
  dir.write("sub/my.yaml", "services: []\n");
  EXPECT_EQ(load_in(dir.path(), {}, {"sub/my.yaml"}).error().to_string(),
            "sub/my.yaml:1:11: services: expected a map, found a list");
  EXPECT_THAT(load_in(dir.path(), {}, {"none.yaml"}).error().to_string(), HasSubstr("none.yaml: No such file"));
  EXPECT_THAT(load_in(dir.path(), {}, {"sub"}).error().to_string(), HasSubstr("it is a folder"));
}

TEST(Load, TakesTheFileFromComposesVariable) {
  TempDir dir;
  dir.write("stack.yaml", "name: one\n");
  dir.write("other.yaml", "name: two\n");
  EXPECT_EQ(load_in(dir.path(), {{"COMPOSE_FILE", "other.yaml"}})->project, "two");
  EXPECT_EQ(load_in(dir.path(), {{"COMPOSE_FILE", "other.yaml:stack.yaml"}})->project, "one");
}

TEST(Load, DotenvIsWeakerThanTheEnvironment) {
  TempDir dir;
  dir.write("stack.yaml", "services:\n  a: {image: \"$IMAGE:$TAG\"}\n");
  dir.write(".env", "IMAGE=file\nTAG=1\n");
  EXPECT_EQ(load_in(dir.path())->services.at("a").image, "file:1");
  EXPECT_EQ(load_in(dir.path(), {{"TAG", "2"}})->services.at("a").image, "file:2");
  EXPECT_EQ(load_in(dir.path(), {{"COMPOSE_DISABLE_ENV_FILE", "1"}, {"IMAGE", "x"}})->services.at("a").image, "x:");
}

TEST(Print, TheResolvedFileReadsBackAsTheSameStack) {
  constexpr std::string_view text = R"(
name: round
registry: {kv: {a: "$$x"}, http: 8501}
dns: {port: 8600, records: {x.test: 10.0.0.1}, servers: {corp: ["10.0.0.1:54"], gone: []}, random_case: true,
      node_ttl: 7s, service_ttl: {"web*": 1m}, only_passing: true, udp_answer_limit: 8, workers: 2}
templates: [{contents: "{{ $x := 1 }}\n{{ $x }}", destination: o}]
services:
  web: {image: nginx, ports: ["127.0.0.1:80:81/udp"], environment: {contents: "$$5", B: "yes"}, restart: "on-failure:2",
        healthcheck: {test: x, interval: 90s}, labels: {a: "1"}, x-devstack: {publish_all: true},
        depends_on: {job: {condition: service_completed_successfully}}, x-process: {command: [a, $$HOME], port: auto}}
  job: {command: "echo $$(date) ${PORT} $$PORT", scale: 2}
)";
  LoadOptions options;
  options.cwd = "/project";
  const auto file = parse(text, "stack.yaml", options);
  ASSERT_TRUE(file) << file.error().to_string();
  const auto printed = to_yaml(*file);
  const auto again = parse(printed, "printed.yaml", options);
  ASSERT_TRUE(again) << again.error().to_string() << "\n" << printed;
  EXPECT_EQ(to_json(*again), to_json(*file));
  EXPECT_EQ(again->templates[0].contents, "{{ $x := 1 }}\n{{ $x }}");
  EXPECT_EQ(again->services.at("web").environment.at("contents"), "$5");
  EXPECT_TRUE(diff(*make_plan(*file, EngineAvailable::yes), *make_plan(*again, EngineAvailable::yes)).empty());
}

TEST(Print, LeavesDefaultsOut) {
  LoadOptions options;
  options.cwd = "/project";
  EXPECT_EQ(to_json(*parse("services: {a: {image: x}}", "s", options)),
            "{\n  \"name\": \"project\",\n  \"services\": {\n    \"a\": {\n      \"image\": \"x\"\n    }\n  }\n}\n");
}

const std::string kSource = DEVSTACK_SOURCE_DIR;

TEST(ShippedStack, RunsWithDockerAndWithoutIt) {
  const auto file = load_in(kSource, {}, {"stack.yaml"});
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(file->warnings, testing::IsEmpty());
  const auto with = make_plan(*file, EngineAvailable::yes);
  const auto without = make_plan(*file, EngineAvailable::no);
  ASSERT_TRUE(with);
  ASSERT_TRUE(without);
  EXPECT_EQ(with->units.front().kind, UnitKind::container);
  EXPECT_EQ(without->units.front().kind, UnitKind::process);
}

/// The ```yaml blocks of a document; a first line `# not a stack file` excuses one.
std::vector<std::string> yaml_blocks(const std::string& text) {
  std::vector<std::string> blocks;
  for (auto from = text.find("```yaml\n"); from != std::string::npos; from = text.find("```yaml\n", from)) {
    from += 8;
    const auto to = text.find("```", from);
    auto block = text.substr(from, to - from);
    if (!block.starts_with("# not a stack file")) blocks.push_back(std::move(block));
    if (to == std::string::npos) break;
    from = to + 3;
  }
  return blocks;
}

TEST(Readme, EveryYamlBlockLoads) {
  LoadOptions options;
  options.cwd = "/project";
  for (const auto& block : yaml_blocks(read_file(kSource + "/README.md"))) {
    const auto file = parse(block, "README.md", options);
    EXPECT_TRUE(file) << block << file.error().to_string();
  }
}

}  // namespace
}  // namespace devstack::stack
