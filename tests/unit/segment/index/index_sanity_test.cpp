#include "segment/index/index_sanity.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "format/index_entry.hpp"

using namespace seriatim;

namespace {

std::vector<std::byte> offset_entries(const std::vector<std::pair<std::int32_t, std::int32_t>>& entries) {
  std::vector<std::byte> bytes(entries.size() * format::offset_index_entry_bytes);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    format::store_offset_index_entry(bytes.data() + i * format::offset_index_entry_bytes,
                                     {entries[i].first, entries[i].second});
  }
  return bytes;
}

std::vector<std::byte> time_entries(const std::vector<std::pair<std::int64_t, std::int32_t>>& entries) {
  std::vector<std::byte> bytes(entries.size() * format::time_index_entry_bytes);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    format::store_time_index_entry(bytes.data() + i * format::time_index_entry_bytes,
                                   {entries[i].first, entries[i].second});
  }
  return bytes;
}

}  // namespace

TEST_CASE("offset entries are sane as long as both columns increase below the end") {
  using segment::sane_offset_entries;
  CHECK(sane_offset_entries({}, 1000) == 0);
  CHECK(sane_offset_entries(offset_entries({{3, 100}, {6, 200}, {9, 300}}), 1000) == 3);
  CHECK(sane_offset_entries(offset_entries({{3, 100}, {3, 200}}), 1000) == 1);
  CHECK(sane_offset_entries(offset_entries({{3, 100}, {4, 100}}), 1000) == 1);
  CHECK(sane_offset_entries(offset_entries({{3, 100}, {4, 1000}}), 1000) == 1);
  CHECK(sane_offset_entries(offset_entries({{-1, 100}}), 1000) == 0);
  CHECK(sane_offset_entries(offset_entries({{0, -100}}), 1000) == 0);
}

TEST_CASE("a lost page of an offset index, which is zeros, ends what is believed") {
  CHECK(segment::sane_offset_entries(offset_entries({{3, 100}, {0, 0}, {9, 300}}), 1000) == 1);
  // The first batch of a segment has no entry, so not even the first one may be zeros.
  CHECK(segment::sane_offset_entries(offset_entries({{0, 0}, {9, 300}}), 1000) == 0);
}

TEST_CASE("time entries are sane as long as timestamps increase and offsets do not go back") {
  using segment::sane_time_entries;
  CHECK(sane_time_entries({}) == 0);
  CHECK(sane_time_entries(time_entries({{10, 3}, {20, 3}, {30, 9}})) == 3);
  CHECK(sane_time_entries(time_entries({{10, 3}, {10, 4}})) == 1);
  CHECK(sane_time_entries(time_entries({{10, 3}, {20, 2}})) == 1);
  CHECK(sane_time_entries(time_entries({{-1, 3}})) == 0);
  CHECK(sane_time_entries(time_entries({{10, 3}, {20, 9}}), 8) == 1);
}

TEST_CASE("half an entry at the end counts for nothing") {
  auto bytes = offset_entries({{3, 100}, {6, 200}});
  bytes.pop_back();
  CHECK(segment::sane_offset_entries(bytes, 1000) == 1);
  auto times = time_entries({{10, 3}, {20, 4}});
  times.pop_back();
  CHECK(segment::sane_time_entries(times) == 1);
}
