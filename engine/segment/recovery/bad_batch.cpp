#include "segment/recovery/bad_batch.hpp"

#include <algorithm>
#include <limits>

#include "base/bytes.hpp"
#include "format/batch_layout.hpp"
#include "segment/scan/batch_search.hpp"

namespace seriatim::segment {
namespace {

using format::BatchFault;
using format::BatchHeader;

// Zeros are the usual end of a log, and there may be 64 MiB of them in each of ten thousand partitions: no
// more is searched for batches behind them. Arbitrary.
constexpr std::uint64_t searched_behind_zeros = 64U << 10;

Result<std::optional<BatchHeader>> whole_batch_at(LogBytes& bytes, const BadBatch& bad) {
  auto is_whole = is_whole_batch(bytes, bad.position, bad.log_end);
  if (!is_whole) return is_whole.error();
  if (!*is_whole) return std::optional<BatchHeader>();
  auto front = bytes.at(bad.position, format::header_bytes);
  if (!front) return front.error();
  return std::optional(format::read_batch_header(front->data()));
}

// Of what lay in a sector that never reached the disk zeros are left.
bool may_be_torn(const BatchHeader& header, Offset expected) noexcept {
  if (header.base_offset == expected) return false;
  for (unsigned bits = 8; bits < 64; bits += 8) {
    const auto low = static_cast<Offset>((std::uint64_t{1} << bits) - 1);
    if (header.base_offset == (expected & low) || header.base_offset == (expected & ~low)) return true;
  }
  return header.base_offset == 0;
}

// The offset after a whole batch that is not accepted. Its count of offsets is covered by the checksum, and
// its base is not believed where the fault may be that.
Offset next_offset(const BatchHeader& header, const BadBatch& bad) noexcept {
  const bool base_is_right =
      bad.fault != BatchFault::wrong_offset && bad.fault != BatchFault::bad_count &&
      header.base_offset >= bad.expected_offset &&
      header.base_offset - bad.expected_offset <= std::numeric_limits<std::int32_t>::max();
  const Offset base = base_is_right ? header.base_offset : bad.expected_offset;
  const Offset span = Offset{std::max(header.last_offset_delta, -1)} + 1;
  // The base may come from the name of a file.
  return base > std::numeric_limits<Offset>::max() - span ? std::numeric_limits<Offset>::max() : base + span;
}

}  // namespace

Result<std::optional<GoOn>> pass_over(os::File& log, const RecoveryRequest& request, const BadBatch& bad) {
  FileLogBytes bytes(log);
  const std::uint64_t durable = request.durable_position;
  const bool is_durable = bad.position < durable && durable <= bad.log_end;
  const bool power_was_cut = request.stop == LastStop::power_cut && !is_durable;
  auto whole = whole_batch_at(bytes, bad);
  if (!whole) return whole.error();
  // Placed, and not published when the writer stopped: of no use to anybody, whole as it is.
  const bool is_unpublished = *whole && !is_durable && (*whole)->magic == format::unpublished_magic;
  if (*whole && !is_unpublished && !(power_was_cut && may_be_torn(**whole, bad.expected_offset))) {
    const Offset behind = next_offset(**whole, bad);
    // More than an index can express belongs to no segment.
    if (behind - 1 - request.base_offset <= std::numeric_limits<std::int32_t>::max())
      return std::optional(GoOn{bad.position + (*whole)->size_bytes(), behind, true});
  }
  if (power_was_cut) return std::optional<GoOn>();
  std::uint64_t end = is_durable && request.stop == LastStop::power_cut ? durable : bad.log_end;
  if (bad.fault == BatchFault::end_of_log && !is_durable && request.stop == LastStop::kill)
    end = std::min(end, bad.position + searched_behind_zeros);
  auto sound = find_sound_batch(bytes, {.fault_position = bad.position,
                                        .end = end,
                                        .lowest_base = bad.expected_offset,
                                        .offsets_end = request.offsets_end});
  if (!sound) return sound.error();
  if (*sound) return std::optional(GoOn{(*sound)->position, bad.expected_offset, false});
  // A batch is known to begin there.
  if (is_durable)
    return std::optional(GoOn{durable, std::max(bad.expected_offset, request.durable_offset), true});
  // The segment behind it shows that this one was complete.
  if (request.is_sealed && bad.fault != BatchFault::end_of_log)
    return std::optional(GoOn{bad.log_end, bad.expected_offset, false});
  return std::optional<GoOn>();
}

bool offsets_are_possible(const RecoveryRequest& request, std::uint64_t position,
                          const format::BatchHeader& header) noexcept {
  if (header.last_offset() - request.base_offset > std::numeric_limits<std::int32_t>::max()) return false;
  if (header.last_offset() >= request.offsets_end) return false;
  // Offsets before the durable position ended there.
  const bool is_durable = position < request.durable_position;
  return !is_durable || request.durable_offset <= 0 || header.next_offset() <= request.durable_offset;
}

Result<bool> is_gap(os::File& log, const RecoveryRequest& request, std::uint64_t position,
                    const format::BatchHeader& header) {
  if (request.may_have_gaps) return true;
  FileLogBytes bytes(log);
  const std::uint64_t behind = position + header.size_bytes();
  auto front = bytes.at(behind, format::header_bytes);
  if (!front) return front.error();
  const bool is_last =
      front->size() < format::header_bytes || format::check_structure(*front, 0) == BatchFault::end_of_log;
  // A segment that another program has put there is as that program wrote it.
  if (is_last) return request.stop == LastStop::clean;
  const BatchHeader next = format::read_batch_header(front->data());
  return next.length >= format::length_min && next.base_offset >= header.next_offset();
}

}  // namespace seriatim::segment
