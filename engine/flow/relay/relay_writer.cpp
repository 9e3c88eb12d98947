#include "flow/relay/relay_writer.hpp"

#include <algorithm>
#include <vector>

#include <seriatim/exception.hpp>

#include "flow/letter_headers.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

bool is_of_records(const Error& error) noexcept {
  return error.outcome() == Outcome::not_written &&
         (error.code() == Errc::record_too_large || error.code() == Errc::invalid_record ||
          error.code() == Errc::invalid_timestamp);
}

// record_too_large is also said where the transaction has too many partitions.
bool is_of_this_record(const Error& error, const Record& record, std::size_t bytes_max) noexcept {
  return is_of_records(error) &&
         (error.code() != Errc::record_too_large || stored_bytes_max(record) > bytes_max / 2);
}

Result<PartitionId> letter_partitions(const Engine& engine, const std::string& topic) {
  if (topic.empty()) return PartitionId{0};
  auto found = engine.admin().describe_topic(topic);
  if (!found && found.error().code() == Errc::unknown_topic_or_partition) {
    auto created = engine.admin().create_topic({.name = topic, .if_not_exists = true});
    if (!created) return created.error();
    found = engine.admin().describe_topic(topic);
  }
  if (!found) return found.error();
  return static_cast<PartitionId>(found->partitions.size());
}

}  // namespace

Result<RelayWriter> RelayWriter::open(const Engine& engine, const RelayOptions& options,
                                      const std::string& name) {
  const auto partitions = letter_partitions(engine, options.dead_letter_topic);
  if (!partitions) return partitions.error().with_context("RelayOptions::dead_letter_topic");
  auto producer = engine.transactional_producer({.transactional_id = "relay:" + name + ":0",
                                                 .acks = options.acks,
                                                 .transaction_timeout = options.transaction_timeout,
                                                 .compression_type = options.compression_type});
  if (!producer) return producer.error();
  return RelayWriter(*std::move(producer), options, "relay:" + name, *partitions);
}

Result<> RelayWriter::begin() {
  if (auto given_up = abort(); !given_up) return given_up;
  auto begun = producer_.begin();
  if (!begun) return begun.error();
  transaction_.emplace(*std::move(begun));
  return {};
}

Result<> RelayWriter::settle(const RecordView& record, const Error& failure, RelayCounts& counts) {
  const Error named = failure.with_context("relaying " + relay_place_of(record) + " into " + options_->to);
  RelayDecision decision = RelayDecision::stop;
  if (options_->on_failure) {
    try {
      decision = options_->on_failure({.error = named, .record = record});
    } catch (...) {
      return current_error().with_context("deciding on a failure (" + named.message() + ")");
    }
  }
  switch (decision) {
    case RelayDecision::skip:
      ++counts.skipped;
      return {};
    case RelayDecision::dead_letter:
      if (auto buried = bury(record, failure); !buried) {
        return buried.error().with_context("writing the dead letter of " + relay_place_of(record) + " (" +
                                           failure.message() + ")");
      }
      ++counts.dead_letters;
      return {};
    case RelayDecision::stop:
      break;
  }
  return named;
}

Result<> RelayWriter::append(RelayBatch::Part& part, std::size_t bytes_max, RelayCounts& counts) {
  if (part.records.empty()) return {};
  const auto appended = transaction_->append(part.at, part.records);
  if (appended) {
    counts.records += part.records.size();
    counts.bytes += part.bytes;
  } else if (auto rest = append_refused({part, 0, part.records.size()}, appended.error(), bytes_max, counts);
             !rest) {
    return rest;
  }
  part.clear();
  return {};
}

// A record that is refused is found by halves: the others keep their order, and their batches.
Result<> RelayWriter::append_refused(const Slice& slice, const Error& refusal, std::size_t bytes_max,
                                     RelayCounts& counts) {
  const RecordView& first = *slice.part.sources[slice.from];
  const std::size_t count = slice.to - slice.from;
  if (count == 1 && is_of_this_record(refusal, slice.part.records[slice.from], bytes_max))
    return settle(first, refusal, counts);
  if (count == 1 || !is_of_records(refusal)) {
    return refusal.with_context("relaying " + relay_place_of(first) + " and what follows it into " +
                                slice.part.at.topic);
  }
  const std::size_t middle = slice.from + count / 2;
  for (const Slice& half : {Slice{slice.part, slice.from, middle}, Slice{slice.part, middle, slice.to}}) {
    const auto records = std::span(half.part.records).subspan(half.from, half.to - half.from);
    const auto appended = transaction_->append(half.part.at, records);
    if (!appended) {
      if (auto rest = append_refused(half, appended.error(), bytes_max, counts); !rest) return rest;
      continue;
    }
    counts.records += records.size();
    for (const Record& record : records) counts.bytes += bytes_of(record);
  }
  return {};
}

// With the headers of Kafka's dead letters, behind its own.
Result<> RelayWriter::bury(const RecordView& record, const Error& failure) {
  if (options_->dead_letter_topic.empty()) {
    return Error(Errc::invalid_argument,
                 "RelayOptions::dead_letter_topic is empty; name the topic that dead letters go to");
  }
  const std::string partition = std::to_string(record.partition());
  const std::string offset = std::to_string(record.offset());
  std::vector<HeaderView> headers;
  headers.reserve(record.header_count() + 5);
  for (std::size_t i = 0; i < record.header_count(); ++i) headers.push_back(record.header(i));
  const auto own = headers.size();
  headers.push_back({flow::letter_topic, record.topic()});
  headers.push_back({flow::letter_partition, partition});
  headers.push_back({flow::letter_offset, offset});
  headers.push_back({flow::letter_group, group_});
  headers.push_back({flow::letter_message, failure.message()});
  ProducerRecord letter{.topic = options_->dead_letter_topic,
                        .key = record.key(),
                        .value = record.value(),
                        .partition = record.partition() % letter_partitions_,
                        .headers = headers};
  auto sent = transaction_->send(letter);
  if (!sent && sent.error().code() == Errc::record_too_large &&
      sent.error().outcome() == Outcome::not_written) {
    // The headers say where the record is.
    letter.key = letter.value = BytesView();
    letter.headers = std::span(headers).subspan(own);
    sent = transaction_->send(letter);
  }
  return sent ? Result<>() : Result<>(sent.error());
}

Result<> RelayWriter::commit(const TopicPartitionOffsets& behind, const ConsumerGroupMetadata& group) {
  if (auto sent = transaction_->send_offsets(behind, group); !sent) return sent;
  is_complete_ = true;
  return commit_again();
}

Result<> RelayWriter::commit_again() {
  auto committed = transaction_->commit();
  // It can not be committed any more, or was ended by its time-out. Else it may have been stored, and an
  // abort is refused.
  if (!committed &&
      (committed.error().requires_abort() || committed.error().code() == Errc::producer_fenced ||
       committed.error().code() == Errc::invalid_txn_state))
    is_complete_ = false;
  if (committed) {
    is_complete_ = false;
    transaction_.reset();
  }
  return committed;
}

Result<> RelayWriter::abort() {
  is_complete_ = false;
  if (!transaction_) return {};
  auto aborted = transaction_->abort();
  if (!aborted && aborted.error().code() != Errc::producer_fenced) return aborted;
  transaction_.reset();
  return {};
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
