#include "journal/last_frame.hpp"

#include <algorithm>

namespace seriatim::journal {

std::optional<std::uint64_t> last_frame_in(base::ByteSpan bytes,
                                           const format::JournalHeader& header) noexcept {
  const std::uint64_t key = format::journal_key(header);
  std::optional<std::uint64_t> last;
  // The search begins behind the first place that it is given.
  base::ByteSpan rest = bytes.subspan(format::journal_frames_at - format::journal_frame_alignment);
  for (;;) {
    const auto at = format::find_later_frame(rest, key, last.value_or(header.first_lsn - 1));
    if (!at) return last;
    const auto frame = format::parse_journal_frame(rest.subspan(*at), key);
    last = frame->fields.lsn;
    const std::uint64_t end =
        *at + format::journal_frame_bytes(frame->payload.size()) - format::journal_frame_alignment;
    rest = rest.subspan(std::min<std::size_t>(end, rest.size()));
  }
}

}  // namespace seriatim::journal
