// The polled records of a partition that are not behind the position to commit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include <seriatim/types.hpp>

#include "flow/parallel/finished_ranges.hpp"
#include "flow/parallel/queued_record.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// By which a record is known again.
using Fingerprint = std::function<std::uint64_t(const QueuedRecord&)>;

/// The position to commit, and the finished ranges above it.
///
/// Threads: one at a time.
class OffsetWindow {
 public:
  OffsetWindow(FinishedRanges known, Fingerprint fingerprint)
      : known_(std::move(known)), fingerprint_(std::move(fingerprint)) {}

  /// Of an `append`: whether its first record would not be behind all that was appended.
  bool is_behind(Offset first) const noexcept { return first < end_; }
  /// @param slice  its records in the order of their offsets, at least one, behind all that was appended
  /// before; they stay where they are. Records that are known to be finished are marked so.
  PolledSlice& append(PolledSlice slice);
  /// Lets go of what is finished whole.
  void tidy(std::vector<std::shared_ptr<QueuedBatch>>& released);

  bool is_empty() const noexcept { return items_.empty(); }
  /// The first record that is not finished, or the offset behind all; nullopt: nothing was appended.
  std::optional<Offset> position() const noexcept;
  FinishedRanges finished() const;
  /// The ranges that `finished` would give.
  std::size_t range_count() const noexcept;

 private:
  /// A slice, or, once that is finished whole, and all before it that were so as well, what is known of it.
  struct Item {
    Offset first = 0;
    Offset end = 0;  ///< Behind its last record.
    PolledSlice slice{};
    FinishedMark mark{};  ///< Of the last record, once it is finished whole and without a batch.
    bool is_live() const noexcept { return slice.batch != nullptr; }
    bool is_finished() const noexcept { return slice.unfinished == 0; }
  };

  bool is_known(Offset offset);
  /// Calls `visit` with each finished range of records that were appended, and the last record of it, or its
  /// mark where that has been let go of.
  template <class Visit>
  void visit_ranges(const Visit& visit) const;

  FinishedRanges known_;
  const Fingerprint fingerprint_;
  std::size_t known_at_ = 0;  ///< The ranges before it are behind what was appended.
  std::list<Item> items_{};
  Offset end_ = -1;
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
