// Frames of share groups through a journal.
#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "format/journal/journal_share.hpp"
#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("frames of share groups come back in their place, and one that is none is damage") {
  JournalWorld world;
  world.open();
  std::vector<std::byte> payload;
  const auto store = [&](format::JournalFrameType type) {
    const auto staged = world.journal->stage(journal::StagedFrame::encoded(type, payload));
    REQUIRE(staged);
    REQUIRE(world.journal->wait_durable(*staged));
  };
  format::encode_journal_share_progress({.group = "g", .start_offset = 5}, payload);
  store(format::JournalFrameType::share_progress);
  format::encode_journal_share_group({.group = "g"}, payload);
  store(format::JournalFrameType::share_group);
  world.open();
  CHECK(world.replayed == std::map<std::uint64_t, std::string>{{1, "progress of g"}, {2, "settings of g"}});
  store(format::JournalFrameType::share_progress);
  world.journal.reset();
  Collector collector;
  CHECK(world.read(collector).error().code() == Errc::corrupt_metadata);
  CHECK(collector.frames.empty());
}

}  // namespace
}  // namespace seriatim::test
