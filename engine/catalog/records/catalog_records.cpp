#include "catalog/records/catalog_records.hpp"

#include <cstring>
#include <string_view>

#include "base/checked.hpp"

namespace seriatim::catalog {
namespace {

class PayloadWriter {
 public:
  template <std::integral T>
  void integer(T value) {
    std::byte bytes[sizeof(T)];
    base::store_be(bytes, value);
    out_ += base::as_text(bytes);
  }
  void id(const Id& value) { out_ += base::as_text(value); }
  void text(std::string_view value) {
    integer(base::narrow<std::uint32_t>(value.size()));
    out_ += value;
  }
  std::string take() && { return std::move(out_); }

 private:
  std::string out_;
};

// Every read is bounded; one that is not covered by bytes makes all of them fail.
class PayloadReader {
 public:
  explicit PayloadReader(base::ByteSpan bytes) : rest_(bytes) {}

  template <std::integral T>
  T integer() {
    const base::ByteSpan bytes = take(sizeof(T));
    return bytes.empty() ? T{} : base::load_be<T>(bytes.data());
  }
  Id id() {
    Id value{};
    const base::ByteSpan bytes = take(value.size());
    if (!bytes.empty()) std::memcpy(value.data(), bytes.data(), value.size());
    return value;
  }
  std::string text() { return std::string(base::as_text(take(integer<std::uint32_t>()))); }
  bool ok() const { return ok_; }
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  base::ByteSpan take(std::size_t count) {
    if (!ok_ || count > rest_.size()) {
      ok_ = false;
      return {};
    }
    const base::ByteSpan taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  base::ByteSpan rest_;
  bool ok_ = true;
};

Error malformed(std::string_view what, base::ByteSpan payload) {
  return {Errc::corrupt_metadata, "catalog: " + std::to_string(payload.size()) + " bytes are not a whole " +
                                      std::string(what) + "; restore the catalog from a backup"};
}

}  // namespace

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
  if (!in.finished() || record.partition_count < 1) return malformed("topic record", payload);
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
  if (!in.finished()) return malformed("partition state", payload);
  return record;
}

std::string encode(const CommittedOffset& record) {
  PayloadWriter out;
  out.integer(record.offset);
  out.integer(record.commit_time_ms);
  out.text(record.metadata);
  return std::move(out).take();
}

Result<CommittedOffset> decode_committed_offset(base::ByteSpan payload) {
  PayloadReader in(payload);
  CommittedOffset record;
  record.offset = in.integer<Offset>();
  record.commit_time_ms = in.integer<std::int64_t>();
  record.metadata = in.text();
  if (!in.finished() || record.offset < 0) return malformed("committed offset", payload);
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
  if (!in.finished() || clean > 1) return malformed("engine record", payload);
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
  if (!in.finished()) return malformed("tie to the journal", payload);
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
  if (!in.finished()) return malformed("moment", payload);
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
  if (!in.finished() || record.end < first_producer_id) return malformed("end of the producer ids", payload);
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
    return malformed("named producer", payload);
  return record;
}

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
    return malformed("transactional id", payload);
  return record;
}

}  // namespace seriatim::catalog
