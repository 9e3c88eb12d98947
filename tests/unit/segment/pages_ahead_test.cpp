// Pages made present ahead of the appender, by another thread.
#include "segment/pages_ahead.hpp"

#include <doctest/doctest.h>

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <thread>

#include "support/random.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::Segment;
using test::LogBuilder;

namespace {

constexpr std::uint64_t mib = 1ULL << 20;

// Keeps what was asked for, for the test to do.
struct Requests final : segment::Prefaulter {
  void request(segment::SegmentPtr segment) noexcept override {
    last = std::move(segment);
    ++count;
  }
  segment::SegmentPtr last{};
  int count = 0;
};

struct PrefaultFixture : test::SegmentFixture {
  PrefaultFixture() { context.prefaulter = &requests; }
  Requests requests;

  // Appends batches of 64 KiB until the log holds `bytes`.
  void fill(segment::SegmentWriter& writer, std::uint64_t bytes) {
    while (writer.append_position() < bytes)
      test::append(writer, LogBuilder(writer.segment()->end_offset()).batch({.size_bytes = 64 * 1024}));
  }
};

bool is_present(Segment& segment, std::uint64_t position) {
  const auto pin = test::must(segment.pin());
  unsigned char page = 0;
  REQUIRE(::mincore(pin->log.data() + (position & ~4095ULL), 1, &page) == 0);
  return (page & 1U) != 0;
}

}  // namespace

TEST_CASE("a small segment asks nobody, a larger one asks once for every half of the distance") {
  PrefaultFixture f;
  const auto writer = f.create();
  const auto segment = writer->segment();
  f.fill(*writer, mib / 2);
  CHECK(f.requests.count == 0);
  f.fill(*writer, 9 * mib);
  CHECK(f.requests.last == segment);
  CHECK(f.requests.count >= 3);
  CHECK(f.requests.count <= 9);
}

TEST_CASE("what was asked for is present after prefault, and appending goes on into it") {
  PrefaultFixture f;
  const auto writer = f.create();
  const auto segment = writer->segment();
  f.fill(*writer, mib + mib / 2);
  REQUIRE(f.requests.count > 0);
  CHECK_FALSE(is_present(*segment, 4 * mib));
  segment->prefault();
  CHECK(is_present(*segment, 4 * mib));
  const auto end = segment->end_offset();
  f.fill(*writer, 4 * mib);
  CHECK(segment->end_offset() > end);
  test::must(writer->seal());
  CHECK(test::file_size(f.log_path()) == segment->end_position());
}

TEST_CASE("a request that comes too late finds nothing to do: after a trim, a seal, a deletion") {
  PrefaultFixture f;
  const auto writer = f.create();
  const auto segment = writer->segment();
  f.fill(*writer, mib + mib / 2);
  test::must(writer->trim());
  const auto size = test::file_size(f.log_path());
  segment->prefault();
  CHECK(test::file_size(f.log_path()) == size);
  f.fill(*writer, 2 * mib);
  test::must(writer->seal());
  segment->prefault();
  CHECK(test::file_size(f.log_path()) == segment->end_position());
  segment->mark_deleted();
  segment->prefault();
}

TEST_CASE("appending, trimming and prefaulting at once lose no byte and never touch what was cut off") {
  PrefaultFixture f;
  test::Random random("segment_prefault");
  const auto writer = f.create();
  const auto segment = writer->segment();
  std::atomic<bool> done{false};
  std::thread helper([&] {
    while (!done.load()) segment->prefault();
  });
  LogBuilder expected;
  while (segment->end_position() < 12 * mib) {
    constexpr std::array<std::size_t, 4> sizes{200, 5000, 70'000, 128 * 1024};
    const std::size_t size = sizes[static_cast<std::size_t>(random.between(0, sizes.size() - 1))];
    const auto batch = LogBuilder(segment->end_offset()).batch({.size_bytes = size});
    test::append(*writer, batch);
    expected.batch({.size_bytes = size});
    if (random.one_in(40)) test::must(writer->trim());
  }
  test::must(writer->seal());
  done = true;
  helper.join();
  CHECK(test::visible(*segment) == expected.bytes());
  CHECK(test::file_size(f.log_path()) == segment->end_position());
}
