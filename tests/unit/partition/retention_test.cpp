#include "partition/retention.hpp"

#include <algorithm>
#include <optional>

#include "support/log_builder.hpp"
#include "unit/partition/read/reader_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::count_deletable;
using partition::RetentionInput;
using partition::SegmentList;

struct Shape {
  std::uint64_t bytes = 100;
  std::int64_t max_timestamp_ms = t0_ms;
};

/// Ten offsets a segment.
class RetentionTable {
 public:
  SegmentList list(const std::vector<Shape>& shapes) {
    std::vector<segment::SegmentPtr> segments;
    Offset base = 0;
    for (const Shape& shape : shapes) {
      segments.push_back(segment::Segment::sealed(world.environment.files, world.maps, temp.path(),
                                                  {.base_offset = base,
                                                   .end_position = shape.bytes,
                                                   .end_offset = shape.bytes == 0 ? base : base + 10,
                                                   .max_timestamp = {shape.max_timestamp_ms, base}}));
      base += 10;
    }
    return SegmentList(segments);
  }
  RetentionInput input(std::int64_t bytes, std::int64_t ms,
                       CleanupPolicy policy = CleanupPolicy::delete_) const {
    RetentionInput in{.now_ms = t0_ms + 1'000, .last_stable_offset = 1'000};
    in.config.retention_bytes = bytes;
    in.config.retention_ms = ms;
    in.config.cleanup_policy = policy;
    return in;
  }
  void write_log(Offset base, std::int64_t modified_ms) {
    const std::string path = temp / format::file_name(base, format::FileKind::log);
    write_log_file(path, LogBuilder(base).batch());
    must(must(os::posix_vfs().open(path, os::OpenMode::read_write))->set_modified_ms(modified_ms));
  }

  TempDir temp;
  PartitionWorld world;
};

TEST_CASE("by size, whole segments go while what remains does not fall below retention.bytes") {
  RetentionTable table;
  const auto list = table.list({{100}, {100}, {100}, {100}});
  struct Expected {
    std::int64_t retention_bytes;
    std::size_t count;
  };
  for (const Expected& row : {Expected{-1, 0},
                              {1'000, 0},
                              {400, 0},
                              {399, 0},
                              {301, 0},
                              {300, 1},
                              {299, 1},
                              {200, 2},
                              {100, 3},
                              {1, 3},
                              {0, 4}}) {
    CAPTURE(row.retention_bytes);
    CHECK(count_deletable(list, table.input(row.retention_bytes, -1)) == row.count);
  }
}

TEST_CASE("by time, segments go whose newest record is older than retention.ms, strictly") {
  RetentionTable table;
  const auto list =
      table.list({{100, t0_ms}, {100, t0_ms + 100}, {100, t0_ms + 900}});  // the clock is at + 1'000
  struct Expected {
    std::int64_t retention_ms;
    std::size_t count;
  };
  for (const Expected& row :
       {Expected{-1, 0}, {2'000, 0}, {1'000, 0}, {999, 1}, {900, 1}, {899, 2}, {100, 2}, {99, 3}, {0, 3}}) {
    CAPTURE(row.retention_ms);
    CHECK(count_deletable(list, table.input(-1, row.retention_ms)) == row.count);
  }
}

TEST_CASE("only a prefix goes: a segment that stays keeps all that follow it") {
  RetentionTable table;
  CHECK(count_deletable(table.list({{100, t0_ms - 500}, {100, t0_ms + 950}, {100, t0_ms - 500}}),
                        table.input(-1, 100)) == 1);
  CHECK(count_deletable(table.list({{500}, {100}, {100}}), table.input(600, -1)) == 0);
}

TEST_CASE("size goes on where the log start ended, and time where size ended") {
  RetentionTable table;
  const auto list = table.list({{100, t0_ms + 999}, {100, t0_ms + 999}, {100, t0_ms}, {100, t0_ms + 999}});
  auto input = table.input(250, 500);
  input.log_start = 10;
  CHECK(count_deletable(list, input) ==
        1);  // 300 bytes are left, of which none can go whole; the next is young
  input.config.retention_bytes = 200;
  CHECK(count_deletable(list, input) == 3);
}

TEST_CASE("segments wholly below the log start go under every policy, never the last one") {
  RetentionTable table;
  const auto list = table.list({{100}, {100}, {100}});
  struct Expected {
    Offset log_start;
    std::size_t count;
  };
  for (const auto policy :
       {CleanupPolicy::delete_, CleanupPolicy::compact, CleanupPolicy::compact_and_delete}) {
    for (const Expected& row : {Expected{0, 0}, {9, 0}, {10, 1}, {19, 1}, {20, 2}, {30, 2}}) {
      CAPTURE(row.log_start);
      auto input = table.input(-1, -1, policy);
      input.log_start = row.log_start;
      CHECK(count_deletable(list, input) == row.count);
    }
  }
}

TEST_CASE("under compact alone neither size nor time deletes anything; with delete both do") {
  RetentionTable table;
  const auto list = table.list({{100}, {100}, {100}});
  CHECK(count_deletable(list, table.input(0, 0, CleanupPolicy::compact)) == 0);
  CHECK(count_deletable(list, table.input(0, -1, CleanupPolicy::compact_and_delete)) == 3);
  CHECK(count_deletable(list, table.input(-1, 0, CleanupPolicy::compact_and_delete)) == 3);
}

TEST_CASE("INV-9: a segment stays while what follows it is not below the last stable offset") {
  RetentionTable table;
  const auto list = table.list({{100}, {100}, {100}});
  struct Expected {
    Offset last_stable_offset;
    std::size_t count;
  };
  for (const Expected& row : {Expected{0, 0}, {9, 0}, {10, 1}, {20, 2}, {29, 2}, {30, 3}}) {
    CAPTURE(row.last_stable_offset);
    auto by_size = table.input(0, -1);
    auto by_time = table.input(-1, 0);
    by_size.last_stable_offset = by_time.last_stable_offset = row.last_stable_offset;
    CHECK(count_deletable(list, by_size) == row.count);
    CHECK(count_deletable(list, by_time) == row.count);
  }
}

TEST_CASE("an empty segment is never deleted: it is where the log goes on") {
  RetentionTable table;
  CHECK(count_deletable(table.list({{100, t0_ms}, {0, -1}}), table.input(0, 0)) == 1);
  CHECK(count_deletable(table.list({{0, -1}}), table.input(0, 0)) == 0);
  CHECK(count_deletable(SegmentList(), table.input(0, 0)) == 0);
}

TEST_CASE("a segment with a record from the future, or with no timestamps, is as old as its file") {
  RetentionTable table;
  table.write_log(0, t0_ms);
  table.write_log(10, t0_ms);
  table.write_log(20, t0_ms + 990);
  const auto list = table.list({{100, t0_ms + 1'001}, {100, -1}, {100, t0_ms + 99'999'999}});
  CHECK(count_deletable(list, table.input(-1, 500)) == 2);
  CHECK(count_deletable(list, table.input(-1, 5)) == 3);
}

TEST_CASE("a segment of which no age can be had stays") {
  RetentionTable table;
  CHECK(count_deletable(table.list({{100, -1}, {100, t0_ms}}), table.input(-1, 0)) == 0);
}

// As the settings name them: all groups have read `consumed`, and one of another setting `unread`.
void name_groups(RetentionInput& input, std::optional<Offset> consumed, std::optional<Offset> unread) {
  if (consumed) {
    input.config.retention_consumed_groups = {"a", "b"};
    input.read.consumed = {.groups = {"a", "b"}, .below = *consumed};
  }
  if (unread) {
    input.config.retention_unread_groups = {"c"};
    input.read.unread = {.groups = {"c"}, .below = *unread};
  }
}

TEST_CASE("segments that every group has read go early, but for the last one") {
  RetentionTable table;
  const auto list = table.list({{100}, {100}, {100}});
  struct Expected {
    Offset consumed;
    std::size_t count;
  };
  for (const Expected& row : {Expected{0, 0}, {9, 0}, {10, 1}, {19, 1}, {20, 2}, {30, 2}}) {
    CAPTURE(row.consumed);
    for (const auto policy : {CleanupPolicy::delete_, CleanupPolicy::compact_and_delete}) {
      auto input = table.input(-1, -1, policy);
      name_groups(input, row.consumed, std::nullopt);
      CHECK(count_deletable(list, input) == row.count);
    }
    auto compacted = table.input(-1, -1, CleanupPolicy::compact);
    name_groups(compacted, row.consumed, std::nullopt);
    CHECK(count_deletable(list, compacted) == 0);
  }
}

TEST_CASE("INV-9: what was read goes no further than the last stable offset") {
  RetentionTable table;
  auto input = table.input(-1, -1);
  name_groups(input, 30, std::nullopt);
  input.last_stable_offset = 19;
  CHECK(count_deletable(table.list({{100}, {100}, {100}}), input) == 1);
}

TEST_CASE("size and time go on where reading ended") {
  RetentionTable table;
  const auto list = table.list({{100, t0_ms + 999}, {100, t0_ms + 999}, {100, t0_ms}, {100, t0_ms + 999}});
  auto by_size = table.input(300, -1);
  name_groups(by_size, 10, std::nullopt);
  CHECK(count_deletable(list, by_size) == 1);
  by_size.config.retention_bytes = 200;
  CHECK(count_deletable(list, by_size) == 2);
  auto by_time = table.input(-1, 500);
  CHECK(count_deletable(list, by_time) == 0);
  name_groups(by_time, 20, std::nullopt);
  CHECK(count_deletable(list, by_time) == 3);
}

TEST_CASE("neither size nor time nor other groups take what a group has not read") {
  RetentionTable table;
  const auto list = table.list({{100}, {100}, {100}});
  struct Expected {
    Offset unread;
    std::size_t count;
  };
  for (const Expected& row : {Expected{0, 0}, {9, 0}, {10, 1}, {19, 1}, {20, 2}, {29, 2}, {30, 3}}) {
    CAPTURE(row.unread);
    for (auto input : {table.input(0, -1), table.input(-1, 0), table.input(0, 0)}) {
      name_groups(input, std::nullopt, row.unread);
      CHECK(count_deletable(list, input) == row.count);
    }
    auto consumed = table.input(-1, -1);
    name_groups(consumed, 30, row.unread);
    CHECK(count_deletable(list, consumed) == std::min<std::size_t>(row.count, 2));
  }
}

TEST_CASE("what lies below the log start goes whoever has not read it") {
  RetentionTable table;
  auto input = table.input(-1, -1);
  name_groups(input, std::nullopt, 0);
  input.log_start = 20;
  CHECK(count_deletable(table.list({{100}, {100}, {100}}), input) == 2);
}

TEST_CASE("of groups that were not looked at nothing is known: they have read nothing") {
  RetentionTable table;
  const auto list = table.list({{100}, {100}, {100}});
  auto unread = table.input(0, 0);
  name_groups(unread, std::nullopt, 30);
  CHECK(count_deletable(list, unread) == 3);
  unread.config.retention_unread_groups.emplace_back("named since");
  CHECK(count_deletable(list, unread) == 0);
  auto consumed = table.input(-1, -1);
  name_groups(consumed, 30, std::nullopt);
  CHECK(count_deletable(list, consumed) == 2);
  consumed.config.retention_consumed_groups.emplace_back("named since");
  CHECK(count_deletable(list, consumed) == 0);
}

}  // namespace
}  // namespace seriatim::test
