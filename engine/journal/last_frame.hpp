// How far a file of the journal goes, by its own bytes.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "format/journal/journal_frame.hpp"

namespace seriatim::journal {

/// LSN of the last frame that a file holds, behind damage too; nothing: it holds none. There may be fewer
/// than the header of the file behind it lets expect: a checkpoint covers frames that are then never written,
/// and a power cut may leave a header alone.
/// @param bytes  of the whole file.
/// Cost: as find_later_frame.
std::optional<std::uint64_t> last_frame_in(base::ByteSpan bytes,
                                           const format::JournalHeader& header) noexcept;

}  // namespace seriatim::journal
