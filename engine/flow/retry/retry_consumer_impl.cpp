#include "flow/retry/retry_consumer_impl.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <seriatim/admin.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// A quarter of EngineOptions::transaction_max_bytes as it is by default: the failed records of a batch are
// rows of one transaction.
constexpr std::size_t poll_bytes_max = std::size_t{1} << 20U;
constexpr std::size_t parked_page = 32;
// A record that has no room in a transaction is tried as the first one of the next, once.
constexpr std::uint32_t full_transactions_max = 2;

}  // namespace

Result<RetryConsumer> RetryConsumerImpl::open(const Engine& engine, RetryConsumerOptions options,
                                              RetryHandler handler) {
  auto impl = std::make_unique<RetryConsumerImpl>(engine, std::move(options), std::move(handler));
  if (auto begun = impl->begin(engine); !begun) return begun.error();
  return RetryConsumer(std::move(impl));
}

RetryConsumerImpl::RetryConsumerImpl(const Engine& engine, RetryConsumerOptions options, RetryHandler handler)
    : options_(std::move(options)),
      handler_(std::move(handler)),
      topics_(engine, options_.group_id,
              options_.retry_topic.empty() ? options_.group_id + ".retry" : options_.retry_topic) {}

Result<> RetryConsumerImpl::begin(const Engine& engine) {
  if (std::find(options_.topics.begin(), options_.topics.end(), topics_.retry_topic()) !=
      options_.topics.end()) {
    return Error(Errc::invalid_argument, "RetryConsumerOptions::topics names the retry topic, " +
                                             topics_.retry_topic() + "; leave it out: it is consumed anyway");
  }
  if (auto made = topics_.make(options_.topics); !made) return made;
  auto checker = engine.producer();
  if (!checker) return checker.error();
  auto delayed = DelayedMessages::open(engine, {.name = "retry:" + options_.group_id,
                                                .acks = options_.acks,
                                                .delivers_in_background = options_.delivers_in_background});
  if (!delayed) return delayed.error();
  delayed_.emplace(*std::move(delayed));
  if (auto unparked = unpark(); !unparked) return unparked;
  if (auto begun = begin_retries_at_first(engine); !begun) return begun;
  handling_.emplace(options_, handler_, topics_, *delayed_, *std::move(checker));
  auto processor =
      Processor::open(engine, processor_options(), [this](const RecordView& record, ProcessorOutput& output) {
        return handling_->handle(record, output);
      });
  if (!processor) return processor.error();
  processor_.emplace(*std::move(processor));
  return {};
}

Result<> RetryConsumerImpl::unpark() {
  DelayedPosition after;
  for (;;) {
    auto page = delayed_->list(DelayedListing::parked, after, parked_page);
    if (!page) return page.error();
    for (const DelayedMessage& message : *page) {
      auto retried = delayed_->retry_parked(message.id);
      if (!retried) return retried.error();
    }
    if (page->size() < parked_page) return {};
    after = {.due = page->back().due, .id = page->back().id};
  }
}

Result<> RetryConsumerImpl::begin_retries_at_first(const Engine& engine) const {
  if (options_.consumer.auto_offset_reset == AutoOffsetReset::earliest) return {};
  auto committed = engine.admin().group_offsets(options_.group_id);
  if (!committed) return committed.error();
  auto described = engine.admin().describe_topic(topics_.retry_topic());
  if (!described) return described.error();
  TopicPartitionOffsets missing;
  for (PartitionId i = 0; i < static_cast<PartitionId>(described->partitions.size()); ++i) {
    const TopicPartition at{topics_.retry_topic(), i};
    const bool is_known = std::any_of(committed->begin(), committed->end(),
                                      [&](const GroupOffset& one) { return one.topic_partition == at; });
    if (is_known) continue;
    auto first = engine.admin().list_offset(at, OffsetSpec::earliest);
    if (!first) return first.error();
    missing[at].offset = *first;
  }
  if (missing.empty()) return {};
  auto begun = engine.admin().alter_group_offsets(options_.group_id, missing);
  return begun ? begun : begun.error().with_context("setting where the retries of the group begin");
}

ProcessorOptions RetryConsumerImpl::processor_options() const {
  ProcessorOptions options{.group_id = options_.group_id,
                           .topics = options_.topics,
                           .delivery = Delivery::exactly_once,
                           .workers = options_.workers,
                           .acks = options_.acks,
                           .on_failure = [this](const ProcessorFailure& failure) { return decide(failure); },
                           .consumer = options_.consumer,
                           .transactional_id = "retry:" + options_.group_id,
                           .transaction_timeout = options_.transaction_timeout};
  options.topics.push_back(topics_.retry_topic());
  options.consumer.max_poll_bytes = std::min(options.consumer.max_poll_bytes, poll_bytes_max);
  return options;
}

OnFailure RetryConsumerImpl::decide(const ProcessorFailure& failure) const noexcept {
  if (handling_->was_told_to_stop()) return OnFailure::stop;
  if (failure.error.retriable() || failure.error.requires_abort()) return OnFailure::retry;
  const bool lacks_room = failure.record != nullptr && failure.error.code() == Errc::record_too_large;
  return lacks_room && failure.attempts < full_transactions_max ? OnFailure::retry : OnFailure::stop;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
