#include "format/journal/journal_frame.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/hex.hpp"
#include "unit/format/examples.hpp"

namespace seriatim::format {
namespace {

using test::counting_id;
using test::from_hex;
using test::to_hex;

JournalHeader example_header() {
  return {
      .directory_id = counting_id(), .file_number = 1, .incarnation = 2, .first_lsn = 1, .file_bytes = 65536};
}

std::vector<std::byte> frame_of(std::string_view payload, const JournalFrameFields& fields,
                                std::uint64_t key) {
  std::vector<std::byte> frame(journal_frame_bytes(payload.size()));
  const base::ByteSpan body = base::as_bytes(payload);
  std::copy(body.begin(), body.end(), frame.begin() + journal_frame_header_bytes);
  base::Xxh3Stream hash;
  seal_journal_frame(base::MutableByteSpan(frame).first(journal_frame_header_bytes), body, fields, key, hash);
  return frame;
}

constexpr JournalFrameFields first_frame{JournalFrameType::batch, journal_flag_prior_is_durable, 1};

TEST_CASE("the worked example of a header and a frame has the bytes of docs/data_directory.md") {
  const JournalHeaderBlock block = make_journal_header(example_header());
  const std::vector<std::byte> header = from_hex(
      "5345524a4f55524e 01000000 00000100 000102030405060708090a0b0c0d0e0f 0100000000000000 0200000000000000"
      "0100000000000000 0baa5ff1edc643d9");
  CHECK(to_hex(base::ByteSpan(block).first(journal_header_bytes)) == to_hex(header));
  CHECK(to_hex(base::ByteSpan(block).subspan(journal_header_copy_at, journal_header_bytes)) ==
        to_hex(header));
  CHECK(to_hex(frame_of("hello", first_frame, journal_key(example_header()))) ==
        to_hex(from_hex("39a20d8e4a399fd7 05000000 0100 0100 0100000000000000 68656c6c6f 000000")));
}

TEST_CASE("a header is read back from either copy, and rot in one of them is no loss") {
  const JournalHeader header = example_header();
  const JournalHeaderBlock block = make_journal_header(header);
  for (std::size_t bit = 0; bit < block.size() * 8; ++bit) {
    JournalHeaderBlock damaged = block;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto loaded = load_journal_header(damaged, 1);
    REQUIRE(loaded);
    REQUIRE(*loaded == header);
  }
  JournalHeaderBlock both = block;
  both[40] ^= std::byte{1};
  both[journal_header_copy_at + 41] ^= std::byte{1};
  CHECK(*load_journal_header(both, 1) == std::nullopt);
  CHECK(*load_journal_header(JournalHeaderBlock{}, 1) == std::nullopt);
}

TEST_CASE("of two whole copies the one that names this file is taken") {
  JournalHeader earlier = example_header();
  earlier.file_number = 7;
  for (const std::size_t at : {std::size_t{0}, journal_header_copy_at}) {
    JournalHeaderBlock block = make_journal_header(earlier);
    const JournalHeaderBlock newer = make_journal_header(example_header());
    std::copy_n(newer.begin() + static_cast<std::ptrdiff_t>(at), journal_header_bytes,
                block.begin() + static_cast<std::ptrdiff_t>(at));
    CHECK(*load_journal_header(block, 1) == example_header());
    CHECK(*load_journal_header(block, 7) == earlier);
  }
}

TEST_CASE("a header of a newer version is refused as newer, not as damage") {
  JournalHeaderBlock block = make_journal_header(example_header());
  base::store_le(block.data() + 8, std::uint32_t{2});
  base::store_le(block.data() + 56, base::xxh3_64(base::ByteSpan(block).first(56)));
  const auto loaded = load_journal_header(block, 1);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code() == Errc::unsupported_version);
  base::store_le(block.data() + 8,
                 std::uint32_t{3});  // a checksum that does not fit says nothing of versions
  CHECK(*load_journal_header(block, 1) == example_header());
}

TEST_CASE("the key of a frame changes with directory, file number and incarnation") {
  const std::vector<std::byte> frame = frame_of("payload", first_frame, journal_key(example_header()));
  REQUIRE(parse_journal_frame(frame, journal_key(example_header())));
  JournalHeader other = example_header();
  other.directory_id[3] ^= std::byte{1};
  CHECK_FALSE(parse_journal_frame(frame, journal_key(other)));
  other = example_header();
  ++other.file_number;
  CHECK_FALSE(parse_journal_frame(frame, journal_key(other)));
  other = example_header();
  ++other.incarnation;
  CHECK_FALSE(parse_journal_frame(frame, journal_key(other)));
  other = example_header();
  other.first_lsn = 50;  // said by the frames themselves
  CHECK(parse_journal_frame(frame, journal_key(other)));
}

TEST_CASE("a frame cut anywhere, with any bit flipped, or of zeros is no frame") {
  const std::uint64_t key = journal_key(example_header());
  const std::vector<std::byte> frame = frame_of("some payload", first_frame, key);
  const std::size_t used = journal_frame_header_bytes + 12;
  for (std::size_t size = 0; size < used; ++size) {
    REQUIRE_FALSE(parse_journal_frame(base::ByteSpan(frame).first(size), key));
  }
  for (std::size_t bit = 0; bit < used * 8; ++bit) {
    std::vector<std::byte> damaged = frame;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    REQUIRE_FALSE(parse_journal_frame(damaged, key));
  }
  const auto parsed = parse_journal_frame(frame, key);
  REQUIRE(parsed);
  CHECK(parsed->fields == first_frame);
  CHECK(base::as_text(parsed->payload) == "some payload");
  CHECK_FALSE(parse_journal_frame(std::vector<std::byte>(4096), key));
}

TEST_CASE("a head and a body that lie apart give the same frame as together") {
  const std::uint64_t key = 42;
  const std::string payload(300, 'x');
  const std::vector<std::byte> whole = frame_of(payload, first_frame, key);
  for (std::size_t in_head = 0; in_head <= payload.size(); in_head += 10) {
    std::vector<std::byte> head(journal_frame_header_bytes + in_head, std::byte{'x'});
    base::Xxh3Stream hash;
    seal_journal_frame(head, base::as_bytes(payload).subspan(in_head), first_frame, key, hash);
    REQUIRE(std::equal(head.begin(), head.end(), whole.begin()));
  }
}

TEST_CASE("a type or flag this version does not know is newer, not damaged") {
  const auto check = [](std::uint16_t type, std::uint16_t flags) {
    const JournalFrameFields fields{static_cast<JournalFrameType>(type), flags, 9};
    const std::vector<std::byte> bytes = frame_of("p", fields, 1);
    const auto frame = parse_journal_frame(bytes, 1);
    REQUIRE(frame);
    const auto known = check_journal_frame_is_known(*frame);
    return known ? Errc{} : known.error().code();
  };
  for (std::uint16_t type = 1; type <= 8; ++type) CHECK(check(type, 0) == Errc{});
  CHECK(check(1, 1) == Errc{});
  CHECK(check(9, 0) == Errc::unsupported_version);
  CHECK(check(0xffff, 0) == Errc::unsupported_version);
  CHECK(check(1, 2) == Errc::unsupported_version);
}

TEST_CASE("a later frame that was written after a sync proves damage; one of the same torn write does not") {
  const std::uint64_t key = 7;
  std::vector<std::byte> bytes(64);  // where frame 5 should be
  const auto append = [&bytes](std::uint64_t lsn, std::uint16_t flags, std::uint64_t with_key) {
    const auto frame = frame_of("payload", {JournalFrameType::batch, flags, lsn}, with_key);
    bytes.insert(bytes.end(), frame.begin(), frame.end());
  };
  append(6, 0, key);
  CHECK_FALSE(find_proof_of_damage(bytes, key, 5));
  CHECK_FALSE(find_later_frame(bytes, key, 6));
  append(5, journal_flag_prior_is_durable, key);  // says nothing of itself
  append(1, journal_flag_prior_is_durable, key);
  append(7, journal_flag_prior_is_durable, key + 1);  // of an earlier life
  CHECK_FALSE(find_proof_of_damage(bytes, key, 5));
  const std::size_t at = bytes.size();
  append(7, journal_flag_prior_is_durable, key);
  CHECK(find_proof_of_damage(bytes, key, 5) == at);
  CHECK(find_later_frame(bytes, key, 6) == at);
  CHECK(find_later_frame(base::ByteSpan(bytes).subspan(8), key, 5) == 56);
}

TEST_CASE("bytes made to look like many large frames are given up on instead of being hashed for minutes") {
  std::vector<std::byte> bytes(std::size_t{1} << 20);
  for (std::size_t at = 0; at + journal_frame_header_bytes <= bytes.size();
       at += journal_frame_header_bytes) {
    base::store_le(bytes.data() + at + 8,
                   static_cast<std::uint32_t>(bytes.size() - at - journal_frame_header_bytes));
    base::store_le(bytes.data() + at + 12, std::uint16_t{1});
    base::store_le(bytes.data() + at + 14, journal_flag_prior_is_durable);
    base::store_le(bytes.data() + at + 16, std::uint64_t{2});
  }
  CHECK_FALSE(find_proof_of_damage(bytes, 1, 1));
}

}  // namespace
}  // namespace seriatim::format
