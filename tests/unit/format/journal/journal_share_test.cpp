#include "format/journal/journal_share.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/hex.hpp"
#include "unit/format/examples.hpp"

namespace seriatim::format {
namespace {

using test::counting_id;
using test::from_hex;
using test::to_hex;

// The examples of docs/data_directory.md.
constexpr std::string_view progress_hex =
    "0300 677270 000102030405060708090a0b0c0d0e0f 03000000 00 0201000000000000"
    "02000000 8404 08 01 02 02 00 00 04";
constexpr std::string_view group_hex = "0300 677270 00 0100 0100 6e 0200 3130";
constexpr std::string_view forgotten_hex = "0300 677270 01 0000";

JournalShareProgress example_progress() {
  return {"grp",  counting_id(),
          3,      ShareProgressKind::changed,
          0x0102, {{{0x0102, 0x0106}, 1, 1}, {{0x0108, 0x0108}, 0, 2}}};
}

std::vector<std::byte> encoded_progress(const JournalShareProgress& progress) {
  std::vector<std::byte> payload(3);  // Its contents are of an earlier frame.
  encode_journal_share_progress(progress, payload);
  return payload;
}

std::vector<std::byte> encoded_group(const JournalShareGroup& group) {
  std::vector<std::byte> payload(3);
  encode_journal_share_group(group, payload);
  return payload;
}

Errc progress_code(base::ByteSpan payload) {
  const auto parsed = parse_journal_share_progress(payload);
  return parsed ? Errc{} : parsed.error().code();
}

Errc group_code(base::ByteSpan payload) {
  const auto parsed = parse_journal_share_group(payload);
  return parsed ? Errc{} : parsed.error().code();
}

TEST_CASE("frames of share groups have the bytes of docs/data_directory.md, and are read back") {
  const auto progress = encoded_progress(example_progress());
  CHECK(to_hex(progress) == to_hex(from_hex(progress_hex)));
  CHECK(parse_journal_share_progress(progress).value() == example_progress());

  const JournalShareGroup configured{"grp", false, {{"n", "10"}}};
  const auto group = encoded_group(configured);
  CHECK(to_hex(group) == to_hex(from_hex(group_hex)));
  CHECK(parse_journal_share_group(group).value() == configured);

  const JournalShareGroup forgotten{"grp", true, {}};
  const auto end = encoded_group(forgotten);
  CHECK(to_hex(end) == to_hex(from_hex(forgotten_hex)));
  CHECK(parse_journal_share_group(end).value() == forgotten);
}

TEST_CASE("a frame of a share group that is cut anywhere or has a byte too many is refused") {
  for (const auto hex : {progress_hex, group_hex, forgotten_hex}) {
    auto bytes = from_hex(hex);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto cut = base::ByteSpan(bytes).first(size);
      CAPTURE(size);
      CHECK(progress_code(cut) == Errc::corrupt_metadata);
      CHECK(group_code(cut) == Errc::corrupt_metadata);
    }
    bytes.push_back(std::byte{0});
    CHECK(progress_code(bytes) == Errc::corrupt_metadata);
    CHECK(group_code(bytes) == Errc::corrupt_metadata);
  }
}

TEST_CASE("fields of a progress outside their range are refused") {
  const auto code_with = [](auto change) {
    JournalShareProgress progress = example_progress();
    change(progress);
    return progress_code(encoded_progress(progress));
  };
  CHECK(code_with([](auto& p) { p.group = ""; }) == Errc::corrupt_metadata);
  CHECK(code_with([](auto& p) { p.partition = -1; }) == Errc::corrupt_metadata);
  CHECK(code_with([](auto& p) { p.start_offset = -2; }) == Errc::corrupt_metadata);
  CHECK(code_with([](auto& p) { p.start_offset = -1; }) == Errc{});
  CHECK(code_with([](auto& p) { p.kind = static_cast<ShareProgressKind>(3); }) == Errc::corrupt_metadata);
  CHECK(code_with([](auto& p) { p.kind = ShareProgressKind::replaced; }) == Errc{});
  CHECK(code_with([](auto& p) {
          p.kind = ShareProgressKind::replaced;
          p.start_offset = -1;
        }) == Errc::corrupt_metadata);
  CHECK(code_with([](auto& p) { p.kind = ShareProgressKind::forgotten; }) == Errc::corrupt_metadata);
  CHECK(code_with([](auto& p) {
          p.kind = ShareProgressKind::forgotten;
          p.start_offset = -1;
          p.runs.clear();
        }) == Errc{});
}

TEST_CASE("settings of a share group are in ascending order, and an end has none") {
  CHECK(group_code(encoded_group({"g", false, {}})) == Errc{});
  CHECK(group_code(encoded_group({"g", false, {{"a", ""}, {"b", "x"}}})) == Errc{});
  CHECK(group_code(encoded_group({"g", false, {{"b", ""}, {"a", "x"}}})) == Errc::corrupt_metadata);
  CHECK(group_code(encoded_group({"g", false, {{"a", ""}, {"a", "x"}}})) == Errc::corrupt_metadata);
  CHECK(group_code(encoded_group({"g", false, {{"", "x"}}})) == Errc::corrupt_metadata);
  CHECK(group_code(encoded_group({"", false, {{"a", "x"}}})) == Errc::corrupt_metadata);
  CHECK(group_code(encoded_group({"g", true, {{"a", "x"}}})) == Errc::corrupt_metadata);
  auto end = encoded_group({"g", true, {}});
  end[3] = std::byte{2};
  CHECK(group_code(end) == Errc::corrupt_metadata);
}

TEST_CASE("a frame that is encoded again needs no more memory") {
  std::vector<std::byte> payload;
  encode_journal_share_progress(example_progress(), payload);
  encode_journal_share_progress(example_progress(), payload);
  const auto* const data = payload.data();
  encode_journal_share_progress(example_progress(), payload);
  CHECK(payload.data() == data);
}

}  // namespace
}  // namespace seriatim::format
