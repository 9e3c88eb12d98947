// Journal files: headers, frames and what they carry. A file that parses is written back as the same bytes.
#include "fuzz/fuzz.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "format/journal/journal_decision.hpp"
#include "format/journal/journal_frame.hpp"
#include "format/journal/journal_payload.hpp"
#include "format/journal/journal_share.hpp"

namespace seriatim::test {
namespace {

using namespace seriatim::format;

constexpr std::uint64_t key = 1;

bool same(base::ByteSpan a, base::ByteSpan b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

void check_header(base::ByteSpan file) {
  JournalHeaderBlock block{};
  std::copy_n(file.begin(), std::min(file.size(), block.size()), block.begin());
  // The fuzzer does not guess checksums.
  base::store_le(block.data() + 56, base::xxh3_64(base::ByteSpan(block).first(56)));
  const auto header = load_journal_header(block, 1);
  if (!header.ok() || !header->has_value()) return;
  SERIATIM_ASSERT(same(base::ByteSpan(make_journal_header(**header)).first(journal_header_bytes),
                       base::ByteSpan(block).first(journal_header_bytes)));
}

void check_payload(base::ByteSpan payload) {
  if (const auto batch = parse_journal_batch(payload); batch.ok()) {
    std::array<std::byte, journal_place_bytes> place{};
    store_journal_place(place.data(), batch->place);
    SERIATIM_ASSERT(same(place, payload.first(place.size())));
    SERIATIM_ASSERT(same(batch->batch, payload.subspan(place.size())));
  }
  if (const auto range = parse_journal_synced_range(payload); range.ok()) {
    std::array<std::byte, journal_synced_range_bytes> bytes{};
    store_journal_synced_range(bytes.data(), *range);
    SERIATIM_ASSERT(same(bytes, payload));
  }
  if (const auto offsets = parse_journal_offsets(payload); offsets.ok()) {
    SERIATIM_ASSERT(same(encode_journal_offsets(*offsets), payload));
  }
  if (const auto decision = parse_journal_decision(payload); decision.ok()) {
    SERIATIM_ASSERT(same(encode_journal_decision(*decision), payload));
  }
  std::vector<std::byte> bytes;
  if (const auto progress = parse_journal_share_progress(payload); progress.ok()) {
    encode_journal_share_progress(*progress, bytes);
    SERIATIM_ASSERT(same(bytes, payload));
  }
  if (const auto group = parse_journal_share_group(payload); group.ok()) {
    encode_journal_share_group(*group, bytes);
    SERIATIM_ASSERT(same(bytes, payload));
  }
}

// A frame wherever the bytes can be one, with a checksum that fits.
void check_frames(std::vector<std::byte> bytes) {
  base::MutableByteSpan rest(bytes);
  while (rest.size() >= journal_frame_header_bytes) {
    const auto length = base::load_le<std::uint32_t>(rest.data() + 8);
    if (length > rest.size() - journal_frame_header_bytes) break;
    base::store_le(rest.data(), base::xxh3_64(rest.subspan(8, journal_frame_header_bytes - 8 + length), key));
    const auto frame = parse_journal_frame(rest, key);
    if (!frame) break;
    static_cast<void>(check_journal_frame_is_known(*frame).ok());
    check_payload(frame->payload);
    rest = rest.subspan(std::min<std::size_t>(journal_frame_bytes(length), rest.size()));
  }
  const auto proof = find_proof_of_damage(bytes, key, 1);
  SERIATIM_ASSERT(!proof || parse_journal_frame(base::ByteSpan(bytes).subspan(*proof), key).has_value());
}

}  // namespace
}  // namespace seriatim::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const seriatim::base::ByteSpan file = seriatim::test::fuzz_input(data, size);
  seriatim::test::check_header(file);
  seriatim::test::check_payload(file);
  seriatim::test::check_frames({file.begin(), file.end()});
  static_cast<void>(seriatim::format::parse_journal_frame(file, seriatim::test::key));
  return 0;
}
