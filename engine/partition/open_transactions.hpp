// Which transactions are open as one walks through a log, and what the markers on the way end: the truth that
// the transaction indexes are derived from.
#pragma once

#include <map>
#include <optional>

#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"
#include "partition/producer_state.hpp"

namespace seriatim::partition {

/// One thread at a time.
class OpenTransactions {
 public:
  OpenTransactions() = default;
  /// Begins with those that `producers` has open.
  explicit OpenTransactions(const ProducerState& producers);

  enum class Step : std::uint8_t {
    none,     ///< Nothing ended.
    ended,    ///< `ended` has it.
    damaged,  ///< A control batch that is damaged: it may have been anybody's marker.
  };
  struct Noted {
    Step step = Step::none;
    EndedTransaction ended{};
  };
  /// Enters a batch.
  /// @param batch  the whole of it; of a control batch the checksum is checked here.
  Noted note(const format::BatchHeader& header, base::ByteSpan batch);

  /// Where the transactions that are open began, by producer.
  const std::map<ProducerId, Offset>& all() const noexcept { return open_; }
  /// Where the oldest began; `otherwise` if there is none.
  Offset first_offset(Offset otherwise) const noexcept;
  /// Called before batches behind a place that may hide the markers.
  void clear() noexcept { open_.clear(); }

 private:
  std::map<ProducerId, Offset> open_;
};

}  // namespace seriatim::partition
