#include "partition/read/time_lookup.hpp"

#include <map>

#include "partition/read/fetch_cursor.hpp"
#include "support/log_builder.hpp"
#include "support/random.hpp"
#include "unit/partition/read/reader_fixture.hpp"
#include "unit/partition/tail/tailing_log_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::find_max_timestamp;
using partition::find_offset_for_time;
using Found = std::optional<OffsetAndTimestamp>;

Found found(Offset offset, std::int64_t timestamp_ms) {
  return OffsetAndTimestamp{offset, Timestamp{std::chrono::milliseconds{timestamp_ms}}};
}

// The answers that a look at every record would give.
struct Model {
  std::map<Offset, std::int64_t> times;

  Found at_or_after(std::int64_t time_ms, Offset start) const {
    for (const auto& [offset, time] : times) {
      if (offset >= start && time >= time_ms) return found(offset, time);
    }
    return std::nullopt;
  }
  Found largest(Offset start) const {
    Found best;
    for (const auto& [offset, time] : times) {
      if (offset >= start && time >= 0 && (!best || time > best->timestamp.time_since_epoch().count()))
        best = found(offset, time);
    }
    return best;
  }
};

TEST_CASE(
    "a lookup by time gives what reading every record would, with times out of order, codecs, segments and a "
    "log start") {
  Random random("time_lookup");
  for (int round = 0; round < 20; ++round) {
    ReaderFixture fixture(4'000);
    Model model;
    const std::int64_t spread = random.between(1, 2'000);
    while (fixture.partition->segments().load()->size() < 5) {
      Wanted wanted{.records = static_cast<int>(random.between(1, 5))};
      const Offset base = fixture.partition->log_end_offset();
      for (int i = 0; i < wanted.records; ++i) {
        const std::int64_t time = base * 10 + random.between(0, spread);
        wanted.timestamps.push_back(random.one_in(20) ? -1 : time);
        model.times[base + i] = wanted.timestamps.back();
      }
      wanted.frame.codec = random.one_in(2) ? format::Codec::lz4 : format::Codec::none;
      fixture.append(wanted);
    }
    if (round % 2 == 1)
      must(fixture.partition->advance_log_start(random.between(1, fixture.partition->log_end_offset() - 1)));
    const Offset start = fixture.partition->log_start_offset();
    const std::int64_t last = fixture.partition->log_end_offset() * 10 + spread;
    for (int lookup = 0; lookup < 200; ++lookup) {
      const std::int64_t time = random.between(0, last + 10);
      CAPTURE(time);
      REQUIRE(must(find_offset_for_time(fixture.partition, time, fixture.partition->high_watermark())) ==
              model.at_or_after(time, start));
    }
    CHECK(must(find_max_timestamp(fixture.partition)) == model.largest(start));
  }
}

TEST_CASE("of a log append time batch the first record counts, since all have the batch's time") {
  ReaderFixture fixture;
  fixture.append({.records = 4,
                  .timestamps = {1, 2, 3, 4},
                  .frame = {.log_append_time = true, .append_time_ms = 5'000}});
  CHECK(must(find_offset_for_time(fixture.partition, 4'999, fixture.partition->high_watermark())) ==
        found(0, 5'000));
  CHECK(must(find_max_timestamp(fixture.partition)) == found(0, 5'000));
}

TEST_CASE("an empty log and one without timestamps have no record for any time") {
  ReaderFixture fixture;
  CHECK_FALSE(must(find_offset_for_time(fixture.partition, 0, fixture.partition->high_watermark())));
  CHECK_FALSE(must(find_max_timestamp(fixture.partition)));
  fixture.append({.records = 2, .timestamps = {-1, -1}});
  CHECK_FALSE(must(find_offset_for_time(fixture.partition, 0, fixture.partition->high_watermark())));
  CHECK_FALSE(must(find_max_timestamp(fixture.partition)));
}

TEST_CASE("the largest timestamp is found also when its record was deleted from the front") {
  ReaderFixture fixture(100'000);
  fixture.append({.timestamps = {9'000}});
  fixture.append({.timestamps = {100}});
  fixture.append({.timestamps = {100}});
  must(fixture.partition->advance_log_start(1));
  CHECK(must(find_max_timestamp(fixture.partition)) == found(1, 100));
}

TEST_CASE("a lookup that runs into damage says so") {
  ReaderFixture fixture(100'000);
  for (int i = 0; i < 3; ++i) fixture.append({.timestamp_ms = 1'000 + i});
  overwrite(fixture.log_path(0), format::records_at + 3, "\xFF\xFF");
  auto lookup = find_offset_for_time(fixture.partition, 1'002, fixture.partition->high_watermark());
  REQUIRE_FALSE(lookup);
  CHECK(lookup.error().code() == Errc::corrupt_record);
}

TEST_CASE("a lookup by time is right, or an error, whatever a time index says, also to who follows") {
  Random random("time_lookup damage");
  ReaderFixture fixture(1'500);
  Model model;
  while (fixture.partition->segments().load()->size() < 4) {
    // In each segment the largest is where it comes, and some repeat.
    const std::int64_t time = random.one_in(5) ? 900 : random.between(1, 100) * 5;
    const Offset offset = fixture.append({.timestamps = {time}}).base_offset;
    model.times[offset] = time;
  }
  const auto check = [&](const partition::PartitionLogPtr& log) {
    for (std::int64_t time = 0; time < 910; time += 7) {
      const auto lookup = find_offset_for_time(log, time, log->high_watermark());
      CAPTURE(time);
      REQUIRE((lookup || lookup.error().code() == Errc::corrupt_metadata));
      if (lookup) REQUIRE(*lookup == model.at_or_after(time, 0));
    }
    const auto largest = find_max_timestamp(log);
    if (largest) REQUIRE(*largest == model.largest(0));
  };
  const auto segments = fixture.partition->segments().load();
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string path = (*segments)[i]->time_index_path();
    const auto bytes = read_file(path);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      CAPTURE(bit);
      auto damaged = bytes;
      damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      // In place: the writer has it in its maps.
      overwrite(path, 0, base::as_text(damaged));
      check(fixture.partition);
      PartitionWorld world;
      check(follow(world, fixture.request));
    }
    for (std::size_t entries = 0; entries * 12 < bytes.size(); ++entries) {
      write_file(path, base::ByteSpan(bytes).first(entries * 12));
      PartitionWorld world;
      check(follow(world, fixture.request));
    }
    write_file(path, bytes);
  }
}

}  // namespace
}  // namespace seriatim::test
