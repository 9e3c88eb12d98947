// The seal of a `.txnindex`: 28 bytes of ours behind Kafka's entries, written once a segment is complete. It
// proves that the entries are all there are, which an index without a checksum, or a missing one, cannot.
// Shorter than an entry, so that Kafka's reader, which takes whole entries, stops before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/index_entry.hpp"

namespace seriatim::format {

inline constexpr std::size_t transaction_seal_bytes = 28;
static_assert(transaction_seal_bytes < aborted_transaction_bytes);

struct TransactionSeal {
  std::uint64_t log_bytes = 0;  ///< Of the log that the entries are about; less than 4 GiB.
  Offset end_offset = 0;  ///< Where the log went on: one past its last offset, or the next segment's base.
  /// Of the oldest transaction that was open there; the end offset where none was.
  Offset first_open_offset = 0;
  bool operator==(const TransactionSeal&) const = default;
};

/// Whether its fields fit into the bytes they have.
bool can_be_stored(const TransactionSeal& seal, Offset base_offset) noexcept;

/// A whole `.txnindex` with its seal.
/// @param seal  one that can be stored.
std::vector<std::byte> encode_sealed_transactions(std::span<const AbortedTransaction> entries,
                                                  const TransactionSeal& seal, Offset base_offset);

/// The contents of the seal at the end of `file`, a whole `.txnindex`; nothing if it has none, or one that is
/// not that of these entries in a segment with this base.
std::optional<TransactionSeal> load_transaction_seal(base::ByteSpan file, Offset base_offset) noexcept;

}  // namespace seriatim::format
