#include "flow/dead_letters/dead_letter_replay_impl.hpp"

#include <utility>
#include <vector>

#include <seriatim/admin.hpp>

#include "flow/recipe_producer.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

BytesView letter_bytes(const std::optional<std::string>& text) {
  return text ? BytesView(*text) : BytesView();
}

std::string letter_name(const std::string& topic, const DeadLetter& letter) {
  return "dead letter " + topic + "-" + std::to_string(letter.partition) + " offset " +
         std::to_string(letter.offset);
}

}  // namespace

Result<std::unique_ptr<DeadLetterReplayImpl>> DeadLetterReplayImpl::open(const Engine& engine,
                                                                         DeadLetterReplayOptions options) {
  if (options.to == options.topic) {
    return Error(Errc::invalid_argument, "a replay of " + options.topic +
                                             " into itself would read its own records; name another topic, "
                                             "or none for the topics that the letters came from");
  }
  if (!options.to.empty()) {
    if (auto target = engine.admin().describe_topic(options.to); !target) return target.error();
  }
  // Known before it is asked which were replayed: what the holder before has not finished is over then.
  auto described = engine.admin().describe_topic(options.topic);
  if (!described) return described.error();
  auto producer = flow::open_recipe_producer(engine, "dlq-replay:" + described->topic_id, options.acks);
  if (!producer) return producer.error();
  auto scan = flow::LetterScan::open(engine, options.topic, options.filter);
  if (!scan) return scan.error();
  return std::make_unique<DeadLetterReplayImpl>(engine, std::move(options), *std::move(scan),
                                                *std::move(producer));
}

DeadLetterReplayImpl::DeadLetterReplayImpl(const Engine& engine, DeadLetterReplayOptions options,
                                           flow::LetterScan scan, TransactionalProducer producer)
    : engine_(engine), options_(std::move(options)), scan_(std::move(scan)), producer_(std::move(producer)) {}

Result<DeadLetterReplayStep> DeadLetterReplayImpl::step(std::size_t limit) {
  if (staged_) return finish();
  if (!at_) return DeadLetterReplayStep{.is_through = true};
  auto page = scan_.next(*at_, limit);
  if (!page) return page.error();
  auto transaction = producer_.begin();
  if (!transaction) return transaction.error();
  Staged staged{.transaction = *std::move(transaction), .next = page->next};
  for (const DeadLetter& letter : page->letters) {
    if (auto done = stage(staged, letter); !done)
      return done.error().with_context("replaying " + letter_name(options_.topic, letter));
  }
  staged.step.is_through = !page->next;
  staged_.emplace(std::move(staged));
  return finish();
}

Result<> DeadLetterReplayImpl::stage(Staged& staged, const DeadLetter& letter) {
  if (letter.is_replayed) {
    ++staged.step.replayed_before;
    return {};
  }
  const bool is_record = letter.key || letter.value;
  if (!is_record || (options_.to.empty() && letter.topic.empty())) {
    ++staged.step.left_out;
    return {};
  }
  ++staged.step.replayed;
  return send(staged.transaction, letter);
}

Result<> DeadLetterReplayImpl::send(Transaction& transaction, const DeadLetter& letter) {
  const std::string& to = options_.to.empty() ? letter.topic : options_.to;
  auto partitions = partitions_of(to);
  if (!partitions) return partitions.error();
  const bool goes_back = options_.to.empty() && letter.record_partition && *letter.record_partition >= 0 &&
                         *letter.record_partition < *partitions;
  std::vector<HeaderView> headers;
  for (const auto& [name, value] : letter.headers) headers.push_back({name, letter_bytes(value)});
  auto sent = transaction.send({.topic = to,
                                .key = letter_bytes(letter.key),
                                .value = letter_bytes(letter.value),
                                .partition = goes_back ? letter.record_partition : std::nullopt,
                                .headers = headers});
  if (!sent) return sent.error();
  return scan_.replayed().add(
      transaction, {.partition = letter.partition, .offset = letter.offset},
      to + "-" + std::to_string(sent->partition) + "@" + std::to_string(sent->offset));
}

Result<DeadLetterReplayStep> DeadLetterReplayImpl::finish() {
  auto committed = staged_->transaction.commit();
  if (!committed) {
    // One that may be committed is asked again by the next step; another one is staged anew.
    if (committed.error().outcome() != Outcome::unknown) staged_.reset();
    return committed.error();
  }
  const DeadLetterReplayStep step = staged_->step;
  at_ = staged_->next;
  staged_.reset();
  return step;
}

Result<PartitionId> DeadLetterReplayImpl::partitions_of(const std::string& topic) {
  if (const auto known = partitions_.find(topic); known != partitions_.end()) return known->second;
  auto described = engine_.admin().describe_topic(topic);
  if (!described) return described.error();
  const auto partitions = static_cast<PartitionId>(described->partitions.size());
  partitions_.emplace(topic, partitions);
  return partitions;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
