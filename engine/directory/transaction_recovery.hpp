// Recovery of the transactions that were under way when the writer stopped.
#pragma once

#include <seriatim/result.hpp>

#include "directory/recovery/journal_replay.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
struct EngineImpl;
}
}  // namespace v0
}  // namespace seriatim

namespace seriatim::directory {

/// One thread, while the engine is opened, with every partition open for writing.
class TransactionRecovery {
 public:
  /// Both outlive it.
  TransactionRecovery(detail::EngineImpl& engine, JournalReplay& replay) : engine_(engine), replay_(replay) {}

  /// The commits from the first one at `leader` on that did not survive whole are taken back: the partitions
  /// that they concern are to be opened again.
  /// Errors: as the partitions.
  Result<> roll_back_lost();
  /// Commits in the partitions what the journal says was decided, and aborts everything else that is open.
  /// Errors: as the partitions and the catalog. To be done again then, by the next open.
  Result<> finish();

 private:
  Result<bool> has_survived(const ReplayedDecision& decision);
  Result<> finish_decision(const ReplayedDecision& decision);
  Result<> abort_undecided();
  Result<> restore_epochs();

  detail::EngineImpl& engine_;
  JournalReplay& replay_;
};

}  // namespace seriatim::directory
