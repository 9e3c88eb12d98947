#include "segment/map_cache.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <thread>

#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::SegmentPtr;

namespace {

// Sealed, synced segments with one batch each, as they are described after a restart.
std::vector<SegmentPtr> make_sealed(test::SegmentFixture& f, int count) {
  std::vector<SegmentPtr> segments;
  for (Offset base = 0; base < count; ++base) {
    const auto log = test::LogBuilder(base).batch({.size_bytes = 500});
    test::write_file(f.log_path(base), log.bytes());
    test::write_file(f.index_path(base), {});
    test::write_file(f.time_index_path(base), {});
    segments.push_back(segment::Segment::sealed(
        f.context, f.maps, f.directory, {.base_offset = base, .end_position = 500, .end_offset = base + 1}));
  }
  return segments;
}

std::size_t count_mapped_logs(const std::string& directory) {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(directory) != std::string::npos && line.ends_with(".log")) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("no more sealed segments stay mapped than the cache allows") {
  test::SegmentFixture f(4);
  const auto segments = make_sealed(f, 20);
  CHECK(count_mapped_logs(f.directory) == 0);
  for (int round = 0; round < 3; ++round) {
    for (const auto& segment : segments) {
      CHECK(test::visible(*segment).size() == 500);
      CHECK(f.maps.size() <= 4);
    }
  }
  CHECK(count_mapped_logs(f.directory) == 4);
}

TEST_CASE("a pin keeps its bytes when the cache lets go, and is shared by who comes next") {
  test::SegmentFixture f(1);
  const auto segments = make_sealed(f, 5);
  const auto pin = test::must(segments[0]->pin());
  const auto expected = test::visible(*segments[0]);
  for (const auto& segment : segments) test::must(segment->pin());
  for (const auto& segment : segments) test::must(segment->pin());
  CHECK(std::equal(expected.begin(), expected.end(), pin->log.data()));
  CHECK(segments[0]->is_pinned());
  CHECK(test::must(segments[0]->pin()) == pin);
}

TEST_CASE("what is used again and again stays mapped while others pass through") {
  test::SegmentFixture f(8);
  const auto segments = make_sealed(f, 60);
  const std::weak_ptr<segment::SegmentMaps> hot = test::must(segments[0]->pin());
  for (const auto& segment : segments) {
    test::must(segment->pin());
    test::must(segments[0]->pin());
    CHECK_FALSE(hot.expired());
  }
}

TEST_CASE("segments leave the cache when they are destroyed or deleted") {
  test::SegmentFixture f(8);
  auto segments = make_sealed(f, 4);
  for (const auto& segment : segments) test::must(segment->pin());
  CHECK(f.maps.size() == 4);
  segments[1]->mark_deleted();
  CHECK(f.maps.size() == 3);
  segments.clear();
  CHECK(f.maps.size() == 0);
}

TEST_CASE("threads may pin, drop and destroy segments at once") {
  test::SegmentFixture f(3);
  const auto segments = make_sealed(f, 12);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t i = 0; i < 300; ++i) {
        const std::size_t which = (i * 7 + thread * 5) % segments.size();
        const auto pin = segments[which]->pin();
        if (!pin || pin.value()->log.data()[7] != static_cast<std::byte>(which))
          FAIL_CHECK("segment " << which);
        // One of its own, destroyed while it may be a candidate for eviction.
        const auto other = segment::Segment::sealed(
            f.context, f.maps, f.directory, {.base_offset = static_cast<Offset>(which), .end_position = 500});
        if (!other->pin()) FAIL_CHECK("own segment " << which);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(f.maps.size() <= 3);
}
