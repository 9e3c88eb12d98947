#include "api/dead_letters.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <seriatim/admin.hpp>

namespace seriatim::api {
namespace {

using group::DeadRun;
using group::Deaths;

constexpr const char* letters_id = "__share_dead_letters";
// The engine aborts what a stuck disk has kept open for longer. Kafka's default.
constexpr std::chrono::milliseconds letters_timeout{60'000};

/// Of one record; the texts outlive its headers.
struct LetterHeaders {
  LetterHeaders(const Deaths& deaths, const DeadRun& run, Offset offset)
      : partition(std::to_string(deaths.at.partition)),
        offset_text(std::to_string(offset)),
        count(std::to_string(run.delivery_count)),
        headers{
            {{"__dlq.errors.topic", deaths.at.topic},
             {"__dlq.errors.partition", partition},
             {"__dlq.errors.offset", offset_text},
             {"__dlq.errors.group", deaths.group},
             {"__dlq.errors.delivery.count", count},
             {"__dlq.errors.message", run.is_rejected ? "Offset rejected by client."
                                                      : "Offset delivery count exceeded the threshold."}}} {}
  LetterHeaders(const LetterHeaders&) = delete;
  LetterHeaders& operator=(const LetterHeaders&) = delete;

  const std::string partition;
  const std::string offset_text;
  const std::string count;
  const std::array<HeaderView, 6> headers;
};

// A group that reads only what is committed by now may have delivered records of open transactions before.
Error not_visible(const Deaths& deaths, Offset offset) {
  return {Errc::invalid_state, "offset " + std::to_string(offset) + " of " + deaths.at.topic + "-" +
                                   std::to_string(deaths.at.partition) +
                                   " is not committed yet, so that it cannot be copied into a letter; it is "
                                   "tried again, and goes on once the transaction has ended"};
}

}  // namespace

std::shared_ptr<group::LetterWriter> DeadLetters::of(const std::shared_ptr<detail::EngineImpl>& engine) {
  return engine->share_groups.members().letter_writer(
      [&]() -> std::shared_ptr<group::LetterWriter> { return std::make_shared<DeadLetters>(engine); });
}

Result<> DeadLetters::open_producer() {
  if (producer_ != nullptr) return {};
  auto holder = engine_->coordinator->open(letters_id, letters_timeout);
  if (!holder) return holder.error();
  producer_ = std::make_shared<detail::TransactionalProducerImpl>(
      engine_,
      TransactionalProducerOptions{.transactional_id = letters_id, .transaction_timeout = letters_timeout},
      *std::move(holder));
  return {};
}

// Kafka's rule: the partition of the record, modulo the number of the letter topic's.
Result<PartitionId> DeadLetters::partition_for(const Deaths& deaths) const {
  auto topic = engine_->topic(deaths.letter_topic);
  if (!topic && topic.error().code() == Errc::unknown_topic_or_partition) {
    auto created = detail::EngineImpl::handle(engine_).admin().create_topic(
        {.name = deaths.letter_topic, .if_not_exists = true});
    if (!created) return created.error();
    topic = engine_->topic(deaths.letter_topic);
  }
  if (!topic) return topic.error();
  return deaths.at.partition % (*topic)->partition_count();
}

Result<std::uint64_t> DeadLetters::begin() {
  auto number = engine_->coordinator->begin(*producer_->holder);
  if (!number) producer_.reset();
  return number;
}

// An administrator may fence any producer: the next letters are not to fail for it as well.
Result<> DeadLetters::bury(const Deaths& deaths) {
  const base::MutexLock lock(mutex_);
  auto buried = bury_each(deaths);
  if (!buried && buried.error().code() == Errc::producer_fenced) producer_.reset();
  return buried;
}

Result<> DeadLetters::bury_each(const Deaths& deaths) {
  if (auto opened = open_producer(); !opened) return opened;
  const auto letter_partition = partition_for(deaths);
  if (!letter_partition) return letter_partition.error();
  for (DeadRun run : deaths.runs) {
    const Offset last = run.offsets.last;
    for (; run.offsets.first <= last; run.offsets.first = run.offsets.last + 1) {
      run.offsets.last = std::min(last, run.offsets.first + letters_per_commit - 1);
      if (auto buried = bury_run(deaths, *letter_partition, run); !buried) return buried;
    }
  }
  return {};
}

Result<> DeadLetters::bury_run(const Deaths& deaths, PartitionId letter_partition, const DeadRun& run) {
  auto reader = detail::EngineImpl::handle(engine_).reader(deaths.at, {deaths.isolation_level});
  if (!reader) return reader.error();
  const auto number = begin();
  if (!number) return number.error();
  detail::TransactionImpl transaction(producer_, *number);  // Aborts, unless it is committed.
  if (auto written = write_letters(transaction, deaths, letter_partition, run, *reader); !written)
    return written;
  if (auto added = transaction.bury({.partition = deaths.partition, .runs = {run.offsets}}); !added)
    return added;
  return transaction.commit();
}

// A record that the log has no more leaves no letter: it is gone, and did not die.
Result<> DeadLetters::write_letters(detail::TransactionImpl& transaction, const Deaths& deaths,
                                    PartitionId letter_partition, const DeadRun& run,
                                    const LogReader& reader) {
  const bool is_committed_only = deaths.isolation_level == IsolationLevel::read_committed;
  for (Offset next = run.offsets.first; next <= run.offsets.last;) {
    next = std::max(next, reader.log_start_offset());
    if (next > run.offsets.last) break;
    // Before the read: below it nothing stays hidden.
    const Offset visible_end = is_committed_only ? reader.last_stable_offset() : reader.high_watermark();
    const auto records = reader.read(next, static_cast<std::size_t>(run.offsets.last - next + 1));
    if (!records) return records.error();
    if (records->empty() && run.offsets.last >= visible_end)
      return not_visible(deaths, std::max(next, visible_end));
    if (records->empty()) break;
    for (const RecordView& record : *records) {
      next = record.offset() + 1;
      if (record.offset() > run.offsets.last) break;
      const LetterHeaders headers(deaths, run, record.offset());
      ProducerRecord letter{
          .topic = deaths.letter_topic, .partition = letter_partition, .headers = headers.headers};
      if (deaths.copies_records) {
        letter.key = record.key();
        letter.value = record.value();
      }
      auto sent = transaction.send(letter);
      if (!sent && sent.error().code() == Errc::record_too_large && deaths.copies_records) {
        // As Kafka's: the headers say where the record is.
        letter.key = BytesView();
        letter.value = BytesView();
        sent = transaction.send(letter);
      }
      if (!sent) return sent.error();
    }
  }
  return {};
}

}  // namespace seriatim::api
