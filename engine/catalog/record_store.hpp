// Records in and out of transactions: encoding, version, checksum and the catalog's path in every error.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <seriatim/result.hpp>

#include "catalog/lmdb/lmdb_env.hpp"
#include "catalog/records/catalog_records.hpp"
#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/committed_offset.hpp"
#include "catalog/records/transactional_id.hpp"
#include "catalog/records/value_codec.hpp"

namespace seriatim::catalog {

/// Errors of all get and parse functions: corrupt_metadata, unsupported_version, and what get() returns.
/// @param decode  of the payload, once its checksum was found right.
template <class Record>
Result<Record> parse_record(const ReadTransaction& in, Database database, std::string_view key,
                            base::ByteSpan value, Result<Record> (*decode)(base::ByteSpan)) {
  const Result<base::ByteSpan> payload = decode_value(database, key, value);
  if (!payload) return payload.error().with_context(in.directory());
  Result<Record> record = decode(*payload);
  if (record) return record;
  return record.error().with_context(in.directory() + ", database \"" + std::string(name_of(database)) +
                                     "\", key " + printable_key(key));
}
template <class Record>
Result<std::optional<Record>> get_record(const ReadTransaction& in, Database database, std::string_view key,
                                         Result<Record> (*decode)(base::ByteSpan)) {
  const Result<std::optional<base::ByteSpan>> value = in.get(database, key);
  if (!value) return value.error();
  if (!value->has_value()) return std::optional<Record>();
  Result<Record> record = parse_record(in, database, key, **value, decode);
  if (!record) return std::move(record).error();
  return std::optional<Record>(std::move(*record));
}

Result<std::optional<TopicRecord>> get_topic(const ReadTransaction& in, std::string_view name);
Result<std::optional<PartitionState>> get_partition_state(const ReadTransaction& in, const Id& topic_id,
                                                          PartitionId partition);
Result<std::optional<CommittedOffset>> get_offset(const ReadTransaction& in, std::string_view key);
/// Errors, beside those: corrupt_metadata if there is none.
Result<EngineRecord> get_engine(const ReadTransaction& in);

/// Nothing in a catalog of an older program.
Result<std::optional<JournalTie>> get_journal_tie(const ReadTransaction& in);

/// The default in a catalog of an older program.
Result<Moment> get_moment(const ReadTransaction& in);

/// The default, if nothing was reserved.
Result<ProducerIds> get_producer_ids(const ReadTransaction& in);
Result<std::optional<NamedProducer>> get_named_producer(const ReadTransaction& in, std::string_view name);

/// A value met by a scan.
Result<TopicRecord> parse_topic(const ReadTransaction& in, Database database, std::string_view key,
                                base::ByteSpan value);
Result<CommittedOffset> parse_offset(const ReadTransaction& in, std::string_view key, base::ByteSpan value);
Result<NamedProducer> parse_named_producer(const ReadTransaction& in, std::string_view key,
                                           base::ByteSpan value);
Result<TransactionalId> parse_transactional_id(const ReadTransaction& in, std::string_view key,
                                               base::ByteSpan value);

template <class Record>
Result<void> put_record(WriteTransaction& out, Database database, std::string_view key, const Record& record);

/// Erases all pairs whose key begins with `prefix`.
Result<void> erase_prefix(WriteTransaction& out, Database database, std::string_view prefix);

/// Topics looked up by name within one transaction, each once.
class TopicLookup {
 public:
  explicit TopicLookup(const ReadTransaction& in) : in_(in) {}
  /// Errors: unknown_topic_or_partition, also for a partition the topic does not have.
  Result<Id> id_of(const TopicPartition& at);

 private:
  const ReadTransaction& in_;
  std::map<std::string, TopicRecord, std::less<>> seen_;
};

Error unknown_topic(std::string_view name);

}  // namespace seriatim::catalog
