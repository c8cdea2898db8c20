#include <gmock/gmock.h>

#include "core/health/check_probe.h"
#include "tests/integration/docker/engine.h"

namespace devstack::docker {
namespace {

using namespace std::chrono_literals;

class DockerProbe : public EngineTest {
 protected:
  std::string start_container() {
    ContainerSpec spec;
    spec.name = name_of("probed");
    spec.command = {"sleep", "1000"};
    spec.init = true;
    const auto id = create(spec);
    const auto started = run(client_.start_container(id));
    EXPECT_TRUE(started) << started.error().message;
    return id;
  }
  health::CheckResult probe(const std::string& container, const std::string& line,
                            std::chrono::nanoseconds timeout = 30s) {
    auto check = std::make_shared<registry::Check>();
    check->definition.docker_container_id = container;
    check->definition.script_args = {"/bin/busybox", "sh", "-c", line};
    check->definition.timeout = timeout;
    return run(health::probe_docker(check, std::make_shared<Client>(client_)));
  }
};

TEST_F(DockerProbe, ExitCodesInsideTheContainerDecide) {
  const auto id = start_container();
  const auto fine = probe(id, "echo inside");
  EXPECT_EQ(fine.status, "passing");
  EXPECT_EQ(fine.output, "inside\n");
  EXPECT_EQ(probe(id, "exit 1").status, "warning");
  EXPECT_EQ(probe(id, "exit 2").status, "critical");
}

TEST_F(DockerProbe, OfMuchOutputTheEndIsKept) {
  const auto result = probe(start_container(), "/bin/busybox yes 0123456 | /bin/busybox head -n 10000; echo last");
  EXPECT_THAT(result.output, testing::StartsWith("Captured 4096 of 80005 bytes\n...\n"));
  EXPECT_TRUE(result.output.ends_with("0123456\nlast\n"));
}

TEST_F(DockerProbe, ACommandThatDoesNotEndIsCritical) {
  const auto result = probe(start_container(), "/bin/busybox sleep 1000", 500ms);
  EXPECT_EQ(result.status, "critical");
  EXPECT_EQ(result.output, "Timed out (500ms) running check");
}

TEST_F(DockerProbe, AContainerThatIsNotThereOrDoesNotRunIsCritical) {
  const auto gone = name_of("gone");
  EXPECT_EQ(probe(gone, "true").output, "create exec failed for unknown container " + gone);
  ContainerSpec spec;
  spec.name = name_of("still");
  const auto id = create(spec);
  EXPECT_EQ(probe(id, "true").output, "create exec failed since container " + id + " is paused or stopped");
}

}  // namespace
}  // namespace devstack::docker
