// The producer ids and epochs that transactional ids stand for: a kind of fact that checkpoints store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "catalog/records/table_writes.hpp"

namespace seriatim::catalog {

/// The record of a transactional id.
struct TransactionalId {
  ProducerId producer_id = 0;
  ProducerEpoch producer_epoch = 0;
  std::int32_t timeout_ms = 0;
  std::int64_t last_used_ms = 0;
  bool operator==(const TransactionalId&) const = default;
};

std::string encode(const TransactionalId& record);
/// Errors: corrupt_metadata if the payload is not exactly one record.
Result<TransactionalId> decode_transactional_id(base::ByteSpan payload);

/// Whether this transactional id could be stored.
/// Errors: invalid_argument (id not 1..255 bytes, or with a zero byte; negative producer id, epoch or
/// timeout).
Result<void> check_transactional_id(std::string_view id, const TransactionalId& record);

/// Adds it, or leaves it out if check_transactional_id refuses it.
void put_transactional_id(TableWrites& to, std::string_view id, const TransactionalId& record);

}  // namespace seriatim::catalog
