#include "core/base/html.h"

#include <gtest/gtest.h>

namespace devstack {
namespace {

TEST(EscapeHtml, CoversTextAndAttributes) {
  EXPECT_EQ(escape_html("<a href='x'>\"&amp;\"</a>"), "&lt;a href=&#39;x&#39;&gt;&#34;&amp;amp;&#34;&lt;/a&gt;");
}

}  // namespace
}  // namespace devstack
