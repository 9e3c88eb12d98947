#include "journal/last_frame.hpp"

#include <algorithm>

namespace seriatim::journal {

std::uint64_t last_frame_in(base::ByteSpan bytes, const format::JournalHeader& header) noexcept {
  const std::uint64_t key = format::journal_key(header);
  base::ByteSpan rest = bytes.subspan(format::journal_frames_at);
  for (std::uint64_t lsn = header.first_lsn;; ++lsn) {
    const auto frame = format::parse_journal_frame(rest, key);
    if (!frame || frame->fields.lsn != lsn) return lsn - 1;
    const std::uint64_t size = format::journal_frame_bytes(frame->payload.size());
    rest = rest.subspan(std::min<std::size_t>(size, rest.size()));
  }
}

}  // namespace seriatim::journal
