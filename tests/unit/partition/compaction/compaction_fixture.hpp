// A compacted partition, and what must be left of it.
#pragma once

#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {

inline constexpr std::int64_t day_ms = 86'400'000;

class CompactionFixture : public WriterFixture {
 public:
  explicit CompactionFixture(std::int64_t segment_bytes = 1'000)
      : WriterFixture(segment_bytes, CleanupPolicy::compact) {
    open();
  }
};

/// The rows that must be left of `all` after records below `map_end` were compacted.
inline std::vector<Row> compacted(const std::vector<Row>& all, Offset map_end) {
  std::map<Text, Offset> newest;
  for (const Row& row : all) {
    if (row.offset < map_end) newest[row.key] = row.offset;
  }
  std::vector<Row> kept;
  for (const Row& row : all) {
    if (row.offset >= map_end || (row.key && newest[row.key] == row.offset)) kept.push_back(row);
  }
  return kept;
}

}  // namespace seriatim::test
