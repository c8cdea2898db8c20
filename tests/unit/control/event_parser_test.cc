#include "core/control/event_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/http/message.h"

namespace devstack::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Event = EventParser::Event;

TEST(EventParser, ReadsWhatTheServerWrites) {
  EventParser parser;
  EXPECT_THAT(parser.add(http::sse_event("status", "{\"a\":1}\nsecond")),
              ElementsAre(Event{"status", "{\"a\":1}\nsecond"}));
}

TEST(EventParser, PiecesMayBeCutAnywhere) {
  const std::string text = "event: a\r\ndata: one\r\n\r\n: quiet\n\nevent:b\ndata:two\ndata: three\n\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EventParser parser;
    auto events = parser.add(std::string_view(text).substr(0, cut));
    for (auto& event : parser.add(std::string_view(text).substr(cut))) events.push_back(event);
    EXPECT_THAT(events, ElementsAre(Event{"a", "one"}, Event{"b", "two\nthree"})) << cut;
  }
}

TEST(EventParser, EventWithoutDataIsNone) {
  EventParser parser;
  EXPECT_THAT(parser.add("event: a\n\n: comment\n\n"), IsEmpty());
  EXPECT_THAT(parser.add("data: x\n\n"), ElementsAre(Event{"", "x"}));
}

}  // namespace
}  // namespace devstack::control
