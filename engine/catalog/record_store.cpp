#include "catalog/record_store.hpp"

#include <utility>
#include <vector>

namespace seriatim::catalog {

Result<std::optional<TopicRecord>> get_topic(const ReadTransaction& in, std::string_view name) {
  return get_record(in, Database::topics, name, decode_topic);
}

Result<std::optional<PartitionState>> get_partition_state(const ReadTransaction& in, const Id& topic_id,
                                                          PartitionId partition) {
  return get_record(in, Database::partitions, partition_key(topic_id, partition), decode_partition_state);
}

Result<std::optional<CommittedOffset>> get_offset(const ReadTransaction& in, std::string_view key) {
  return get_record(in, Database::offsets, key, decode_committed_offset);
}

Result<EngineRecord> get_engine(const ReadTransaction& in) {
  Result<std::optional<EngineRecord>> record = get_record(in, Database::engine, engine_key, decode_engine);
  if (!record) return std::move(record).error();
  if (record->has_value()) return **record;
  return Error(
      Errc::corrupt_metadata,
      "catalog " + in.directory() + ": the engine record is missing; restore the catalog from a backup");
}

Result<std::optional<JournalTie>> get_journal_tie(const ReadTransaction& in) {
  return get_record(in, Database::engine, journal_key, decode_journal_tie);
}

Result<Moment> get_moment(const ReadTransaction& in) {
  const Result<std::optional<Moment>> moment = get_record(in, Database::engine, moment_key, decode_moment);
  if (!moment) return moment.error();
  return moment->value_or(Moment{});
}

Result<ProducerIds> get_producer_ids(const ReadTransaction& in) {
  const Result<std::optional<ProducerIds>> ids =
      get_record(in, Database::engine, producer_ids_key, decode_producer_ids);
  if (!ids) return ids.error();
  return ids->value_or(ProducerIds{});
}

Result<std::optional<NamedProducer>> get_named_producer(const ReadTransaction& in, std::string_view name) {
  return get_record(in, Database::producers, name, decode_named_producer);
}

Result<TopicRecord> parse_topic(const ReadTransaction& in, Database database, std::string_view key,
                                base::ByteSpan value) {
  return parse_record(in, database, key, value, decode_topic);
}

Result<CommittedOffset> parse_offset(const ReadTransaction& in, std::string_view key, base::ByteSpan value) {
  return parse_record(in, Database::offsets, key, value, decode_committed_offset);
}

Result<NamedProducer> parse_named_producer(const ReadTransaction& in, std::string_view key,
                                           base::ByteSpan value) {
  return parse_record(in, Database::producers, key, value, decode_named_producer);
}

Result<TransactionalId> parse_transactional_id(const ReadTransaction& in, std::string_view key,
                                               base::ByteSpan value) {
  return parse_record(in, Database::transactional_ids, key, value, decode_transactional_id);
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
