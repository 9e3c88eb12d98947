#include "catalog/record_store.hpp"

#include <utility>
#include <vector>

#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/value_codec.hpp"

namespace seriatim::catalog {
namespace {

template <class Record>
Result<Record> parse(const ReadTransaction& in, Database database, std::string_view key, base::ByteSpan value,
                     Result<Record> (*decode)(base::ByteSpan)) {
  const Result<base::ByteSpan> payload = decode_value(database, key, value);
  if (!payload) return payload.error().with_context(in.directory());
  Result<Record> record = decode(*payload);
  if (record) return record;
  return record.error().with_context(in.directory() + ", database \"" + std::string(name_of(database)) +
                                     "\", key " + printable_key(key));
}

template <class Record>
Result<std::optional<Record>> get(const ReadTransaction& in, Database database, std::string_view key,
                                  Result<Record> (*decode)(base::ByteSpan)) {
  const Result<std::optional<base::ByteSpan>> value = in.get(database, key);
  if (!value) return value.error();
  if (!value->has_value()) return std::optional<Record>();
  Result<Record> record = parse(in, database, key, **value, decode);
  if (!record) return std::move(record).error();
  return std::optional<Record>(std::move(*record));
}

// A state's value has no form of its own but its size.
Result<std::vector<std::byte>> decode_state_value(base::ByteSpan payload) {
  if (payload.size() <= state_value_bytes_max) return std::vector<std::byte>(payload.begin(), payload.end());
  return Error(Errc::corrupt_metadata, "catalog: a state's value of " + std::to_string(payload.size()) +
                                           " bytes is larger than any that was stored; restore the catalog "
                                           "from a backup");
}

}  // namespace

Result<std::optional<TopicRecord>> get_topic(const ReadTransaction& in, std::string_view name) {
  return get(in, Database::topics, name, decode_topic);
}

Result<std::optional<PartitionState>> get_partition_state(const ReadTransaction& in, const Id& topic_id,
                                                          PartitionId partition) {
  return get(in, Database::partitions, partition_key(topic_id, partition), decode_partition_state);
}

Result<std::optional<CommittedOffset>> get_offset(const ReadTransaction& in, std::string_view key) {
  return get(in, Database::offsets, key, decode_committed_offset);
}

Result<EngineRecord> get_engine(const ReadTransaction& in) {
  Result<std::optional<EngineRecord>> record = get(in, Database::engine, engine_key, decode_engine);
  if (!record) return std::move(record).error();
  if (record->has_value()) return **record;
  return Error(
      Errc::corrupt_metadata,
      "catalog " + in.directory() + ": the engine record is missing; restore the catalog from a backup");
}

Result<std::optional<JournalTie>> get_journal_tie(const ReadTransaction& in) {
  return get(in, Database::engine, journal_key, decode_journal_tie);
}

Result<Moment> get_moment(const ReadTransaction& in) {
  const Result<std::optional<Moment>> moment = get(in, Database::engine, moment_key, decode_moment);
  if (!moment) return moment.error();
  return moment->value_or(Moment{});
}

Result<ProducerIds> get_producer_ids(const ReadTransaction& in) {
  const Result<std::optional<ProducerIds>> ids =
      get(in, Database::engine, producer_ids_key, decode_producer_ids);
  if (!ids) return ids.error();
  return ids->value_or(ProducerIds{});
}

Result<std::optional<NamedProducer>> get_named_producer(const ReadTransaction& in, std::string_view name) {
  return get(in, Database::producers, name, decode_named_producer);
}

Result<std::optional<std::vector<std::byte>>> get_state_value(const ReadTransaction& in,
                                                              std::string_view key) {
  return get(in, Database::state, key, decode_state_value);
}

Result<TopicRecord> parse_topic(const ReadTransaction& in, Database database, std::string_view key,
                                base::ByteSpan value) {
  return parse(in, database, key, value, decode_topic);
}

Result<CommittedOffset> parse_offset(const ReadTransaction& in, std::string_view key, base::ByteSpan value) {
  return parse(in, Database::offsets, key, value, decode_committed_offset);
}

Result<NamedProducer> parse_named_producer(const ReadTransaction& in, std::string_view key,
                                           base::ByteSpan value) {
  return parse(in, Database::producers, key, value, decode_named_producer);
}

Result<TransactionalId> parse_transactional_id(const ReadTransaction& in, std::string_view key,
                                               base::ByteSpan value) {
  return parse(in, Database::transactional_ids, key, value, decode_transactional_id);
}

Result<std::vector<std::byte>> parse_state_value(const ReadTransaction& in, std::string_view key,
                                                 base::ByteSpan value) {
  return parse(in, Database::state, key, value, decode_state_value);
}

template <class Record>
Result<void> put_record(WriteTransaction& out, Database database, std::string_view key,
                        const Record& record) {
  return out.put(database, key, encode_value(database, key, encode(record)));
}

template Result<void> put_record(WriteTransaction&, Database, std::string_view, const TopicRecord&);
template Result<void> put_record(WriteTransaction&, Database, std::string_view, const PartitionState&);
template Result<void> put_record(WriteTransaction&, Database, std::string_view, const CommittedOffset&);
template Result<void> put_record(WriteTransaction&, Database, std::string_view, const EngineRecord&);
template Result<void> put_record(WriteTransaction&, Database, std::string_view, const JournalTie&);
template Result<void> put_record(WriteTransaction&, Database, std::string_view, const Moment&);
template Result<void> put_record(WriteTransaction&, Database, std::string_view, const ProducerIds&);
template Result<void> put_record(WriteTransaction&, Database, std::string_view, const NamedProducer&);
template Result<void> put_record(WriteTransaction&, Database, std::string_view, const TransactionalId&);

Result<void> apply_state_change(WriteTransaction& out, const StateChange& change) {
  const std::string key = state_key(change.name, base::as_text(change.key));
  if (change.value) {
    return out.put(Database::state, key, encode_value(Database::state, key, base::as_text(*change.value)));
  }
  const Result<bool> erased = out.erase(Database::state, key);
  if (!erased) return erased.error();
  return {};
}

Result<void> erase_prefix(WriteTransaction& out, Database database, std::string_view prefix) {
  std::vector<std::string> keys;
  Result<void> scanned =
      out.scan(database, prefix, [&](std::string_view key, base::ByteSpan) -> Result<bool> {
        if (!key.starts_with(prefix)) return false;
        keys.emplace_back(key);
        return true;
      });
  if (!scanned) return scanned;
  for (const std::string& key : keys) {
    if (const Result<bool> erased = out.erase(database, key); !erased) return erased.error();
  }
  return {};
}

Result<Id> TopicLookup::id_of(const TopicPartition& at) {
  auto found = seen_.find(at.topic);
  if (found == seen_.end()) {
    Result<std::optional<TopicRecord>> topic = get_topic(in_, at.topic);
    if (!topic) return std::move(topic).error();
    if (!topic->has_value()) return unknown_topic(at.topic);
    found = seen_.emplace(at.topic, std::move(**topic)).first;
  }
  const TopicRecord& topic = found->second;
  if (at.partition >= 0 && at.partition < topic.partition_count) return topic.topic_id;
  return Error(Errc::unknown_topic_or_partition,
               "topic \"" + at.topic + "\" has partitions 0 to " + std::to_string(topic.partition_count - 1) +
                   ", not " + std::to_string(at.partition) +
                   "; correct the partition, or add partitions to the topic");
}

Error unknown_topic(std::string_view name) {
  return {Errc::unknown_topic_or_partition,
          "topic " + printable_key(name) + " does not exist; create it, or correct the name"};
}

}  // namespace seriatim::catalog
