// How far a file of the journal goes, by its own bytes.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "format/journal/journal_frame.hpp"

namespace seriatim::journal {

/// LSN of the last frame that a file holds without a hole; one less than its first LSN: it holds none. There
/// may be fewer than the header of the file behind it lets expect: a checkpoint covers frames that are then
/// never written, and a power cut may leave a header alone, or frames behind one that is lost.
/// @param bytes  of the whole file.
std::uint64_t last_frame_in(base::ByteSpan bytes, const format::JournalHeader& header) noexcept;

}  // namespace seriatim::journal
