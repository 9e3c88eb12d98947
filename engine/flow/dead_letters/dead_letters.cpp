// Dead letters: lists, the purge, and the handle of a replay.
#include <seriatim/flow/dead_letters.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include <seriatim/admin.hpp>
#include <seriatim/exception.hpp>

#include "flow/dead_letters/dead_letter_replay_impl.hpp"
#include "flow/dead_letters/letter_scan.hpp"
#include "flow/recipe_producer.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t listed_letters_max = 10'000;
constexpr std::size_t replayed_letters_max = 1'000;
// Of one transaction; arbitrary.
constexpr std::size_t forgotten_letters = 1'000;

Result<> check_letter_limit(std::size_t limit, std::size_t largest) {
  if (limit > 0 && limit <= largest) return {};
  return Error(Errc::invalid_argument, "the limit of dead letters is " + std::to_string(limit) +
                                           "; it must be 1 to " + std::to_string(largest));
}

// A purge that was cut off leaves rows: the next one takes them too.
Result<> forget_replayed(const Engine& engine, const TopicPartition& partition, Offset log_start) {
  auto scan = flow::LetterScan::open(engine, partition.topic, {});
  if (!scan) return scan.error();
  auto producer = flow::open_recipe_producer(engine, "dlq-purge:" + scan->topic_id(), Acks::all);
  if (!producer) return producer.error();
  for (;;) {
    auto transaction = producer->begin();
    if (!transaction) return transaction.error();
    auto forgotten = scan->replayed().forget(
        *transaction, {.partition = partition.partition, .offset = log_start}, forgotten_letters);
    if (!forgotten) return forgotten.error();
    if (*forgotten == 0) return {};
    if (auto committed = transaction->commit(); !committed) return committed;
    if (*forgotten < forgotten_letters) return {};
  }
}

}  // namespace

Result<DeadLetterPage> list_dead_letters(const Engine& engine, std::string_view topic,
                                         const DeadLetterPosition& from, std::size_t limit,
                                         const DeadLetterFilter& filter) try {
  if (auto checked = check_letter_limit(limit, listed_letters_max); !checked) return checked.error();
  if (from.partition < 0)
    return Error(Errc::invalid_argument, "the partition to list dead letters from is negative");
  auto scan = flow::LetterScan::open(engine, std::string(topic), filter);
  if (!scan) return scan.error();
  return scan->next(from, limit);
} catch (...) {
  return current_error();
}

Result<std::uint64_t> purge_dead_letters(const Engine& engine, const TopicPartition& partition,
                                         Offset before) try {
  auto old_start = engine.admin().list_offset(partition, OffsetSpec::earliest);
  if (!old_start) return old_start.error();
  auto log_start = engine.admin().delete_records(partition, before);
  if (!log_start) return log_start.error();
  auto forgotten = forget_replayed(engine, partition, *log_start);
  if (!forgotten) return forgotten.error().with_context("the letters are deleted; forgetting their replays");
  return static_cast<std::uint64_t>(std::max<Offset>(*log_start - *old_start, 0));
} catch (...) {
  return current_error();
}

DeadLetterReplay::DeadLetterReplay(std::unique_ptr<detail::DeadLetterReplayImpl> impl) noexcept
    : impl_(std::move(impl)) {}
DeadLetterReplay::DeadLetterReplay(DeadLetterReplay&&) noexcept = default;
DeadLetterReplay& DeadLetterReplay::operator=(DeadLetterReplay&&) noexcept = default;
DeadLetterReplay::~DeadLetterReplay() = default;

Result<DeadLetterReplay> DeadLetterReplay::open(const Engine& engine, DeadLetterReplayOptions options) try {
  auto impl = detail::DeadLetterReplayImpl::open(engine, std::move(options));
  if (!impl) return impl.error();
  return DeadLetterReplay(*std::move(impl));
} catch (...) {
  return current_error();
}

Result<DeadLetterReplayStep> DeadLetterReplay::step(std::size_t limit) try {
  if (!impl_) return Error(Errc::closed, "this DeadLetterReplay was moved from; use the one it was moved to");
  if (auto checked = check_letter_limit(limit, replayed_letters_max); !checked) return checked.error();
  return impl_->step(limit);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}

}  // namespace v0
}  // namespace seriatim
