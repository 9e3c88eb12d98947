// Whether bytes are a batch. Runs over every byte of every recovery and, for the CRC, over every fetch:
// no allocation, no copy.
#pragma once

#include <cstdint>
#include <string_view>

#include <seriatim/types.hpp>

#include "base/bytes.hpp"

namespace seriatim::format {

enum class BatchFault : std::uint8_t {
  none,
  end_of_log,        ///< No bytes, or zeros where a header would be: space that was allocated and not used.
  unpublished,       ///< It was placed, and not published: nobody was told of it.
  truncated,         ///< The bytes end inside the header, or before the declared length.
  bad_length,        ///< The declared length is smaller than a header.
  bad_magic,         ///< Not format version 2.
  bad_attributes,    ///< The codec does not exist.
  wrong_offset,      ///< The base offset is below the lowest allowed one, or the last one overflows.
  bad_count,         ///< More records than offsets, or a negative number of either.
  bad_leader_epoch,  ///< Below -1.
  bad_producer,      ///< Producer id, epoch, sequence and the transactional bit contradict each other. With
                     ///< id -1 epoch and sequence mean nothing.
  bad_crc,           ///< The checksum does not fit the bytes.
  undecided,         ///< A whole commit marker, of a transaction whose decision did not survive a crash.
};

/// The meaning of a fault, as a clause for an error message: "the checksum does not fit the bytes". Lives for
/// ever.
std::string_view describe(BatchFault fault) noexcept;

/// Checks the header at the front of `bytes_from_here`, which reach to the end of the file or mapping, and
/// that the batch lies within them. Base offset, length, leader epoch and magic are outside the CRC: these
/// rules are all that guards them.
/// @param lowest_allowed_base  the offset after the previous batch, or the segment's base offset. In a
/// segment that was never compacted the caller also checks for equality.
BatchFault check_structure(base::ByteSpan bytes_from_here, Offset lowest_allowed_base) noexcept;

/// Whether the CRC fits. `whole_batch` is exactly one batch whose structure was found to be right.
bool crc_is_valid(base::ByteSpan whole_batch) noexcept;

/// check_structure, then the CRC. Whether the records parse is for record_cursor.hpp to tell.
BatchFault check_batch(base::ByteSpan bytes_from_here, Offset lowest_allowed_base) noexcept;

}  // namespace seriatim::format
