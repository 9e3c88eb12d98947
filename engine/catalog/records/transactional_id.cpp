#include "catalog/records/transactional_id.hpp"

#include <utility>

#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/record_payload.hpp"
#include "catalog/records/topic_name.hpp"

namespace seriatim::catalog {

std::string encode(const TransactionalId& record) {
  PayloadWriter out;
  out.integer(record.producer_id);
  out.integer(record.producer_epoch);
  out.integer(record.timeout_ms);
  out.integer(record.last_used_ms);
  return std::move(out).take();
}

Result<TransactionalId> decode_transactional_id(base::ByteSpan payload) {
  PayloadReader in(payload);
  TransactionalId record;
  record.producer_id = in.integer<ProducerId>();
  record.producer_epoch = in.integer<ProducerEpoch>();
  record.timeout_ms = in.integer<std::int32_t>();
  record.last_used_ms = in.integer<std::int64_t>();
  if (!in.finished() || record.producer_id < 0 || record.producer_epoch < 0 || record.timeout_ms < 0)
    return malformed_record("transactional id", payload);
  return record;
}

Result<void> check_transactional_id(std::string_view id, const TransactionalId& record) {
  if (Result<void> named = check_transactional_id(id); !named) return named;
  if (record.producer_id >= 0 && record.producer_epoch >= 0 && record.timeout_ms >= 0) return {};
  return negative_producer_number("transactional id", id);
}

void put_transactional_id(TableWrites& to, std::string_view id, const TransactionalId& record) {
  if (auto checked = check_transactional_id(id, record); !checked)
    return to.leave_out("transactional id " + printable_key(id), checked.error());
  to.put(Database::transactional_ids, std::string(id), encode(record));
}

}  // namespace seriatim::catalog
