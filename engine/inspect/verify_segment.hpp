// Verifies one segment: its log batch by batch, then its indexes against what the log holds.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <seriatim/inspect.hpp>
#include <seriatim/result.hpp>

#include "inspect/verify_transactions.hpp"
#include "os/vfs.hpp"

namespace seriatim::inspect {

struct SegmentToVerify {
  std::string directory{};        ///< Of the partition.
  std::string shown_directory{};  ///< The same, relative to the data directory, for findings.
  Offset base_offset = 0;
  Offset expected_base = 0;  ///< The end of the segment before; the base itself for the first.
  Offset next_base = -1;     ///< Of the segment behind it; -1 for the last.
  bool is_last =
      false;  ///< The active segment: zeros or a torn batch behind the last whole one are no damage.
  bool may_have_gaps = false;
  bool deep = true;
  /// Bytes that are known to be on stable storage: a fault below is damage also in the last segment.
  std::uint64_t durable_bytes = 0;
  VerifiedTransactions* transactions = nullptr;  ///< Goes on with this segment. Null: not looked at.
};

/// Adds to the report.
/// @return one past the last offset; nullopt if progress said stop.
/// Errors: those of the file system; bad bytes are findings.
Result<std::optional<Offset>> verify_segment(os::Vfs& vfs, const SegmentToVerify& segment,
                                             const std::function<bool(std::uint64_t bytes)>& progress,
                                             VerifyReport& report);

}  // namespace seriatim::inspect
