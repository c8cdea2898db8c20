#include "core/base/suggest.h"

#include <gtest/gtest.h>

#include <array>

namespace devstack {
namespace {

constexpr std::array<std::string_view, 4> kKeys{"services", "registry", "templates", "ports"};

TEST(Suggest, FindsTheMistypedWord) {
  EXPECT_EQ(nearest("servcies", kKeys), "services");
  EXPECT_EQ(nearest("port", kKeys), "ports");
}

TEST(Suggest, StaysSilentWhenNothingIsNear) { EXPECT_EQ(nearest("volumes_from", kKeys), std::nullopt); }

}  // namespace
}  // namespace devstack
