// Which files make up a stack, and what fills in their variables.
// https://docs.docker.com/compose/how-tos/environment-variables/envvars/
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/stack/config.h"
#include "core/stack/interpolate.h"
#include "core/stack/plan.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/stack/load.h"

namespace devstack::stack {
namespace {

using devstack::test::TempDir;
using testing::ElementsAre;
using testing::HasSubstr;

LoadOptions in(const TempDir& dir, Environment environment = {}) {
  LoadOptions options;
  options.cwd = dir.path();
  options.environment = std::move(environment);
  return options;
}

/// The image of the service `a`.
std::string image(const LoadOptions& options) {
  const auto file = load(options);
  return file ? file->services.at("a").image : file.error().to_string();
}

constexpr const char* kImage = "services: {a: {image: \"i:${X}${Y}\"}}\n";

TEST(Files, SeveralAreNamedByFlagsOrByOneVariable) {
  TempDir dir;
  dir.write("a.yaml", "services: {a: {image: one, user: u}}\n");
  dir.write("sub/b.yaml", "services: {a: {image: two, volumes: [\"./v:/v\"]}}\n");
  auto options = in(dir);
  options.files = {"a.yaml", "sub/b.yaml"};
  const auto file = load(options);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->services.at("a").image, "two");
  EXPECT_EQ(file->services.at("a").user, "u");
  EXPECT_EQ(file->services.at("a").volumes.at(0).source, dir.file("v")) << "relative to the first file's folder";
  EXPECT_EQ(file->path, dir.file("a.yaml"));
  EXPECT_THAT(file->files, ElementsAre(dir.file("a.yaml"), dir.file("sub/b.yaml")));
  EXPECT_EQ(image(in(dir, {{"COMPOSE_FILE", "a.yaml:sub/b.yaml"}})), "two");
  EXPECT_EQ(image(in(dir, {{"COMPOSE_FILE", "a.yaml,sub/b.yaml"}, {"COMPOSE_PATH_SEPARATOR", ","}})), "two");
  dir.write(".env", "COMPOSE_FILE=sub/b.yaml:a.yaml\n");
  EXPECT_EQ(image(in(dir)), "one");
}

TEST(Files, AllThatCannotBeReadAreNamed) {
  TempDir dir;
  dir.write("bad.yaml", "services: {a: {image: x, bogus: 1}}\n");
  dir.write("folder/file", "");
  auto options = in(dir);
  options.files = {"none.yaml", "bad.yaml", "folder"};
  const auto text = load(options).error().to_string();
  EXPECT_THAT(text, HasSubstr("cannot read " + dir.file("none.yaml") + ": No such file"));
  EXPECT_THAT(text, HasSubstr("bad.yaml:1:26: services.a: unknown key \"bogus\""));
  EXPECT_THAT(text, HasSubstr("cannot read " + dir.file("folder") + ": it is a folder"));
}

TEST(Files, TheOverrideFileIsReadOnlyWhereNoneIsNamed) {
  TempDir dir;
  dir.write("compose.yaml", "services: {a: {image: one}}\n");
  dir.write("compose.override.yml", "services: {a: {image: two}}\n");
  EXPECT_EQ(image(in(dir)), "two");
  auto options = in(dir);
  options.files = {"compose.yaml"};
  EXPECT_EQ(image(options), "one");
  EXPECT_EQ(image(in(dir, {{"COMPOSE_FILE", "compose.yaml"}})), "one");
}

TEST(Files, AnyOfComposesOverrideNamesGoesWithAnyOfItsNames) {
  TempDir dir;
  dir.write("compose.yaml", "services: {a: {image: one}}\n");
  dir.write("docker-compose.override.yml", "services: {a: {image: two}}\n");
  EXPECT_EQ(image(in(dir)), "two");
  dir.write("stack.yaml", "services: {a: {image: three}}\n");
  EXPECT_EQ(image(in(dir)), "three") << "ours has its own";
  dir.write("stack.override.yaml", "services: {a: {image: four}}\n");
  EXPECT_EQ(image(in(dir)), "four");
}

TEST(Files, StandardInputIsOneOfThem) {
  TempDir dir;
  dir.write("a.yaml", "services: {a: {image: one}}\n");
  auto options = in(dir);
  options.files = {"-"};
  options.stdin_text = "services: {a: {image: \"x\", volumes: [\"./v:/v\"], bogus: 1}}\n";
  EXPECT_EQ(load(options).error().to_string(), "stdin:1:49: services.a: unknown key \"bogus\"");
  options.files = {"a.yaml", "-"};
  options.stdin_text = "services: {a: {image: two}}\n";
  EXPECT_EQ(image(options), "two");
}

TEST(Files, TheProjectDirectoryIsTheFirstFilesOrTheOneThatIsSaid) {
  TempDir dir;
  dir.write("sub/a.yaml", "services: {a: {image: x, volumes: [\"./v:/v\"]}}\n");
  dir.write("other/file", "");
  auto options = in(dir);
  options.files = {"sub/a.yaml"};
  EXPECT_EQ(load(options)->project_dir, dir.file("sub"));
  options.project_directory = "other";
  const auto file = load(options);
  EXPECT_EQ(file->project_dir, dir.file("other"));
  EXPECT_EQ(file->project, "other");
  EXPECT_EQ(file->services.at("a").volumes.at(0).source, dir.file("other/v"));
}

TEST(EnvFiles, TheWorkingFoldersGoesBeforeTheProjects) {
  TempDir dir;
  dir.write("stack.yaml", kImage);
  dir.write(".env", "X=project\nY=project\n");
  dir.write("deep/.env", "X=here\n");
  auto options = in(dir);
  options.cwd = dir.file("deep");
  EXPECT_EQ(image(options), "i:hereproject");
  options.environment = {{"X", "shell"}};
  EXPECT_EQ(image(options), "i:shellproject");
}

TEST(EnvFiles, NamedOnesTakeThePlaceOfDotenvAndALaterOneWins) {
  TempDir dir;
  dir.write("stack.yaml", kImage);
  dir.write(".env", "X=dotenv\nY=dotenv\n");
  dir.write("one.env", "X=1\nY=1\n");
  dir.write("two.env", "Y=2$X\n");
  auto options = in(dir);
  options.env_files = {"one.env", "two.env"};
  EXPECT_EQ(image(options), "i:121");
  EXPECT_EQ(image(in(dir, {{"COMPOSE_ENV_FILES", "two.env,one.env"}})), "i:11");
  options.env_files = {"none.env"};
  EXPECT_THAT(image(options), HasSubstr("cannot read " + dir.file("none.env") + ": No such file"));
}

TEST(EnvFiles, AndStackFilesAreKnownByTheirPathsButNotWhatTheyInclude) {
  TempDir dir;
  dir.write("compose.yaml", "include: [more/more.yaml]\nservices: {a: {extends: {file: base.yaml, service: a}}}\n");
  dir.write("compose.override.yaml", "services: {a: {user: me}}\n");
  dir.write("base.yaml", "services: {a: {image: x}}\n");
  dir.write("more/more.yaml", "services: {b: {image: x}}\n");
  dir.write("more/.env", "X=1\n");
  dir.write(".env", "X=1\n");
  const auto found = make_plan(*load(in(dir)), EngineAvailable::yes);
  EXPECT_THAT(found->files, ElementsAre(dir.file("compose.yaml"), dir.file("compose.override.yaml")));
  EXPECT_THAT(found->env_files, ElementsAre(dir.file(".env")));
  auto options = in(dir);
  dir.write("one.env", "");
  options.env_files = {"one.env", "./more/.env"};
  EXPECT_THAT(load(options)->env_files, ElementsAre(dir.file("one.env"), dir.file("more/.env")));
}

TEST(EnvFiles, AreNotReadWhenDisabled) {
  TempDir dir;
  dir.write("stack.yaml", kImage);
  dir.write(".env", "X=dotenv\nY=dotenv\n");
  EXPECT_EQ(image(in(dir, {{"COMPOSE_DISABLE_ENV_FILE", "true"}})), "i:");
}

TEST(EnvFiles, MayNameTheProjectAndItsProfiles) {
  TempDir dir;
  dir.write("stack.yaml", "name: file\nservices: {a: {image: x, profiles: [p]}}\n");
  dir.write(".env", "COMPOSE_PROJECT_NAME=env\nCOMPOSE_PROFILES=p\n");
  const auto file = load(in(dir));
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->project, "env");
  EXPECT_TRUE(file->services.contains("a"));
}

TEST(Dotenv, TakesItsGrammar) {
  const auto read = [](std::string_view text) {
    auto values = read_dotenv(text, ".env", {{"OUTER", "o"}});
    EXPECT_TRUE(values) << values.error().to_string();
    return values ? *values : Environment{};
  };
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "A=1\n"),
            (Environment{{"A", "1"}}));
  EXPECT_EQ(read("  A = 1  \n\n# c\nexport B=2"), (Environment{{"A", "1"}, {"B", "2"}}));
  EXPECT_EQ(read("A=x#y\nB=x #y\nC=#z\nD= #z\n"), (Environment{{"A", "x#y"}, {"B", "x"}, {"C", "#z"}, {"D", ""}}));
  EXPECT_EQ(read("A='it\\'s' # c\nB='\\n'\n"), (Environment{{"A", "it's"}, {"B", "\\n"}}));
  EXPECT_EQ(read("A: 1\nB: \"x:y\"\nC=x: y\n"), (Environment{{"A", "1"}, {"B", "x:y"}, {"C", "x: y"}}));
  EXPECT_EQ(read("A='$OUTER # \\n' # c\nB=\"a\\tb \\\"q\\\" ${OUTER:-x}\"\n"),
            (Environment{{"A", "$OUTER # \\n"}, {"B", "a\tb \"q\" o"}}));
  EXPECT_EQ(read("A=\"one\ntwo\"\nB=3\n"), (Environment{{"A", "one\ntwo"}, {"B", "3"}}));
  EXPECT_EQ(read("A=1\nA=2\nB=$A\n"), (Environment{{"A", "2"}, {"B", "2"}}));
  EXPECT_EQ(read("OUTER\nNOT_SET # c\nexport OUTER\nE=\n"), (Environment{{"OUTER", "o"}, {"E", ""}}));
  EXPECT_EQ(read("A=1\r\nB=\"2\"\r\n"), (Environment{{"A", "1"}, {"B", "2"}}));
}

TEST(Dotenv, SaysExactlyWhatIsWrongWhere) {
  const auto error = [](std::string_view text) { return read_dotenv(text, ".env", {}).error().to_string(); };
  EXPECT_EQ(error("A=1\n  B= \"x\n"), ".env:2:6: a double quote is not closed");
  EXPECT_EQ(error("A='x\n"), ".env:1:3: a single quote is not closed");
  EXPECT_EQ(error("# c\na b=1\n"), ".env:2:1: `a b` is no variable name");
  EXPECT_EQ(error("=1\n"), ".env:1:1: `` is no variable name");
  EXPECT_EQ(error("export 1A=1\n"), ".env:1:8: `1A` is no variable name");
  EXPECT_EQ(error("two words\n"), ".env:1:1: `two words` is no variable name");
  EXPECT_EQ(error("A=\"x\" y\n"), ".env:1:3: `y` follows a closing quote");
  EXPECT_EQ(error("A=${B\n"), ".env:1:3: `${B` has no closing brace");
}

TEST(Explain, SaysWhereAVariableComesFromAndWhoUsesIt) {
  TempDir dir;
  dir.write("compose.yaml", "services:\n  a:\n    image: \"x:${TAG:-none}\"\n    command: [\"$$TAG\", \"$TAGS\"]\n");
  dir.write("compose.override.yaml", "services: {a: {user: \"${OTHER-$TAG}\"}}\n");
  dir.write(".env", "A=1\nTAG=2\n");
  const auto explained = explain_variable(in(dir, {{"TAG", "3"}}), "TAG");
  ASSERT_TRUE(explained) << explained.error().to_string();
  ASSERT_EQ(explained->sources.size(), 2U);
  EXPECT_EQ(explained->sources[0].value, "3");
  EXPECT_EQ(explained->sources[0].where, "the environment");
  EXPECT_EQ(explained->sources[1].where, ".env:2:1");
  ASSERT_EQ(explained->uses.size(), 2U);
  EXPECT_EQ(explained->uses[0].where, "compose.yaml:3:12");
  EXPECT_EQ(explained->uses[0].path, "services.a.image");
  EXPECT_EQ(explained->uses[0].written, "x:${TAG:-none}");
  EXPECT_EQ(explained->uses[0].result, "x:3");
  EXPECT_EQ(explained->uses[1].where, "compose.override.yaml:1:22");
  EXPECT_EQ(explained->uses[1].result, "3");
}

TEST(Explain, AVariableThatIsNotSetHasNoSource) {
  TempDir dir;
  dir.write("compose.yaml", "services: {a: {image: \"x:${TAG:-none}\", user: \"${TAG:?give it}\"}}\n");
  const auto explained = explain_variable(in(dir), "TAG");
  ASSERT_TRUE(explained) << explained.error().to_string();
  EXPECT_TRUE(explained->sources.empty());
  ASSERT_EQ(explained->uses.size(), 2U);
  EXPECT_EQ(explained->uses[0].result, "x:none");
  EXPECT_EQ(explained->uses[1].result, "variable TAG is missing or empty: give it");
}

TEST(MergedYaml, LeavesVariablesAsTheyAreWritten) {
  TempDir dir;
  dir.write("compose.yaml", "services: {a: {image: \"x:$TAG\", ports: [\"${PORT}:80\"]}}\n");
  dir.write("compose.override.yaml", "services: {a: {ports: [\"${PORT}:80\", \"$$1\"]}}\n");
  EXPECT_EQ(*merged_text(in(dir)),
            "services:\n  a:\n    image: \"x:$TAG\"\n    ports:\n      - \"${PORT}:80\"\n      - \"$$1\"\n");
}

TEST(MergedJson, HasTheTypesOfTheYaml) {
  TempDir dir;
  dir.write("compose.yaml",
            "services: {a: {image: \"x:$TAG\", scale: 2, init: True, ports: [80, \"81\", 0644], user: }}\n");
  EXPECT_EQ(*merged_text(in(dir), Form::json),
            R"({
  "services": {
    "a": {
      "image": "x:$TAG",
      "scale": 2,
      "init": true,
      "ports": [
        80,
        "81",
        "0644"
      ],
      "user": null
    }
  }
}
)");
}

TEST(InterpolationEnvironment, HasAllLayers) {
  TempDir dir;
  dir.write("compose.yaml", "name: \"p-$X\"\n");
  dir.write(".env", "X=1\nY=2\n");
  EXPECT_EQ(*interpolation_environment(in(dir, {{"Y", "3"}})),
            (Environment{{"COMPOSE_PROJECT_NAME", "p-1"}, {"X", "1"}, {"Y", "3"}}));
}

TEST(FormatOne, IsRefusedWithItsConvertedForm) {
  TempDir dir;
  dir.write("docker-compose.yml",
            "web:\n  build: .\n  dockerfile: D\n  net: \"container:db\"\n  log_driver: syslog\n"
            "  volumes: [\"data:/data\", \"./x:/x\"]\ndb:\n  image: postgres\n");
  const std::string converted =
      "services:\n  web:\n    build:\n      context: .\n      dockerfile: D\n    volumes:\n      - \"data:/data\"\n"
      "      - \"./x:/x\"\n    network_mode: \"service:db\"\n    logging:\n      driver: syslog\n  db:\n"
      "    image: postgres\nvolumes:\n  data: {}\n";
  EXPECT_EQ(*converted_text(in(dir)), converted);
  EXPECT_THAT(*converted_text(in(dir), Form::json), HasSubstr("\"network_mode\": \"service:db\",\n"));
  const auto text = load(in(dir)).error().to_string();
  EXPECT_THAT(text, HasSubstr("docker-compose.yml:1:1: this is Compose's old format 1"));
  EXPECT_THAT(text, HasSubstr("`devstack -f docker-compose.yml config --convert`"));
  EXPECT_THAT(text, HasSubstr("services:\n  web:\n    build:\n"));
  EXPECT_THAT(text, HasSubstr("driver: syslog\n  db:\n  ..."));
  dir.write("docker-compose.yml", "services: {}\n");
  EXPECT_THAT(converted_text(in(dir)).error().to_string(), HasSubstr("nothing to convert"));
}

}  // namespace
}  // namespace devstack::stack
