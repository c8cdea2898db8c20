#include "core/supervisor/path_watch.h"

#include <gtest/gtest.h>

namespace devstack::supervisor {
namespace {

TEST(PathWatch, IgnoresWhatIsNotTheUsersText) {
  for (const char* name : {".git", "node_modules", "__pycache__", "main.pyc", "main.c~", ".main.c.swp", "4913",
                           ".#main.c", "#main.c#", "main.c___jb_tmp___", ".goutputstream-X1"}) {
    EXPECT_TRUE(ignored_name(name)) << name;
  }
  for (const char* name : {"main.c", ".env", "gitignore", "swp", "node_modules.txt", ""}) {
    EXPECT_FALSE(ignored_name(name)) << name;
  }
}

}  // namespace
}  // namespace devstack::supervisor
