// The order of a key while one of its records waits for a retry. Of the records of a key, by topic and
// partition, one is on its way through the retry topic; the others lie in the state "__retry_queue:GROUP",
// numbered, and "__retry_keys:GROUP" has the number of the one on its way and the next free one. A key that
// has none on its way has no row.
//
// Keys are told apart by a hash: two that share it wait for one another, which costs time and no order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/transaction.hpp>

#include "flow/retry/retry_headers.hpp"

namespace seriatim::flow {

/// A record behind another one of its key, copied.
struct WaitingRecord {
  RetryOrigin origin{};
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
};

/// Threads: one transaction at a time may change a key.
class WaitingKeys {
 public:
  explicit WaitingKeys(std::string_view group);

  /// Whether one of its records is on its way.
  Result<bool> is_waiting(Transaction& transaction, const RetryOrigin& origin, BytesView key) const;
  /// The number of a record that is the first of its key.
  static std::uint64_t leading_number(const RetryOrigin& origin) noexcept {
    // Not 0: a record of an earlier time must not pass for the one on its way.
    return static_cast<std::uint64_t>(origin.offset);
  }
  /// Makes this record the one on its way, with its leading number; none is.
  Result<> lead(Transaction& transaction, const RetryOrigin& origin, BytesView key) const;
  /// Puts a record behind the others; one is on its way.
  /// Errors: record_too_large also: the record is larger than a value of a state.
  Result<> add(Transaction& transaction, const RetryOrigin& origin, const RecordView& record) const;
  /// The record on its way is done.
  /// @return the next one, which is on its way from here on, with its number; nothing: there is none, or
  /// `origin` is not the one on its way.
  /// Errors: corrupt_metadata.
  Result<std::optional<WaitingRecord>> pass_on(Transaction& transaction, const RetryOrigin& origin,
                                               BytesView key) const;

 private:
  struct Row {
    std::uint64_t first = 0;
    std::uint64_t next = 0;
  };
  Result<std::optional<Row>> find(Transaction& transaction, const std::string& place) const;
  Result<> put(Transaction& transaction, const std::string& place, const Row& row) const;

  std::string keys_;
  std::string queue_;
};

}  // namespace seriatim::flow
