#include "format/journal/journal_frame.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "base/assert.hpp"
#include "base/checked.hpp"

namespace seriatim::format {
namespace {

// "SERJOURN"
constexpr std::array<std::byte, 8> magic{std::byte{'S'}, std::byte{'E'}, std::byte{'R'}, std::byte{'J'},
                                         std::byte{'O'}, std::byte{'U'}, std::byte{'R'}, std::byte{'N'}};
constexpr std::uint32_t header_version = 1;

// Positions in the header.
constexpr std::size_t version_at = 8;
constexpr std::size_t file_bytes_at = 12;
constexpr std::size_t directory_id_at = 16;
constexpr std::size_t file_number_at = 32;
constexpr std::size_t incarnation_at = 40;
constexpr std::size_t first_lsn_at = 48;
constexpr std::size_t header_checksum_at = 56;

// Positions in a frame. The checksum comes first, so that what it covers lies together.
constexpr std::size_t frame_length_at = 8;
constexpr std::size_t frame_type_at = 12;
constexpr std::size_t frame_flags_at = 14;
constexpr std::size_t frame_lsn_at = 16;

void store_header(std::byte* to, const JournalHeader& header) noexcept {
  std::copy(magic.begin(), magic.end(), to);
  base::store_le(to + version_at, header_version);
  base::store_le(to + file_bytes_at, header.file_bytes);
  std::copy(header.directory_id.begin(), header.directory_id.end(), to + directory_id_at);
  base::store_le(to + file_number_at, header.file_number);
  base::store_le(to + incarnation_at, header.incarnation);
  base::store_le(to + first_lsn_at, header.first_lsn);
  base::store_le(to + header_checksum_at, base::xxh3_64({to, header_checksum_at}));
}

bool is_whole_header(base::ByteSpan bytes) noexcept {
  return std::equal(magic.begin(), magic.end(), bytes.begin()) &&
         base::load_le<std::uint64_t>(bytes.data() + header_checksum_at) ==
             base::xxh3_64(bytes.first(header_checksum_at));
}

Result<std::optional<JournalHeader>> load_header(const std::byte* from) {
  const auto version = base::load_le<std::uint32_t>(from + version_at);
  if (version != header_version) {
    return Error(Errc::unsupported_version,
                 "journal file of format " + std::to_string(version) + ", and this version reads format " +
                     std::to_string(header_version) + " only; upgrade seriatim. Nothing is damaged.");
  }
  JournalHeader header;
  header.file_bytes = base::load_le<std::uint32_t>(from + file_bytes_at);
  std::copy_n(from + directory_id_at, header.directory_id.size(), header.directory_id.begin());
  header.file_number = base::load_le<std::uint64_t>(from + file_number_at);
  header.incarnation = base::load_le<std::uint64_t>(from + incarnation_at);
  header.first_lsn = base::load_le<std::uint64_t>(from + first_lsn_at);
  return std::optional(header);
}

JournalFrameFields load_fields(const std::byte* frame) noexcept {
  return {.type = static_cast<JournalFrameType>(base::load_le<std::uint16_t>(frame + frame_type_at)),
          .flags = base::load_le<std::uint16_t>(frame + frame_flags_at),
          .lsn = base::load_le<std::uint64_t>(frame + frame_lsn_at)};
}

// The first frame with all of `flags` and a number above `lsn`.
std::optional<std::size_t> find_frame_after(base::ByteSpan bytes, std::uint64_t key, std::uint64_t lsn,
                                            std::uint16_t flags) noexcept {
  // Of an honest file nearly every candidate that is hashed is the proof. Bytes made to look like many large
  // frames would cost the square of their number.
  std::size_t hash_budget = bytes.size() * 4;
  const std::uint64_t lsn_end = lsn + bytes.size() / journal_frame_header_bytes + 1;
  for (std::size_t at = journal_frame_alignment; at + journal_frame_header_bytes <= bytes.size();
       at += journal_frame_alignment) {
    const JournalFrameFields fields = load_fields(bytes.data() + at);
    if ((fields.flags & flags) != flags || fields.lsn <= lsn || fields.lsn >= lsn_end) continue;
    const auto length = base::load_le<std::uint32_t>(bytes.data() + at + frame_length_at);
    if (length > bytes.size() - at - journal_frame_header_bytes) continue;
    if (length > hash_budget) return std::nullopt;
    hash_budget -= length;
    if (parse_journal_frame(bytes.subspan(at), key)) return at;
  }
  return std::nullopt;
}

}  // namespace

JournalHeaderBlock make_journal_header(const JournalHeader& header) noexcept {
  JournalHeaderBlock block{};
  store_header(block.data(), header);
  store_header(block.data() + journal_header_copy_at, header);
  return block;
}

Result<std::optional<JournalHeader>> load_journal_header(base::ByteSpan block, std::uint64_t file_number) {
  SERIATIM_ASSERT(block.size() >= journal_frames_at);
  const std::byte* found = nullptr;
  for (const std::size_t at : {std::size_t{0}, journal_header_copy_at}) {
    const base::ByteSpan copy = block.subspan(at, journal_header_bytes);
    if (!is_whole_header(copy)) continue;
    const bool names_this_file = base::load_le<std::uint64_t>(copy.data() + file_number_at) == file_number;
    if (found == nullptr || names_this_file) found = copy.data();
    if (names_this_file) break;
  }
  if (found == nullptr) return std::optional<JournalHeader>{};
  return load_header(found);
}

std::uint64_t journal_key(const JournalHeader& header) noexcept {
  std::array<std::byte, journal_header_bytes> bytes{};
  store_header(bytes.data(), header);
  return base::xxh3_64(base::ByteSpan(bytes).subspan(directory_id_at, first_lsn_at - directory_id_at));
}

void seal_journal_frame(base::MutableByteSpan head, base::ByteSpan body, const JournalFrameFields& fields,
                        std::uint64_t key, base::Xxh3Stream& hash) noexcept {
  SERIATIM_ASSERT(head.size() >= journal_frame_header_bytes);
  const std::size_t payload_bytes = head.size() - journal_frame_header_bytes + body.size();
  base::store_le(head.data() + frame_length_at, base::narrow<std::uint32_t>(payload_bytes));
  base::store_le(head.data() + frame_type_at, static_cast<std::uint16_t>(fields.type));
  base::store_le(head.data() + frame_flags_at, fields.flags);
  base::store_le(head.data() + frame_lsn_at, fields.lsn);
  if (body.empty()) {
    base::store_le(head.data(), base::xxh3_64(head.subspan(frame_length_at), key));
    return;
  }
  hash.reset(key);
  hash.update(head.subspan(frame_length_at));
  hash.update(body);
  base::store_le(head.data(), hash.digest());
}

std::optional<JournalFrame> parse_journal_frame(base::ByteSpan bytes, std::uint64_t key) noexcept {
  if (bytes.size() < journal_frame_header_bytes) return std::nullopt;
  const auto length = base::load_le<std::uint32_t>(bytes.data() + frame_length_at);
  if (length > bytes.size() - journal_frame_header_bytes) return std::nullopt;
  const JournalFrameFields fields = load_fields(bytes.data());
  if (static_cast<std::uint16_t>(fields.type) == 0) return std::nullopt;
  const base::ByteSpan hashed = bytes.first(journal_frame_header_bytes + length).subspan(frame_length_at);
  if (base::xxh3_64(hashed, key) != base::load_le<std::uint64_t>(bytes.data())) return std::nullopt;
  return JournalFrame{fields, bytes.subspan(journal_frame_header_bytes, length)};
}

Result<void> check_journal_frame_is_known(const JournalFrame& frame) {
  const auto type = static_cast<std::uint16_t>(frame.fields.type);
  const bool known_type = type >= static_cast<std::uint16_t>(JournalFrameType::batch) &&
                          type <= static_cast<std::uint16_t>(JournalFrameType::share_group);
  const bool known_flags = (frame.fields.flags & ~journal_flag_prior_is_durable) == 0;
  if (known_type && known_flags) return {};
  return Error(Errc::unsupported_version,
               "journal frame " + std::to_string(frame.fields.lsn) + " has type " + std::to_string(type) +
                   " and flags " + std::to_string(frame.fields.flags) +
                   ", which a newer version wrote; upgrade seriatim. Nothing is damaged.");
}

std::optional<std::size_t> find_proof_of_damage(base::ByteSpan bytes, std::uint64_t key,
                                                std::uint64_t lsn) noexcept {
  return find_frame_after(bytes, key, lsn, journal_flag_prior_is_durable);
}

std::optional<std::size_t> find_later_frame(base::ByteSpan bytes, std::uint64_t key,
                                            std::uint64_t lsn) noexcept {
  return find_frame_after(bytes, key, lsn, 0);
}

}  // namespace seriatim::format
