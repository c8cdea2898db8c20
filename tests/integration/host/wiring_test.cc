// Real files in a tree of the test's own: the machine below --root.
#include "core/host/wiring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/run.h"
#include "tests/support/temp_dir.h"

namespace devstack::host {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kCrashed = 42;

struct Tree {
  Tree() : root(dir.file("root")) { fs::create_directories(root + "/etc"); }
  void write(const std::string& path, const std::string& text, mode_t mode = 0644) const {
    fs::create_directories(fs::path(root + path).parent_path());
    std::ofstream(root + path, std::ios::binary) << text;
    ::chmod((root + path).c_str(), mode);
  }
  void link(const std::string& path, const std::string& target) const {
    fs::create_directories(fs::path(root + path).parent_path());
    fs::create_symlink(target, root + path);
  }
  [[nodiscard]] std::string text(const std::string& path) const { return test::read_file(root + path); }

  /// Everything that a user could see of it but the state directory.
  [[nodiscard]] std::map<std::string, std::string> picture() const {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string name = entry.path().string().substr(root.size());
      if (name.starts_with("/var")) continue;
      struct stat status {};
      ::lstat(entry.path().c_str(), &status);
      auto& line = out[name];
      line = fmt::format("{:o} {} {} ", status.st_mode, status.st_uid, status.st_gid);
      if (entry.is_symlink()) {
        line += fs::read_symlink(entry.path()).string();
      } else if (entry.is_regular_file()) {
        line += fmt::format("{}.{} {}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec, test::read_file(entry.path()));
      }
    }
    return out;
  }
  [[nodiscard]] WiringOptions options() const {
    WiringOptions out;
    out.root = root;
    return out;
  }
  test::TempDir dir;
  std::string root;
};

HostSettings settings(const std::string& address = "172.17.0.1") {
  HostSettings out;
  out.address = address;
  out.search = "service.consul";
  return out;
}

Result<SetupReport> set_up(const WiringOptions& options, const HostSettings& wanted = settings()) {
  asio::io_context io;
  return test::run(io, setup(options, wanted));
}
Result<UndoReport> take_back(const WiringOptions& options, bool force = false) {
  asio::io_context io;
  return test::run(io, undo(options, force));
}

/// A machine of each kind; the names end in what makes it one.
void plain_with_docker(const Tree& tree) {
  tree.write("/etc/resolv.conf", "# by hand\nnameserver 10.0.0.1\noptions timeout:1", 0640);
  tree.write("/etc/docker/daemon.json", "{\n\t\"bip\": \"172.17.0.1/16\"\n}", 0600);
  tree.write("/usr/bin/dockerd", "");
}
void linked_resolv_conf(const Tree& tree) {
  tree.write("/run/resolvconf/resolv.conf", "nameserver 10.0.0.1\n");
  tree.link("/etc/resolv.conf", "/run/resolvconf/resolv.conf");
  tree.write("/usr/bin/dockerd", "");  // and no /etc/docker
}
void resolved(const Tree& tree) {
  tree.write("/run/systemd/resolve/stub-resolv.conf", "nameserver 127.0.0.53\n");
  tree.link("/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
  tree.write("/etc/systemd/resolved.conf", "[Resolve]\n#DNS=\nDNS=9.9.9.9\n");
}
void network_manager(const Tree& tree) {
  tree.write("/etc/resolv.conf", "nameserver 127.0.0.1\n");
  tree.write("/etc/NetworkManager/conf.d/dns.conf", "[main]\ndns=dnsmasq\n");
}
using Kind = void (*)(const Tree&);
const std::vector<Kind> kKinds{plain_with_docker, linked_resolv_conf, resolved, network_manager};

/// Runs `work` in a child that dies as by SIGKILL after its `steps`th step. Whether it got that far.
bool dies_at(int steps, WiringOptions options, const std::function<bool(const WiringOptions&)>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    int left = steps;
    options.on_step = [&left](std::string_view /*name*/) {
      if (--left == 0) ::_exit(kCrashed);
    };
    ::_exit(work(options) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_THAT(WEXITSTATUS(status), ::testing::AnyOf(0, kCrashed)) << "step " << steps;
  return WEXITSTATUS(status) == kCrashed;
}

TEST(HostWiring, UndoGivesBackEveryByteModeLinkAndTime) {
  for (const auto kind : kKinds) {
    Tree tree;
    kind(tree);
    const auto before = tree.picture();
    const auto done = set_up(tree.options());
    ASSERT_TRUE(done) << done.error().to_string();
    EXPECT_FALSE(done->changes.empty());
    EXPECT_NE(tree.picture(), before);
    const auto back = take_back(tree.options());
    ASSERT_TRUE(back) << back.error().to_string();
    EXPECT_THAT(back->kept, IsEmpty());
    EXPECT_EQ(tree.picture(), before);
    EXPECT_FALSE(fs::exists(tree.root + "/var/lib/devstack/host"));
    EXPECT_THAT(take_back(tree.options())->restored, IsEmpty());
  }
}

TEST(HostWiring, ASecondSetupChangesNothing) {
  for (const auto kind : kKinds) {
    Tree tree;
    kind(tree);
    ASSERT_TRUE(set_up(tree.options()));
    const auto wired = tree.picture();
    const auto journal = tree.text("/var/lib/devstack/host/journal");
    EXPECT_THAT(set_up(tree.options())->changes, IsEmpty());
    EXPECT_EQ(tree.picture(), wired);
    EXPECT_EQ(tree.text("/var/lib/devstack/host/journal"), journal);
    EXPECT_TRUE(status(tree.options(), settings("10.9.9.9"))->wired);
  }
}

TEST(HostWiring, NewSettingsReplaceTheOldOnes) {
  for (const auto kind : kKinds) {
    Tree tree, fresh;
    kind(tree);
    kind(fresh);
    const auto before = tree.picture();
    ASSERT_TRUE(set_up(tree.options()));
    ASSERT_TRUE(set_up(tree.options(), settings("172.18.0.1")));
    ASSERT_TRUE(set_up(fresh.options(), settings("172.18.0.1")));
    const auto second = tree.picture();
    for (const auto& [path, line] : fresh.picture()) {
      if (fs::is_regular_file(tree.root + path)) {
        EXPECT_EQ(tree.text(path), fresh.text(path));
      }
      EXPECT_TRUE(second.contains(path)) << path;
    }
    ASSERT_TRUE(take_back(tree.options()));
    EXPECT_EQ(tree.picture(), before);
  }
}

TEST(HostWiring, ACrashAfterAnyStepOfSetupCanBeUndoneOrFinished) {
  for (const auto kind : kKinds) {
    for (const bool again : {false, true}) {
      bool crashed = true;
      for (int steps = 1; crashed; ++steps) {
        ASSERT_LT(steps, 100);
        Tree tree;
        kind(tree);
        const auto before = tree.picture();
        crashed = dies_at(steps, tree.options(), [](const auto& options) { return set_up(options).has_value(); });
        if (again) {
          ASSERT_TRUE(set_up(tree.options())) << steps;
          EXPECT_TRUE(status(tree.options(), settings())->wired) << steps;
        }
        ASSERT_TRUE(take_back(tree.options())) << steps;
        EXPECT_EQ(tree.picture(), before) << steps;
      }
    }
  }
}

TEST(HostWiring, ACrashWhileSettingsChangeOrWhileUndoingCanBeUndone) {
  for (const auto kind : kKinds) {
    for (const bool undoing : {false, true}) {
      bool crashed = true;
      for (int steps = 1; crashed; ++steps) {
        ASSERT_LT(steps, 100);
        Tree tree;
        kind(tree);
        const auto before = tree.picture();
        ASSERT_TRUE(set_up(tree.options()));
        auto fewer = settings("172.18.0.1");
        fewer.docker = false;
        crashed = dies_at(steps, tree.options(), [&](const auto& options) {
          return undoing ? take_back(options).has_value() : set_up(options, fewer).has_value();
        });
        const auto back = take_back(tree.options());
        ASSERT_TRUE(back) << steps;
        EXPECT_THAT(back->kept, IsEmpty());
        EXPECT_EQ(tree.picture(), before) << steps;
      }
    }
  }
}

TEST(HostWiring, AFullDiskLeavesNothingHalfApplied) {
  Tree tree;
  plain_with_docker(tree);
  tree.write("/etc/docker/daemon.json", "{\"labels\": [\"" + std::string(3000, 'x') + "\"]}");
  const auto before = tree.picture();
  int refused = 0;
  // No file may grow past the limit: the journal and each file meet it at another step.
  for (rlim_t limit = 0; limit < 12000; limit += 150) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit size{limit, limit};
      ::setrlimit(RLIMIT_FSIZE, &size);
      ::_exit(set_up(tree.options()) ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 1) {
      ++refused;
      ASSERT_EQ(tree.picture(), before) << limit;
    } else {
      ASSERT_NE(tree.picture(), before) << limit;
    }
    ASSERT_TRUE(take_back(tree.options()));
    ASSERT_EQ(tree.picture(), before) << limit;
  }
  EXPECT_GT(refused, 20);
  EXPECT_LT(refused, 80);
}

TEST(HostWiring, WhatSomebodyElseChangedSinceStaysTheirs) {
  Tree tree;
  plain_with_docker(tree);
  const auto before = tree.picture();
  ASSERT_TRUE(set_up(tree.options()));
  const auto theirs = tree.text("/etc/resolv.conf") + "options ndots:2\n";
  tree.write("/etc/resolv.conf", theirs);
  const auto back = take_back(tree.options());
  ASSERT_TRUE(back);
  EXPECT_THAT(back->restored, ElementsAre("/etc/docker/daemon.json"));
  EXPECT_THAT(back->kept,
              ElementsAre(HasSubstr("/etc/resolv.conf was changed by somebody else since and still names")));
  EXPECT_EQ(tree.text("/etc/resolv.conf"), theirs);
  ASSERT_TRUE(take_back(tree.options(), true));
  EXPECT_EQ(tree.picture(), before);
}

TEST(HostWiring, TheAddressOfAnEarlierSetupIsOursToo) {
  Tree tree;
  plain_with_docker(tree);
  ASSERT_TRUE(set_up(tree.options()));
  ASSERT_TRUE(set_up(tree.options(), settings("172.18.0.1")));
  tree.write("/etc/resolv.conf", "nameserver 172.17.0.1\nnameserver 9.9.9.9\n");
  const auto back = take_back(tree.options());
  ASSERT_TRUE(back);
  EXPECT_THAT(back->kept, ElementsAre(HasSubstr("changed by somebody else since and still names 172.17.0.1:")));
}

TEST(HostWiring, AFileThatCannotBePutBackKeepsNoOtherFromIt) {
  Tree tree;
  plain_with_docker(tree);
  const auto before = tree.picture();
  ASSERT_TRUE(set_up(tree.options()));
  // Where the new file would be written first; daemon.json is the first to be put back.
  const auto in_the_way = tree.root + "/etc/docker/.daemon.json.devstack-new";
  fs::create_directory(in_the_way);
  const auto back = take_back(tree.options());
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_THAT(back->restored, ElementsAre("/etc/resolv.conf"));
  EXPECT_THAT(back->kept, ElementsAre(AllOf(HasSubstr("/etc/docker/daemon.json is not as it was: "),
                                            HasSubstr("cannot make a file beside"), HasSubstr("host undo` again"))));
  fs::remove(in_the_way);
  const auto rest = take_back(tree.options());
  ASSERT_TRUE(rest);
  EXPECT_THAT(rest->restored, ElementsAre("/etc/docker/daemon.json"));
  EXPECT_THAT(rest->kept, IsEmpty());
  EXPECT_EQ(tree.picture(), before);
  EXPECT_FALSE(fs::exists(tree.root + "/var/lib/devstack/host"));
}

TEST(HostWiring, AFileThatCannotBeReadKeepsNoOtherFromBeingPutBack) {
  Tree tree;
  plain_with_docker(tree);
  ASSERT_TRUE(set_up(tree.options()));
  tree.write("/etc/docker/daemon.json", std::string((1U << 20U) + 1U, ' '));
  const auto back = take_back(tree.options());
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_THAT(back->restored, ElementsAre("/etc/resolv.conf"));
  EXPECT_THAT(back->kept, ElementsAre(HasSubstr("larger than 1 MiB")));
}

TEST(HostWiring, AFileThatWasReplacedSinceNeedsNoUndo) {
  Tree tree;
  plain_with_docker(tree);
  ASSERT_TRUE(set_up(tree.options()));
  tree.write("/etc/resolv.conf", "# Generated by NetworkManager\nnameserver 192.168.1.1\n");
  const auto seen = status(tree.options(), settings());
  EXPECT_FALSE(seen->wired);
  EXPECT_THAT(seen->notes, Contains(HasSubstr("NetworkManager writes resolv.conf")));
  const auto back = take_back(tree.options());
  EXPECT_THAT(back->kept, IsEmpty());
  EXPECT_THAT(back->notes, Contains(HasSubstr("nothing of ours is left in it")));
  EXPECT_EQ(tree.text("/etc/resolv.conf"), "# Generated by NetworkManager\nnameserver 192.168.1.1\n");
  EXPECT_FALSE(fs::exists(tree.root + "/var/lib/devstack/host"));
}

TEST(HostWiring, AFolderThatOthersUseByNowStays) {
  Tree tree;
  resolved(tree);
  ASSERT_TRUE(set_up(tree.options()));
  tree.write("/etc/systemd/resolved.conf.d/other.conf", "[Resolve]\n");
  ASSERT_TRUE(take_back(tree.options()));
  EXPECT_FALSE(fs::exists(tree.root + "/etc/systemd/resolved.conf.d/devstack.conf"));
  EXPECT_TRUE(fs::exists(tree.root + "/etc/systemd/resolved.conf.d/other.conf"));
}

TEST(HostWiring, ADaemonJsonThatIsNoJsonStopsItBeforeAnything) {
  Tree tree;
  plain_with_docker(tree);
  tree.write("/etc/docker/daemon.json", "{\n  oops\n}\n");
  const auto before = tree.picture();
  const auto refused = set_up(tree.options());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().to_string(), HasSubstr("/etc/docker/daemon.json:2:3: this is not JSON"));
  EXPECT_EQ(tree.picture(), before);
  EXPECT_FALSE(fs::exists(tree.root + "/var/lib/devstack/host"));
}

TEST(HostWiring, LinksOfATreeDoNotLeadOutOfIt) {
  Tree tree;
  tree.write("/etc/resolv.conf", "nameserver 10.0.0.1\n");
  tree.write("/usr/bin/dockerd", "");
  test::TempDir outside;
  tree.link("/etc/docker", outside.path());
  fs::create_directories(tree.root + outside.path());
  ASSERT_TRUE(set_up(tree.options()));
  EXPECT_THAT(tree.text(outside.path() + "/daemon.json"), HasSubstr("172.17.0.1"));
  EXPECT_TRUE(fs::is_empty(outside.path()));
}

TEST(HostWiring, AJournalThatAnImagesLinkLeadsOutOfItIsRefused) {
  test::TempDir outside;
  const std::string precious = outside.write("devstack/host/journal", "precious");
  for (const char* link : {"/var", "/var/lib", "/var/lib/devstack", "/var/lib/devstack/host/journal"}) {
    Tree tree;
    plain_with_docker(tree);
    const auto before = tree.picture();
    const bool folder = !std::string_view(link).ends_with("journal");
    // What comes below the link is there already, or is yet to be made.
    tree.link(link, folder ? outside.file("devstack") : precious);
    const auto refused = set_up(tree.options());
    ASSERT_FALSE(refused) << link;
    if (folder) {
      EXPECT_EQ(refused.error().code, Errc::invalid_argument);
      EXPECT_THAT(refused.error().to_string(), HasSubstr("out of the tree"));
    }
    EXPECT_FALSE(take_back(tree.options())) << link;
    EXPECT_FALSE(preview(tree.options(), settings())) << link;
    EXPECT_FALSE(status(tree.options(), settings())) << link;
    EXPECT_EQ(tree.picture(), before) << link;
    EXPECT_EQ(test::read_file(precious), "precious") << link;
    EXPECT_FALSE(fs::exists(outside.file("devstack/lib"))) << link;
    EXPECT_FALSE(fs::exists(outside.file("devstack/devstack"))) << link;
  }
}

TEST(HostWiring, AJournalBehindALinkThatStaysInTheTreeIsUsed) {
  Tree tree;
  plain_with_docker(tree);
  const auto before = tree.picture();
  fs::create_directories(tree.root + "/var/data");
  tree.link("/var/lib", "data");
  ASSERT_TRUE(set_up(tree.options()));
  EXPECT_TRUE(fs::exists(tree.root + "/var/data/devstack/host/journal"));
  ASSERT_TRUE(take_back(tree.options()));
  EXPECT_EQ(tree.picture(), before);
}

TEST(HostWiring, ARootThatIsNotThereIsAnErrorOfUndoToo) {
  Tree tree;
  auto options = tree.options();
  options.root += "/typo";
  const auto back = take_back(options);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, Errc::not_found);
}

TEST(HostWiring, APreviewChangesNothing) {
  Tree tree;
  plain_with_docker(tree);
  const auto before = tree.picture();
  const auto seen = preview(tree.options(), settings());
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->changes.size(), 2U);
  EXPECT_EQ(tree.picture(), before);
  EXPECT_FALSE(fs::exists(tree.root + "/var"));
  EXPECT_FALSE(status(tree.options(), settings())->wired);
}

}  // namespace
}  // namespace devstack::host
