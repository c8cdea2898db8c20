#include "core/ui/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/ui/assets.h"

namespace devstack::ui {
namespace {

using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitStatus;
using supervisor::UnitType;
using testing::HasSubstr;
using testing::Not;

Status one_service() {
  Status status;
  status.project = "demo";
  status.node = "laptop";
  status.docker = "20.10.24";
  UnitStatus unit;
  unit.name = "hello";
  unit.service = "hello";
  unit.type = UnitType::container;
  unit.state = UnitState::running;
  unit.health = "healthy";
  unit.addresses = {"172.17.0.2:8080"};
  unit.links = {"http://hello.localhost/"};
  unit.started_at = 1'000'000;
  status.services = {unit};
  return status;
}

std::string live(const Status& status) { return render_live(status, {"i1", 1'000'125}); }

std::string shell() { return find_asset("page.html", "").value().content; }

TEST(Page, TellsTheStatusWithoutScript) {
  const auto page = render_page(shell(), one_service(), {"i1", 1'000'125}, "t0ken");
  EXPECT_THAT(page, HasSubstr("<title>demo: hello is healthy</title>"));
  EXPECT_THAT(page, HasSubstr("<meta name=\"devstack-token\" content=\"t0ken\">"));
  EXPECT_THAT(page, HasSubstr("<h1>demo</h1>"));
  EXPECT_THAT(page, HasSubstr("<code>172.17.0.2:8080</code>"));
  EXPECT_THAT(
      page,
      HasSubstr("href=\"http://hello.localhost/\" target=\"_blank\" rel=\"noopener noreferrer\">hello.localhost</a>"));
  EXPECT_THAT(page, HasSubstr(">2 min</time>"));
  EXPECT_THAT(page, Not(HasSubstr("{{")));
}

TEST(Page, NothingFromOutsideIsMarkup) {
  const std::string evil = "\"><script>alert(1)</script>{{token}}";
  auto status = one_service();
  status.project = status.node = status.stack_file = status.version = evil;
  status.docker.clear();
  status.docker_detail = evil;
  auto& unit = status.services[0];
  unit.name = unit.service = unit.detail = unit.id = unit.health = evil;
  unit.addresses = {evil};
  unit.links = {"http://" + evil, "javascript:alert(1)"};
  unit.state = UnitState::running;
  status.components = {unit};
  status.services.push_back(unit);
  status.services[1].state = UnitState::failed;
  supervisor::DiscoveredService found;
  found.name = found.status = evil;
  found.instances = 1;
  found.tags = found.addresses = {evil};
  status.discovered = {found};
  const auto page = render_page(shell(), status, {evil, 0}, "t0ken");
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, Not(HasSubstr("javascript:")));
  EXPECT_THAT(page, Not(HasSubstr("\">&lt;script")));
  // What stands inside a value is not a placeholder: the token appears once, in its meta tag.
  EXPECT_EQ(page.find("t0ken"), page.rfind("t0ken"));
}

TEST(Page, NeedsNoInlineScriptOrStyle) {
  const auto page = render_page(shell(), one_service(), {"i1", 0}, "t");
  EXPECT_THAT(page, Not(HasSubstr("style=")));
  EXPECT_THAT(page, Not(HasSubstr("onclick")));
  EXPECT_THAT(page, Not(HasSubstr("<style")));
}

TEST(Page, OffersTheActionsThatFit) {
  auto status = one_service();
  EXPECT_THAT(live(status), HasSubstr("data-action=\"restart\" data-unit=\"hello\" aria-label=\"Restart hello\""));
  EXPECT_THAT(live(status), HasSubstr("data-action=\"stop\""));
  status.services[0].state = UnitState::stopped;
  EXPECT_THAT(live(status), HasSubstr("data-action=\"start\""));
  EXPECT_THAT(live(status), Not(HasSubstr("data-action=\"stop\"")));
  status.stopping = true;
  EXPECT_THAT(live(status), Not(HasSubstr("<button")));
}

TEST(Page, ProblemsStandOnTopWithWhatToDo) {
  auto status = one_service();
  EXPECT_THAT(live(status), Not(HasSubstr("Needs attention")));
  status.services[0].state = UnitState::failed;
  status.services[0].exit_code = 3;
  status.services[0].detail = "ended with 3: devstack logs hello";
  EXPECT_THAT(live(status), HasSubstr("<b>hello</b><span class=\"what\">failed, exit code 3</span>"
                                      "<span class=\"why\">ended with 3: devstack logs hello</span>"));
}

TEST(Page, SaysWhenThereIsNothing) {
  Status status;
  EXPECT_THAT(live(status), HasSubstr("This stack has no services yet"));
  EXPECT_THAT(live(status), HasSubstr("docker run"));
}

TEST(Page, MissingDockerIsSaidWithItsReason) {
  auto status = one_service();
  status.docker.clear();
  status.docker_detail = "no engine at /var/run/docker.sock";
  EXPECT_THAT(live(status), HasSubstr("<span class=\"why\">no engine at /var/run/docker.sock</span>"));
}

TEST(Assets, AreFoundByPlainNameOnly) {
  EXPECT_EQ(find_asset("style.css", "")->content_type, "text/css; charset=utf-8");
  EXPECT_EQ(find_asset("app.js", "")->content_type, "text/javascript; charset=utf-8");
  for (const char* name : {"", "nothing.js", "../page.html", "/etc/passwd", ".hidden", "a/b"}) {
    EXPECT_FALSE(find_asset(name, "")) << name;
    EXPECT_FALSE(find_asset(name, "/etc")) << name;
  }
  EXPECT_TRUE(find_asset("style.css", std::string(DEVSTACK_SOURCE_DIR) + "/core/ui/web"));
}

}  // namespace
}  // namespace devstack::ui
