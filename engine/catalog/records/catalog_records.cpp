#include "catalog/records/catalog_records.hpp"

#include <utility>

#include "catalog/records/record_payload.hpp"

namespace seriatim::catalog {

std::string encode(const TopicRecord& record) {
  PayloadWriter out;
  out.text(record.name);
  out.id(record.topic_id);
  out.integer(record.partition_count);
  out.integer(record.created_ms);
  out.integer(base::narrow<std::uint32_t>(record.config.size()));
  for (const auto& [name, value] : record.config) {
    out.text(name);
    out.text(value);
  }
  return std::move(out).take();
}

Result<TopicRecord> decode_topic(base::ByteSpan payload) {
  PayloadReader in(payload);
  TopicRecord record;
  record.name = in.text();
  record.topic_id = in.id();
  record.partition_count = in.integer<std::int32_t>();
  record.created_ms = in.integer<std::int64_t>();
  const auto overrides = in.integer<std::uint32_t>();
  for (std::uint32_t i = 0; i < overrides && in.ok(); ++i) {
    std::string name = in.text();
    record.config[std::move(name)] = in.text();
  }
  if (!in.finished() || record.partition_count < 1) return malformed_record("topic record", payload);
  return record;
}

std::string encode(const PartitionState& record) {
  PayloadWriter out;
  out.integer(record.log_start_offset);
  out.integer(record.recovery_point_offset);
  out.integer(record.recovery_segment_base);
  out.integer(record.recovery_position);
  out.integer(record.clean_end_offset);
  out.integer(record.compacted_to_offset);
  return std::move(out).take();
}

Result<PartitionState> decode_partition_state(base::ByteSpan payload) {
  PayloadReader in(payload);
  PartitionState record;
  record.log_start_offset = in.integer<Offset>();
  record.recovery_point_offset = in.integer<Offset>();
  record.recovery_segment_base = in.integer<Offset>();
  record.recovery_position = in.integer<std::int64_t>();
  record.clean_end_offset = in.integer<Offset>();
  record.compacted_to_offset = in.integer<Offset>();
  if (!in.finished()) return malformed_record("partition state", payload);
  return record;
}

std::string encode(const EngineRecord& record) {
  PayloadWriter out;
  out.id(record.directory_id);
  out.integer(static_cast<std::uint8_t>(record.clean_shutdown ? 1 : 0));
  out.integer(record.covered_lsn);
  return std::move(out).take();
}

Result<EngineRecord> decode_engine(base::ByteSpan payload) {
  PayloadReader in(payload);
  EngineRecord record;
  record.directory_id = in.id();
  const auto clean = in.integer<std::uint8_t>();
  record.clean_shutdown = clean == 1;
  record.covered_lsn = in.integer<std::uint64_t>();
  if (!in.finished() || clean > 1) return malformed_record("engine record", payload);
  return record;
}

std::string encode(const JournalTie& record) {
  PayloadWriter out;
  out.integer(record.stored_lsn);
  out.integer(record.incarnation);
  out.integer(record.found_incarnation);
  return std::move(out).take();
}

Result<JournalTie> decode_journal_tie(base::ByteSpan payload) {
  PayloadReader in(payload);
  JournalTie record;
  record.stored_lsn = in.integer<std::uint64_t>();
  record.incarnation = in.integer<std::uint64_t>();
  record.found_incarnation = in.integer<std::uint64_t>();
  if (!in.finished()) return malformed_record("tie to the journal", payload);
  return record;
}

std::string encode(const Moment& record) {
  PayloadWriter out;
  out.integer(record.number);
  return std::move(out).take();
}

Result<Moment> decode_moment(base::ByteSpan payload) {
  PayloadReader in(payload);
  Moment record;
  record.number = in.integer<std::uint64_t>();
  if (!in.finished()) return malformed_record("moment", payload);
  return record;
}

std::string encode(const ProducerIds& record) {
  PayloadWriter out;
  out.integer(record.end);
  return std::move(out).take();
}

Result<ProducerIds> decode_producer_ids(base::ByteSpan payload) {
  PayloadReader in(payload);
  ProducerIds record;
  record.end = in.integer<ProducerId>();
  if (!in.finished() || record.end < first_producer_id)
    return malformed_record("end of the producer ids", payload);
  return record;
}

std::string encode(const NamedProducer& record) {
  PayloadWriter out;
  out.integer(record.producer_id);
  out.integer(record.producer_epoch);
  out.integer(record.created_ms);
  out.integer(record.last_used_ms);
  return std::move(out).take();
}

Result<NamedProducer> decode_named_producer(base::ByteSpan payload) {
  PayloadReader in(payload);
  NamedProducer record;
  record.producer_id = in.integer<ProducerId>();
  record.producer_epoch = in.integer<ProducerEpoch>();
  record.created_ms = in.integer<std::int64_t>();
  record.last_used_ms = in.integer<std::int64_t>();
  if (!in.finished() || record.producer_id < 0 || record.producer_epoch < 0)
    return malformed_record("named producer", payload);
  return record;
}

}  // namespace seriatim::catalog
