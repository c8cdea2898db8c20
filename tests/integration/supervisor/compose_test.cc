// Containers, networks, volumes, files and images as Compose makes them, on the real engine.
#include <filesystem>
#include <fstream>

#include "tests/integration/supervisor/compose_fixture.h"

namespace devstack::supervisor {
namespace {

TEST_F(ComposeTest, EveryLimitAndRightReachesTheContainer) {
  Stack stack(dir.path());
  auto box = container("box", "exec sleep 1000");
  auto& spec = box.spec;
  spec.hostname = "here";
  spec.domainname = "example.org";
  spec.user = "7:8";
  spec.working_dir = "/bin";
  spec.stop_signal = "SIGUSR1";
  spec.isolation.cap_drop = {"NET_RAW"};
  spec.isolation.security_opt = {"no-new-privileges"};
  spec.isolation.group_add = {"99"};
  spec.isolation.read_only = spec.isolation.init = spec.isolation.tty = spec.isolation.stdin_open = true;
  spec.isolation.devices = {{"/dev/null", "/dev/nothing", "rw"}};
  spec.isolation.ulimits["nofile"] = {100, 200};
  spec.isolation.sysctls["net.core.somaxconn"] = "77";
  spec.isolation.shm_size = 1 << 20;
  spec.isolation.ipc = "private";
  spec.resources.memory = 64 << 20;
  spec.resources.nano_cpus = 500'000'000;
  spec.resources.pids = 50;
  spec.resources.oom_score_adj = 100;
  spec.tmpfs = {"/run:size=1m"};
  spec.dns_search = {"example.org"};
  spec.dns_opt = {"ndots:2"};
  spec.extra_hosts = {"other:10.1.2.3"};
  spec.logging = stack::Logging{"json-file", {{"max-size", "1m"}}};
  spec.ports.push_back({"127.0.0.1", 39100, 80, "tcp", 39110});
  stack.supervisor->apply(plan({box}));
  ASSERT_TRUE(stack.up());
  const auto name = name_of("box");
  EXPECT_EQ(shell("docker exec " + name + " cat /proc/sys/net/core/somaxconn"), "77");
  EXPECT_EQ(inspect(name, "{{range .HostConfig.Ulimits}}{{.Name}} {{.Soft}} {{.Hard}}{{end}}"), "nofile 100 200");
  EXPECT_EQ(inspect(name,
                    "{{.Config.Hostname}} {{.Config.Domainname}} {{.Config.User}} {{.Config.WorkingDir}} "
                    "{{.Config.StopSignal}} {{.Config.Tty}} {{.Config.OpenStdin}}"),
            "here example.org 7:8 /bin SIGUSR1 true true");
  EXPECT_EQ(inspect(name,
                    "{{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.GroupAdd}} "
                    "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Init}} {{.HostConfig.ShmSize}} "
                    "{{.HostConfig.IpcMode}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} "
                    "{{.HostConfig.PidsLimit}} {{.HostConfig.OomScoreAdj}} {{.HostConfig.Tmpfs}}"),
            "[NET_RAW] [no-new-privileges] [99] true true 1048576 private 67108864 500000000 50 100 "
            "map[/run:size=1m]");
  EXPECT_EQ(inspect(name,
                    "{{.HostConfig.DnsSearch}} {{.HostConfig.DnsOptions}} {{.HostConfig.ExtraHosts}} "
                    "{{.HostConfig.LogConfig.Config}} {{(index .HostConfig.Devices 0).PathInContainer}}"),
            "[example.org] [ndots:2] [other:10.1.2.3] map[max-size:1m] /dev/nothing");
  const auto port = inspect(name, "{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}");
  EXPECT_TRUE(port >= "39100" && port <= "39110") << port;
  stack.down();
}

TEST_F(ComposeTest, NetworksAreMadeOnceWithTheirOptionsAndJoinedByPriority) {
  Stack stack(dir.path());
  auto wanted = plan({});
  auto front = network("front");
  front.internal = true;
  front.labels["purpose"] = "test";
  auto back = network("back");
  back.pools.push_back({"10.213.77.0/24", "", "10.213.77.1", {}});
  wanted.networks = {front, back};
  auto box = container("box", "exec sleep 1000");
  stack::NetworkAttachment to_front, to_back;
  to_front.network = "front";
  to_front.aliases = {"known-as"};
  to_back.network = "back";
  to_back.priority = 5;
  to_back.ipv4_address = "10.213.77.7";
  box.spec.networks = {to_front, to_back};
  auto other = container("other", "exec sleep 1000");
  other.spec.networks = {to_front};
  wanted.units = {box, other};
  for (int number = 2; number <= 6; ++number) wanted.units.push_back(instance(other, number));
  stack.supervisor->apply(wanted);
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(networks(), project + "_back\n" + project + "_front");
  EXPECT_EQ(
      shell("docker network inspect -f '{{.Internal}} {{.Labels.purpose}} {{len .Containers}}' " + project + "_front"),
      "true test 7");
  EXPECT_EQ(
      inspect(name_of("box"),
              "{{.HostConfig.NetworkMode}} {{range $k, $v := .NetworkSettings.Networks}}{{$k}}="
              "{{$v.IPAddress}} {{end}}")
          .substr(0, project.size() * 2 + 30),
      (project + "_back " + project + "_back=10.213.77.7 " + project + "_front=").substr(0, project.size() * 2 + 30));
  EXPECT_THAT(inspect(name_of("box"), "{{(index .NetworkSettings.Networks \"" + project + "_front\").Aliases}}"),
              HasSubstr("known-as"));

  const auto before = stack.unit("other").id;
  wanted.networks[0].internal = false;
  stack.supervisor->apply(wanted);
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(shell("docker network inspect -f '{{.Internal}} {{len .Containers}}' " + project + "_front"), "false 7");
  EXPECT_NE(stack.unit("other").id, before) << "its network is another";
  stack.down();
}

TEST_F(ComposeTest, WhatIsExternalMustBeThereAndIsLeftThere) {
  Stack stack(dir.path());
  auto wanted = plan({});
  auto outside = network("outside");
  outside.name = project + "-outside";
  outside.external = true;
  auto kept = volume("kept");
  kept.name = project + "-kept";
  kept.external = true;
  wanted.networks = {outside};
  wanted.volumes = {kept};
  auto box = container("box", "exec sleep 1000");
  box.spec.networks.emplace_back().network = "outside";
  mount(box, stack::MountKind::volume, "kept", "/data");
  wanted.units = {box};
  stack.supervisor->apply(wanted);
  stack.reaches("box", State::failed);
  EXPECT_EQ(stack.unit("box").detail, "networks.outside: the external network " + project +
                                          "-outside is not there: make it (docker network create " + project +
                                          "-outside), or take `external` away");
  shell("docker network create " + outside.name);
  stack.supervisor->apply(wanted);
  ASSERT_TRUE(stack.eventually([&] { return stack.unit("box").detail.find("volumes.kept") == 0; }));
  shell("docker volume create " + kept.name);
  stack.supervisor->apply(wanted);
  ASSERT_TRUE(stack.up());
  down(stack, with_volumes());
  EXPECT_EQ(shell("docker network rm " + outside.name), outside.name);
  EXPECT_EQ(shell("docker volume rm " + kept.name), kept.name);
}

TEST_F(ComposeTest, VolumesOutliveDownUnlessAskedOtherwise) {
  auto wanted = plan({container("box", "echo more >> /data/log; exec sleep 1000")});
  mount(wanted.units[0], stack::MountKind::volume, "data", "/data");
  mount(wanted.units[0], stack::MountKind::volume, "", "/scratch");
  wanted.volumes = {volume("data")};
  {
    Stack stack(dir.path());
    stack.supervisor->apply(wanted);
    ASSERT_TRUE(stack.up());
    EXPECT_EQ(volumes(), project + "_data");
    stack.down();
    EXPECT_EQ(volumes(), project + "_data");
  }
  Stack stack(dir.path());
  stack.supervisor->apply(wanted);
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(shell("docker exec " + name_of("box") + " cat /data/log"), "more\nmore");
  const auto scratch =
      inspect(name_of("box"), "{{range .Mounts}}{{if eq .Destination \"/scratch\"}}{{.Name}}{{end}}{{end}}");
  down(stack, with_volumes());
  EXPECT_EQ(volumes(), "");
  EXPECT_THAT(shell("docker volume inspect " + scratch + " 2>&1"), HasSubstr("no such volume"));
}

TEST_F(ComposeTest, AReplacementKeepsNameAndAnonymousVolumes) {
  Stack stack(dir.path());
  auto box = container("box", "echo line >> /scratch/log; exec sleep 1000");
  mount(box, stack::MountKind::volume, "", "/scratch");
  stack.supervisor->apply(plan({box}));
  ASSERT_TRUE(stack.up());
  const auto first = stack.unit("box").id;
  box.spec.environment["A"] = "1";
  box.config_hash += "x";
  stack.supervisor->apply(plan({box}));
  ASSERT_TRUE(stack.up());
  EXPECT_NE(stack.unit("box").id, first);
  EXPECT_EQ(containers("{{.Names}}"), name_of("box"));
  EXPECT_EQ(shell("docker exec " + name_of("box") + " cat /scratch/log"), "line\nline");

  const auto second = stack.unit("box").id;
  ApplyOptions how;
  how.no_recreate = true;
  box.config_hash += "y";
  stack.supervisor->apply(plan({box}), how);
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(stack.unit("box").id, second);
  how = {};
  how.force_recreate = how.renew_anon_volumes = true;
  stack.supervisor->apply(plan({box}), how);
  ASSERT_TRUE(stack.eventually([&] { return stack.unit("box").id != second && stack.supervisor->status().healthy; }));
  EXPECT_EQ(shell("docker exec " + name_of("box") + " cat /scratch/log"), "line");
  down(stack, with_volumes());
}

TEST_F(ComposeTest, AnotherImageOfTheSameNameReplacesTheContainer) {
  Stack stack(dir.path());
  const std::string own = project + "-own:1";
  const auto made = [&](const std::string& word) {
    shell("docker tag " + std::string(image) + " " + own + "-base; printf 'FROM " + own + "-base\\nLABEL word=" + word +
          "\\n' | DOCKER_BUILDKIT=0 docker build -q -t " + own + " -");
  };
  made("one");
  auto box = container("box", "exec sleep 1000");
  box.spec.image = own;
  stack.supervisor->apply(plan({box}));
  ASSERT_TRUE(stack.up());
  const auto first = stack.unit("box").id;
  stack.supervisor->apply(plan({box}));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(stack.unit("box").id, first);
  made("two");
  stack.supervisor->apply(plan({box}));
  ASSERT_TRUE(stack.up());
  EXPECT_NE(stack.unit("box").id, first);
  DownOptions options;
  options.images = RemoveImages::all;
  down(stack, options);
  EXPECT_EQ(shell("docker images -q " + own), "");
  shell("docker rmi -f " + own + "-base");
}

TEST_F(ComposeTest, ImagesAreBuiltFromTheirFolder) {
  Stack stack(dir.path());
  shell("mkdir -p " + dir.file("app"));
  dir.write("app/Dockerfile",
            "FROM " + std::string(image) +
                "\nARG WORD=none\nCOPY word /word\nRUN [\"/bin/sh\", \"-c\", \"echo $WORD >> /word\"]\n");
  dir.write("app/word", "copied\n");
  dir.write("app/.dockerignore", "ignored\n");
  auto box = container("box", "exec sleep 1000");
  box.spec.image.clear();
  auto& build = box.spec.build.emplace();
  build.context = dir.file("app");
  build.args["WORD"] = "given";
  build.labels["made"] = "here";
  stack.supervisor->apply(plan({box}));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(shell("docker exec " + name_of("box") + " cat /word"), "copied\ngiven");
  EXPECT_EQ(inspect(project + "-box", "{{.Config.Labels.made}}"), "here");

  dir.write("app/word", "another\n");
  stack.supervisor->apply(plan({box}));
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(shell("docker exec " + name_of("box") + " cat /word"), "copied\ngiven") << "built once";
  ApplyOptions how;
  how.build = true;
  stack.supervisor->apply(plan({box}), how);
  ASSERT_TRUE(stack.eventually([&] {
    return stack.supervisor->status().healthy &&
           shell("docker exec " + name_of("box") + " cat /word 2>&1") == "another\ngiven";
  }));

  auto broken = container("broken", "exec sleep 1000");
  broken.spec.image.clear();
  broken.spec.build.emplace().context = dir.file("app");
  broken.spec.build->dockerfile_inline =
      "FROM " + std::string(image) + "\nRUN [\"/bin/sh\", \"-c\", \"echo why; exit 3\"]\n";
  stack.supervisor->apply(plan({box, broken}));
  stack.reaches("broken", State::failed);
  EXPECT_THAT(stack.unit("broken").detail,
              testing::StartsWith("services.broken.build: building " + project + "-broken"));
  EXPECT_THAT(stack.unit("broken").detail, HasSubstr("why"));
  DownOptions options;
  options.images = RemoveImages::local;
  down(stack, options);
  EXPECT_EQ(shell("docker images -q " + project + "-box"), "");
}

TEST_F(ComposeTest, SecretsAndConfigsAreFilesOfTheContainer) {
  Stack stack(dir.path());
  auto wanted = plan({container("box", "exec sleep 1000")});
  auto& spec = wanted.units[0].spec;
  wanted.secrets["token"].content = "first";
  wanted.secrets["token"].environment = "TOKEN";
  wanted.configs["settings"].file = dir.file("settings");
  dir.write("settings", "a=1");
  spec.secrets.push_back({"token", "/run/secrets/token", "1000", "1001", 0440});
  spec.configs.push_back({"settings", "/settings", "", "", std::nullopt});
  stack.supervisor->apply(wanted);
  ASSERT_TRUE(stack.up());
  const auto name = name_of("box");
  EXPECT_EQ(shell("docker exec " + name + " cat /run/secrets/token /settings"), "firsta=1");
  EXPECT_EQ(shell("docker exec " + name + " /bin/busybox stat -c '%u %g %a' /run/secrets/token"), "1000 1001 440");
  EXPECT_THAT(shell("docker exec " + name + " sh -c 'echo x > /run/secrets/token' 2>&1"), HasSubstr("Read-only"));
  EXPECT_EQ(shell("stat -c %a " + dir.path() + "/state/files/" + project), "700");
  const auto first = stack.unit("box").id;
  wanted.secrets["token"].content = "second";
  wanted.units[0].config_hash += "x";  // the plan's hash covers it
  stack.supervisor->apply(wanted);
  ASSERT_TRUE(stack.up());
  EXPECT_NE(stack.unit("box").id, first);
  EXPECT_EQ(shell("docker exec " + name + " cat /run/secrets/token"), "second");
  stack.down();
}

TEST_F(ComposeTest, AChildFollowsItsNamespaceParent) {
  Stack stack(dir.path());
  auto parent = container("parent", "exec sleep 1000");
  auto child = container("child", "exec sleep 1000");
  child.spec.network_mode = "service:parent";
  child.spec.isolation.pid = "service:parent";
  depend(child, "parent", stack::DependencyCondition::started);
  stack.supervisor->apply(plan({parent, child}));
  ASSERT_TRUE(stack.up());
  const auto mode = [&] { return inspect(name_of("child"), "{{.HostConfig.NetworkMode}} {{.HostConfig.PidMode}}"); };
  const auto of = [&](const std::string& id) { return "container:" + id + " container:" + id; };
  EXPECT_EQ(mode(), of(inspect(name_of("parent"), "{{.Id}}")));
  const auto first = stack.unit("child").id;
  parent.config_hash += "x";
  stack.supervisor->apply(plan({parent, child}));
  ASSERT_TRUE(stack.up());
  EXPECT_NE(stack.unit("child").id, first);
  EXPECT_EQ(mode(), of(inspect(name_of("parent"), "{{.Id}}")));
  stack.down();
}

TEST_F(ComposeTest, HooksRunAfterTheStartAndBeforeTheStop) {
  Stack stack(dir.path());
  auto box = container("box", "exec sleep 1000");
  mount(box, stack::MountKind::bind, dir.file("out"), "/out");
  stack::Hook begin, end;
  begin.command = {"/bin/sh", "-c", "echo began $WORD >> /out/log"};
  begin.environment["WORD"] = "well";
  end.command = {"/bin/sh", "-c", "echo ending >> /out/log"};
  box.spec.post_start = {begin};
  box.spec.pre_stop = {end};
  auto bad = container("bad", "exec sleep 1000");
  stack::Hook failing;
  failing.command = {"/bin/sh", "-c", "echo no; exit 9"};
  bad.spec.post_start = {failing};
  stack.supervisor->apply(plan({box, bad}));
  stack.reaches("box", State::running);
  stack.reaches("bad", State::failed);
  EXPECT_EQ(stack.unit("bad").detail, "post_start \"/bin/sh\" exited with code 9: no");
  EXPECT_EQ(test::read_file(dir.file("out/log")), "began well\n");
  stack.down();
  EXPECT_EQ(test::read_file(dir.file("out/log")), "began well\nending\n");
}

TEST_F(ComposeTest, APausedServiceRunsItsHookBeforeTheStop) {
  Stack stack(dir.path());
  auto box = container("box", "exec sleep 1000");
  mount(box, stack::MountKind::bind, dir.file("out"), "/out");
  box.spec.pre_stop.emplace_back().command = {"/bin/sh", "-c", "echo ending >> /out/log"};
  stack.supervisor->apply(plan({box}));
  ASSERT_TRUE(stack.up());
  ASSERT_TRUE(test::run(stack.io, stack.supervisor->pause_unit("box"), 30s));
  ASSERT_TRUE(test::run(stack.io, stack.supervisor->stop_unit("box"), 60s));
  EXPECT_EQ(test::read_file(dir.file("out/log")), "ending\n");
  stack.down();
}

TEST_F(ComposeTest, AKilledServiceHasTheCodeOfItsSignal) {
  Stack stack(dir.path());
  // Both would end well when they were asked to.
  auto web = container("web", "trap 'exit 0' TERM; while :; do sleep 0.1; done");
  auto worker = process("worker", "trap 'exit 0' TERM; while :; do sleep 0.1; done");
  web.spec.pre_stop.emplace_back().command = {"/bin/sh", "-c", "kill 1"};
  worker.spec.process->stop_command = {"/bin/sh", "-c", "touch " + dir.file("asked")};
  stack.supervisor->apply(plan({web, worker}));
  ASSERT_TRUE(stack.up());
  for (const auto* name : {"web", "worker"}) {
    ASSERT_TRUE(test::run(stack.io, stack.supervisor->signal_unit(name, "SIGKILL"), 60s));
    EXPECT_EQ(stack.unit(name).state, State::stopped);
    EXPECT_EQ(stack.unit(name).exit_code, 137) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(dir.file("asked")));
  stack.down();
}

TEST_F(ComposeTest, ExitedButUnchangedContainersAreStarted) {
  Stack stack(dir.path());
  auto once = container("once", "echo ran");
  stack.supervisor->apply(plan({once}));
  stack.reaches("once", State::completed);
  const auto id = stack.unit("once").id;
  const auto runs = [&] { return shell("docker logs " + name_of("once") + " | wc -l"); };
  EXPECT_EQ(runs(), "1");
  stack.supervisor->apply(plan({once}));
  EXPECT_TRUE(stack.eventually([&] { return runs() == "2"; }));
  stack.reaches("once", State::completed);
  EXPECT_EQ(stack.unit("once").id, id);
  stack.down();
}

TEST_F(ComposeTest, AnotherPullPolicyCountsForAServiceThatFailed) {
  Stack stack(dir.path());
  auto web = container("web", "exec sleep 1000");
  web.spec.image = "localhost:1/absent:" + project;
  web.spec.pull_policy = "never";
  stack.supervisor->apply(plan({web}));
  stack.reaches("web", State::failed);
  EXPECT_THAT(stack.unit("web").detail, HasSubstr("pull_policy is never"));
  web.spec.pull_policy = "missing";
  stack.supervisor->apply(plan({web}));
  EXPECT_TRUE(stack.eventually([&] {
    return stack.unit("web").state == State::failed &&
           stack.unit("web").detail.find("pull_policy is never") == std::string::npos;
  }));
  EXPECT_THAT(stack.unit("web").detail, HasSubstr("localhost:1"));
  stack.down();
}

TEST_F(ComposeTest, OnlyTheNamedServicesAreTouched) {
  Stack stack(dir.path());
  auto db = container("db", "exec sleep 1000");
  auto web = container("web", "exec sleep 1000");
  depend(web, "db", stack::DependencyCondition::started);
  auto other = container("other", "exec sleep 1000");
  ApplyOptions how;
  how.services = {"web"};
  stack.supervisor->apply(plan({db, web, other}), how);
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(shell("docker ps --filter label=io.devstack.project=" + project + " --format '{{.Names}}' | sort"),
            name_of("db") + "\n" + name_of("web"));
  const auto db_id = stack.unit("db").id;
  db.config_hash += "x";
  web.config_hash += "x";
  how.no_deps = true;
  stack.supervisor->apply(plan({db, web, other}), how);
  ASSERT_TRUE(stack.up());
  EXPECT_EQ(stack.unit("db").id, db_id);
  EXPECT_EQ(stack.unit("other").name, "");
  stack.supervisor->apply(plan({db, web, other}));
  ASSERT_TRUE(stack.up());
  EXPECT_NE(stack.unit("db").id, db_id);
  EXPECT_EQ(stack.unit("other").state, State::running);
  stack.down();
}

TEST_F(ComposeTest, ScalingDownRemovesTheHighestNumbers) {
  Stack stack(dir.path());
  auto box = container("box", "trap '' TERM; while :; do sleep 1000; done");
  box.spec.stop_grace_period = 2s;
  auto wanted = plan({box});
  for (int number = 2; number <= 6; ++number) wanted.units.push_back(instance(box, number));
  stack.supervisor->apply(wanted);
  ASSERT_TRUE(stack.up());
  wanted.units.resize(2);
  stack.supervisor->apply(wanted);
  ASSERT_TRUE(stack.eventually([&] { return stack.supervisor->status().healthy; }));
  EXPECT_EQ(shell("docker ps -a --filter label=io.devstack.project=" + project + " --format '{{.Names}}' | sort"),
            name_of("box", 1) + "\n" + name_of("box", 2))
      << "the highest numbers go";
  stack.down();
}

}  // namespace
}  // namespace devstack::supervisor
