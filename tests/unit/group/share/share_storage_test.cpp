#include "group/share/share_storage.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "support/hex.hpp"
#include "support/must.hpp"

namespace seriatim::group {
namespace {

using Runs = std::vector<format::ShareRun>;

constexpr auto available = DeliveryState::available;
constexpr auto acquired = DeliveryState::acquired;
constexpr auto acknowledged = DeliveryState::acknowledged;
constexpr auto archived = DeliveryState::archived;

ShareChange change_to(std::vector<DeliveredRun> runs) {
  ShareChange change;
  for (const DeliveredRun& run : runs) change.runs.push_back({.delivered = run});
  return change;
}

// Offsets 10 to 13 acquired once, 14 and 15 done, 16 to 19 available after two deliveries.
ShareWindow example_window() {
  return ShareWindow(
      {.start_offset = 10,
       .runs = {{{10, 13}, acquired, 1}, {{14, 15}, acknowledged, 1}, {{16, 19}, available, 2}}});
}

Runs lasting(const ShareWindow& window, const ShareChange& change) {
  Runs runs{{{1, 1}, 0, 9}};  // Of an earlier frame.
  collect_lasting(window, change, start_after(window, change), runs);
  return runs;
}

}  // namespace

TEST_CASE("the start that a frame tells is the window's once the change is applied") {
  const std::vector<ShareChange> changes{
      change_to({{{10, 10}, acknowledged, 1}}),
      change_to({{{10, 13}, acknowledged, 1}}),  // With what was done behind it.
      change_to({{{10, 13}, archived, 1}, {{16, 17}, acknowledged, 2}}),
      change_to({{{10, 19}, acknowledged, 1}}),
      change_to({{{11, 13}, acknowledged, 1}}),
      change_to({{{10, 11}, acknowledged, 1}, {{12, 12}, available, 1}}),
      change_to({{{10, 13}, acknowledged, 1}, {{15, 15}, available, 1}}),
      change_to({{{20, 29}, acquired, 1}}),
      {.runs = {}, .start_offset = 12},
      {.runs = {}, .start_offset = 14},
      {.runs = {}, .start_offset = 25},
      {.runs = {{.delivered = {{10, 30}, archived, 0}}}, .start_offset = 12}};
  for (const ShareChange& change : changes) {
    ShareWindow window = example_window();
    const Offset told = start_after(window, change);
    window.apply(change);
    CHECK(told == window.start_offset());
  }
}

TEST_CASE("a frame has the runs whose state or count changed, and none that the start has passed") {
  const ShareWindow window = example_window();
  CHECK(lasting(window, change_to({{{10, 13}, acquired, 1}})).empty());
  CHECK(lasting(window, change_to({{{11, 12}, DeliveryState::archiving, 1}})).empty());
  CHECK(lasting(window, change_to({{{16, 19}, available, 2}})).empty());
  CHECK(lasting(window, change_to({{{10, 11}, acknowledged, 1}})).empty());
  CHECK(lasting(window, change_to({{{11, 12}, acknowledged, 1}})) == Runs{{{11, 12}, 2, 1}});
  CHECK(lasting(window, change_to({{{16, 16}, acquired, 3}})) == Runs{{{16, 16}, 1, 3}});
  CHECK(lasting(window, change_to({{{20, 24}, acquired, 1}})) == Runs{{{20, 24}, 1, 1}});
  // A part of it is alike.
  CHECK(lasting(window, change_to({{{16, 20}, available, 2}})) == Runs{{{16, 20}, 0, 2}});
  CHECK(lasting(window, change_to({{{12, 14}, acquired, 1}})) == Runs{{{12, 14}, 1, 1}});
}

TEST_CASE("a row has the bytes of docs/data_directory.md, and is read back") {
  const DeliveryProgress progress{
      .start_offset = 0x0102, .runs = {{{0x0102, 0x0106}, acquired, 1}, {{0x0108, 0x0108}, available, 2}}};
  std::vector<std::byte> row(3);
  encode_share_row(progress, row);
  CHECK(test::to_hex(row) ==
        test::to_hex(test::from_hex("0000000000000102 02000000 8404 08 01 02 02 00 00 04")));
  CHECK(test::must(decode_share_row(row)) == progress);
  for (std::size_t size = 0; size < row.size(); ++size)
    CHECK_FALSE(decode_share_row(base::ByteSpan(row).first(size)).ok());
  row.push_back(std::byte{0});
  CHECK_FALSE(decode_share_row(row).ok());
  row.pop_back();
  row[0] = std::byte{0xff};
  CHECK_FALSE(decode_share_row(row).ok());
}

TEST_CASE("settings are read back, also those of names that nobody knows") {
  const ShareSettings settings{{"a", ""}, {"of.a.later.version", "1"}};
  std::vector<std::byte> payload(3);
  encode_share_settings(settings, payload);
  CHECK(test::must(decode_share_settings(payload)) == settings);
  payload.push_back(std::byte{0});
  CHECK_FALSE(decode_share_settings(payload).ok());
}

}  // namespace seriatim::group
