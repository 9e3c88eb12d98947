// A kind of fact that the journal makes durable and the catalog is the home of. The checkpointer and the
// replay walk a list of them (EngineImpl::facts): a new kind is a class of its own, and an entry there.
#pragma once

#include <cstdint>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "catalog/records/table_writes.hpp"
#include "format/journal/journal_frame.hpp"

namespace seriatim::state {

/// A frame of the journal, as recovery found it. Its payload was checked; it is a view.
struct ReplayedFrame {
  std::uint64_t lsn = 0;
  format::JournalFrameType type{};
  base::ByteSpan payload{};
};

/// Threads: the one that opens calls `replay`; `gather` and `stored` are called by one at a time.
class DurableFacts {
 public:
  DurableFacts() = default;
  virtual ~DurableFacts() = default;
  DurableFacts(const DurableFacts&) = delete;
  DurableFacts& operator=(const DurableFacts&) = delete;

  /// Enters what the frame tells of this kind; other frames are passed over. Frames come in their order.
  /// Errors: corrupt_metadata: the payload is none.
  virtual Result<> replay(const ReplayedFrame& frame) = 0;

  /// Whether `gather` would find anything.
  virtual bool has_changes() const = 0;
  /// Adds all that frames have told which were staged before the call, but for what the catalog has. A fact
  /// that cannot be stored is left out (TableWrites::leave_out): it must not keep its neighbours from it.
  virtual void gather(catalog::TableWrites& to) = 0;
  /// Of the newest frame that anything was entered of, read behind `gather`: the journal has to be safe up to
  /// there before the catalog has what was gathered. 0: there is none, or it is a decision's.
  virtual std::uint64_t newest_lsn() const { return 0; }
  /// Whether the catalog may have it however a close ended, and nobody waits for it before a checkpoint.
  virtual bool stands_alone() const { return false; }
  /// The catalog has what `gather` told, and all that frames up to `covered_lsn` tell.
  virtual void stored(std::uint64_t covered_lsn) noexcept = 0;
};

}  // namespace seriatim::state
