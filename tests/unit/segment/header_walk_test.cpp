#include "segment/header_walk.hpp"

#include <set>

#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using test::LogBuilder;

namespace {

// A power of two, so that one bit of a length makes it that of two batches.
constexpr std::size_t batch_bytes = 1024;

std::vector<Offset> walked(segment::HeaderWalk& walk) {
  std::vector<Offset> offsets;
  while (const auto item = walk.next()) {
    CHECK(item->batch.size() == item->header.size_bytes());
    offsets.push_back(item->header.base_offset);
  }
  return offsets;
}

// 60 batches of one record, with an index entry for every fifth or so; `damaged` cannot be parsed.
struct Walked {
  explicit Walked(const std::set<std::size_t>& damaged = {}) {
    test::append(*writer, log);
    for (const std::size_t index : damaged) {
      const std::byte broken{9};
      auto file = test::must(os::posix_vfs().open(f.log_path(), os::OpenMode::read_write));
      test::must(file->write_at({&broken, 1}, log[index].position + format::magic_at));
    }
    pin = test::must(writer->segment()->pin());
  }
  segment::HeaderWalk from(Offset offset) const { return {*writer->segment(), *pin, offset}; }

  test::SegmentFixture f;
  LogBuilder log = LogBuilder().batches(60, {.size_bytes = batch_bytes});
  segment::SegmentWriterPtr writer = f.create();
  segment::SegmentPin pin;
};

}  // namespace

TEST_CASE("a walk gives every batch from the one that the index knows below the wanted offset") {
  const Walked w;
  auto whole = w.from(0);
  CHECK(walked(whole).size() == 60);
  CHECK_FALSE(whole.take_damage());
  auto part = w.from(40);
  const auto offsets = walked(part);
  CHECK(offsets.front() <= 40);
  CHECK(offsets.front() > 30);
  CHECK(offsets.back() == 59);
}

TEST_CASE("a walk passes over damage to the next batch that is sound, and tells of it once") {
  const Walked w({7});
  auto walk = w.from(0);
  const auto offsets = walked(walk);
  CHECK(std::count(offsets.begin(), offsets.end(), 6) == 1);
  CHECK(std::count(offsets.begin(), offsets.end(), 7) == 0);
  CHECK(offsets.size() == 59);
  CHECK(offsets.back() == 59);
  CHECK(walk.take_damage());
  CHECK_FALSE(walk.take_damage());
}

TEST_CASE("a length that was flipped so that it ends with another batch hides none behind it") {
  const Walked w;
  auto file = test::must(os::posix_vfs().open(w.f.log_path(), os::OpenMode::read_write));
  std::array<std::byte, 4> length{};
  base::store_be(length.data(), static_cast<std::int32_t>(2 * batch_bytes - format::log_overhead));
  test::must(file->write_at(length, w.log[7].position + format::length_at));
  auto walk = w.from(0);
  const auto offsets = walked(walk);
  CHECK(walk.take_damage());
  CHECK(std::count(offsets.begin(), offsets.end(), 8) == 1);
  CHECK(offsets.size() == 60);
}

TEST_CASE("a walk tells of damage behind which nothing is known") {
  const Walked w({59});
  auto walk = w.from(0);
  CHECK(walked(walk).back() == 58);
  CHECK(walk.take_damage());
}

TEST_CASE("an index that points into the midst of a batch is not believed") {
  const Walked w;
  const auto entry = w.pin->offset_index.floor(40);
  std::array<std::byte, 4> position{};
  base::store_be(position.data(), static_cast<std::uint32_t>(entry.position + 1));
  for (std::size_t i = 0; i < w.pin->offset_index.count(); ++i) {
    if (w.pin->offset_index.at(i).position != entry.position) continue;
    auto file = test::must(os::posix_vfs().open(w.f.index_path(), os::OpenMode::read_write));
    test::must(file->write_at(position, i * format::offset_index_entry_bytes + 4));
  }
  REQUIRE(w.pin->offset_index.floor(40).position == entry.position + 1);
  auto walk = w.from(40);
  CHECK(walked(walk).size() == 60);
}
