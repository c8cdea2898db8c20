#include "core/docker/tar.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>

#include "tests/support/temp_dir.h"

namespace devstack::docker {
namespace {

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string out;
  std::array<char, 4096> buffer{};
  while (const auto count = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) out.append(buffer.data(), count);
  return out;
}

TEST(Tar, TheSystemsTarReadsIt) {
  const test::TempDir dir;
  const std::string long_name = std::string(90, 'd') + "/" + std::string(60, 'f');
  const auto path = dir.write("t.tar", tar_of({{"bin/", "", 0755},
                                               {"bin/tool", std::string(1000, 'x'), 0755},
                                               {"empty", "", 0600},
                                               {"exact", std::string(512, 'y'), 0644},
                                               {long_name, "deep", 0644}}));
  const auto list = output_of("tar --numeric-owner -tvf " + path + " 2>&1 | tr -s ' ' | cut -d' ' -f1-3,6");
  EXPECT_EQ(list,
            "drwxr-xr-x 0/0 0 bin/\n-rwxr-xr-x 0/0 1000 bin/tool\n-rw------- 0/0 0 empty\n-rw-r--r-- 0/0 512 exact\n"
            "-rw-r--r-- 0/0 4 " +
                long_name + "\n");
  EXPECT_EQ(output_of("tar -xOf " + path + " bin/tool"), std::string(1000, 'x'));
  EXPECT_EQ(output_of("tar -xOf " + path + " " + long_name), "deep");
}

TEST(Tar, SameEntriesGiveSameBytesInWholeBlocks) {
  const std::vector<TarEntry> entries{{"a", "1", 0644}};
  EXPECT_EQ(tar_of(entries), tar_of(entries));
  EXPECT_EQ(tar_of(entries).size(), 4U * 512U);
}

}  // namespace
}  // namespace devstack::docker
