// Verifies the `.txnindex` of a segment against the markers in its log: an entry too few shows aborted
// records to other programs, one too many hides committed ones. (Readers of this library believe an index
// only with its seal.)
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"
#include "format/index_entry.hpp"
#include "format/transaction_seal.hpp"
#include "os/vfs.hpp"
#include "partition/open_transactions.hpp"

namespace seriatim::inspect {

/// The records of a transaction that no marker has ended.
struct UnfinishedRecords {
  ProducerEpoch epoch = -1;
  Offset first_offset = -1;
  Offset last_offset = -1;
  std::uint64_t count = 0;
};

/// The facts about transactions that the segments verified so far have given.
struct VerifiedTransactions {
  partition::OpenTransactions open{};
  /// Transactions that began before are not known: the log begins here, or damage ended here.
  Offset known_from = 0;
  std::map<ProducerId, UnfinishedRecords> unfinished{};
};

/// The faults of an index.
struct WrongTransactions {
  std::uint64_t position = 0;
  Offset first_offset = -1;
  Offset last_offset = -1;
  std::string what{};
};

class TransactionIndexCheck {
 public:
  /// @param state  goes on with this segment; null: nothing is looked at.
  explicit TransactionIndexCheck(VerifiedTransactions* state) noexcept : state_(state) {}

  void note(const format::BatchHeader& header, base::ByteSpan batch);
  /// The log goes on at `next`, behind damage.
  void pass_damage(Offset next);

  struct Segment {
    std::string path{};  ///< Of the index.
    Offset base_offset = 0;
    Offset end_offset = 0;
    std::uint64_t log_bytes = 0;
    bool is_last = false;
    bool may_have_gaps = false;
  };
  /// After the last batch.
  /// Errors: those of the file system.
  Result<std::optional<WrongTransactions>> check(os::Vfs& vfs, const Segment& segment) const;

 private:
  void count_unfinished(const format::BatchHeader& header);
  using Entries = std::map<Offset, format::AbortedTransaction>;  // by marker
  std::optional<WrongTransactions> check_entries(const Segment& segment, base::ByteSpan file) const;
  std::optional<WrongTransactions> check_seal(const Segment& segment, base::ByteSpan file) const;
  bool is_true(const Segment& segment, const format::AbortedTransaction& entry) const;

  VerifiedTransactions* state_;
  bool met_damage_ = false;
  /// Where abort markers lie, and what they ended, as far as that is known.
  std::map<Offset, std::optional<format::AbortedTransaction>> aborted_;
};

}  // namespace seriatim::inspect
