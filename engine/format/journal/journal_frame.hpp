// A journal file as bytes: the header of the file and the frames behind it. Little-endian; what the frames
// carry is in journal_payload.hpp, docs/data_directory.md has both with worked examples.
//
// Every checksum of a frame is keyed with the file's header (directory, number, incarnation). A file is
// written again and again, so bytes of an earlier life lie behind the newest frame; they cannot pass for
// frames of this life whatever they hold.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "base/xxh3.hpp"

namespace seriatim::format {

/// 16 random bytes, of a directory or a topic.
using Id = std::array<std::byte, 16>;

struct JournalHeader {
  Id directory_id{};
  std::uint64_t file_number = 0;
  /// Differs with every open of the engine.
  std::uint64_t incarnation = 0;
  /// LSN of the first frame.
  std::uint64_t first_lsn = 0;
  /// Length of the file; a file of another length was cut or extended by somebody else.
  std::uint32_t file_bytes = 0;
  bool operator==(const JournalHeader&) const = default;
};

inline constexpr std::size_t journal_header_bytes = 64;
/// The header stands twice, in two sectors, so that rot in one of them is not taken for a file that was never
/// begun.
inline constexpr std::size_t journal_header_copy_at = 512;
inline constexpr std::size_t journal_frames_at = 1024;

using JournalHeaderBlock = std::array<std::byte, journal_frames_at>;

/// Both copies, and zeros around them.
JournalHeaderBlock make_journal_header(const JournalHeader& header) noexcept;

/// Reads the header of the file whose name says `file_number`, from its first `journal_frames_at` bytes.
///
/// A copy that names this number is preferred: in a recycled file of which only a part of the first write
/// arrived, the other copy is of the file's earlier life.
/// @return nothing if neither copy is whole.
/// Errors: unsupported_version: whole, but written by a newer version.
Result<std::optional<JournalHeader>> load_journal_header(base::ByteSpan block, std::uint64_t file_number);

/// The seed of the checksums of this file's frames.
std::uint64_t journal_key(const JournalHeader& header) noexcept;

inline constexpr std::size_t journal_frame_header_bytes = 24;
inline constexpr std::size_t journal_frame_alignment = 8;

enum class JournalFrameType : std::uint16_t {
  batch = 1,
  synced_range = 2,
  committed_offsets = 3,
  decision = 4,
  /// The same, of a transaction whose batches have no frames: it counts if they survived, and those of every
  /// such decision before it.
  decision_at_leader = 5,
  /// All positions that a group had committed are forgotten.
  forgotten_group = 6,
  /// Deliveries of a share group in a partition.
  share_progress = 7,
  /// The configuration of a share group, or its end.
  share_group = 8,
};

/// Everything before this frame was on stable storage when it was written. If such a frame is there and one
/// before it is not, that one was damaged after it was stored: it is not the torn end of a write.
inline constexpr std::uint16_t journal_flag_prior_is_durable = 1;

struct JournalFrameFields {
  JournalFrameType type = JournalFrameType::batch;
  std::uint16_t flags = 0;
  std::uint64_t lsn = 0;
  bool operator==(const JournalFrameFields&) const = default;
};

/// A frame that passed its checksum. Its type may be unknown to this version.
struct JournalFrame {
  JournalFrameFields fields{};
  base::ByteSpan payload{};  ///< In the bytes that were parsed.
};

/// The bytes that a frame takes in the file.
constexpr std::uint64_t journal_frame_bytes(std::uint64_t payload_bytes) noexcept {
  return base::align_up(journal_frame_header_bytes + payload_bytes, journal_frame_alignment);
}

/// Writes the header of a frame whose payload is the rest of `head` followed by `body`.
/// @param head  the frame's first bytes; the first journal_frame_header_bytes of them are overwritten.
/// @param hash  reset to the file's key by this call; kept by the caller, because preparing a key costs more
/// than a small frame.
void seal_journal_frame(base::MutableByteSpan head, base::ByteSpan body, const JournalFrameFields& fields,
                        std::uint64_t key, base::Xxh3Stream& hash) noexcept;

/// The frame at the beginning of `bytes`; nothing if none of this key begins there: it ends beyond `bytes`,
/// its checksum does not fit, or its type is 0 (zeros).
std::optional<JournalFrame> parse_journal_frame(base::ByteSpan bytes, std::uint64_t key) noexcept;

/// Refuses a frame that passed its checksum but that this version cannot read. A newer version wrote it.
/// Errors: unsupported_version; the message names neither file nor position: the caller adds them.
/// Threads: any.
Result<void> check_journal_frame_is_known(const JournalFrame& frame);

/// A frame behind `bytes`' beginning that proves that the frame `lsn`, which should begin there and does not,
/// was on stable storage (see journal_flag_prior_is_durable).
/// @return its position in `bytes`; nothing if there is no proof: the end of a torn write.
/// Cost: bounded by a few times the hash of all bytes, whatever they are.
std::optional<std::size_t> find_proof_of_damage(base::ByteSpan bytes, std::uint64_t key,
                                                std::uint64_t lsn) noexcept;
/// The same for any frame after `lsn`, whether or not it proves anything: what can be read behind damage, or
/// behind the hole that a torn write left.
std::optional<std::size_t> find_later_frame(base::ByteSpan bytes, std::uint64_t key,
                                            std::uint64_t lsn) noexcept;

}  // namespace seriatim::format
