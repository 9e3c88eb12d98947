#include "flow/retry/retry_handling.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/exception.hpp>

#include "flow/dead_letters/dead_letter_headers.hpp"
#include "flow/header_list.hpp"
#include "flow/recipe_clock.hpp"
#include "flow/retry/retry_output.hpp"
#include "flow/retry/retry_policy.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// A row of a state has 1 MiB. The headers of a retry, and what surrounds them, take less than the rest.
constexpr std::size_t waiting_bytes_max = (std::size_t{1} << 20U) - (std::size_t{8} << 10U);
// Beside the two texts of a header: their lengths.
constexpr std::size_t header_overhead = 16;

BytesView view_of(const std::optional<std::string>& text) { return text ? BytesView(*text) : BytesView(); }

std::string place_of_record(const flow::RetryOrigin& origin) {
  return origin.topic + "-" + std::to_string(origin.partition) + " offset " + std::to_string(origin.offset);
}

std::size_t size_of(const RecordView& record) {
  std::size_t bytes = record.key().size() + record.value().size();
  for (std::size_t i = 0; i < record.header_count(); ++i) {
    const HeaderView header = record.header(i);
    bytes += header.key.size() + header.value.size() + header_overhead;
  }
  return bytes;
}

Error not_retried(const Error& failure, const Error& reason) {
  return failure.with_context("not retried (" + reason.message() + ")");
}

// Which records wait together is the same after a restart: so is what comes of it.
std::uint64_t seed_of(const flow::RetryOrigin& origin) {
  return (static_cast<std::uint64_t>(origin.offset) << 20U) + static_cast<std::uint64_t>(origin.partition);
}

}  // namespace

RetryHandling::RetryHandling(const RetryConsumerOptions& options, const RetryHandler& handler,
                             flow::RetryTopics& topics, DelayedMessages& delayed, Producer checker)
    : options_(options),
      handler_(handler),
      topics_(topics),
      delayed_(delayed),
      checker_(std::move(checker)),
      keys_(options.group_id) {}

Result<> RetryHandling::handle(const RecordView& record, ProcessorOutput& output) {
  auto transaction = output.transaction();
  if (!transaction) return transaction.error();
  auto origin = record.topic() == topics_.retry_topic() ? flow::decode_origin(record) : std::nullopt;
  const bool is_retry = origin.has_value();
  Case one{.record = record,
           .origin = is_retry ? *std::move(origin) : flow::origin_of(record),
           .is_retry = is_retry,
           .transaction = **transaction};
  if (!is_retry && options_.keeps_order_per_key && !record.key().is_null()) {
    auto waits = keys_.is_waiting(one.transaction, one.origin, record.key());
    if (!waits) return waits.error();
    if (*waits) return hold_back(one);
  }
  RetryOutput outputs(checker_);
  const auto failure = call(one, attempt_of(one), outputs);
  // A full disk must not make dead letters of records.
  if (outputs.engine_failure_) return outputs.engine_failure_->with_context("appending an output");
  if (failure) return fail(one, *failure);
  if (auto kept = keep_outputs(one, outputs); !kept) return kept;
  ++handled_;
  return pass_on(one);
}

RetryAttempt RetryHandling::attempt_of(const Case& one) const noexcept {
  return {.topic = one.origin.topic,
          .partition = one.origin.partition,
          .offset = one.origin.offset,
          .timestamp = one.origin.timestamp,
          .number = one.origin.attempts + 1,
          .first_failure = one.origin.first_failure,
          .last_error = one.origin.error};
}

std::optional<RetryHandling::Failure> RetryHandling::call(const Case& one, const RetryAttempt& attempt,
                                                          RetryOutput& output) const {
  try {
    auto handled = handler_(one.record, attempt, output);
    if (handled) return std::nullopt;
    return Failure{.error = handled.error(), .exception = nullptr};
  } catch (const seriatim::Exception& thrown) {
    return Failure{.error = thrown.error(), .exception = std::current_exception()};
  } catch (const std::bad_alloc&) {
    return Failure{.error = current_error(), .exception = std::current_exception()};
  } catch (const std::exception& thrown) {
    // Its own words: they are the reason in the letter.
    return Failure{.error = Error(current_error().code(), "the handler threw: " + std::string(thrown.what())),
                   .exception = std::current_exception()};
  } catch (...) {
    return Failure{.error = current_error(), .exception = std::current_exception()};
  }
}

Result<> RetryHandling::keep_outputs(const Case& one, const RetryOutput& output) const {
  for (const auto& kept : output.sent_) {
    std::vector<HeaderView> headers;
    for (const auto& [name, value] : kept->headers) headers.push_back({name, view_of(value)});
    auto sent = one.transaction.send({.topic = kept->topic,
                                      .key = view_of(kept->key),
                                      .value = view_of(kept->value),
                                      .partition = kept->partition,
                                      .timestamp = kept->timestamp,
                                      .headers = headers});
    if (!sent) return sent.error().with_context("appending an output");
  }
  return {};
}

Result<> RetryHandling::fail(const Case& one, const Failure& failure) {
  const RetryAttempt attempt = attempt_of(one);
  RetryDecision decision;
  if (options_.classify) {
    auto decided = [&]() -> Result<RetryDecision> {
      try {
        return options_.classify({.error = failure.error,
                                  .exception = failure.exception,
                                  .record = one.record,
                                  .attempt = attempt});
      } catch (...) {
        return current_error().with_context("deciding on a failure (" + failure.error.message() + ")");
      }
    }();
    const auto checked = decided && decided->policy ? flow::check_policy(*decided->policy) : Result<>();
    if (!decided || !checked) {
      was_told_to_stop_ = true;
      return decided ? checked : Result<>(decided.error());
    }
    decision = *decided;
  }
  const RetryPolicy& policy = decision.policy ? *decision.policy : options_.policy;
  switch (decision.action) {
    case OnRetryFailure::retry:
      if (attempt.number < policy.max_attempts) return schedule(one, failure.error, policy);
      return bury(one, failure.error, attempt.number);
    case OnRetryFailure::dead_letter:
      return bury(one, failure.error, attempt.number);
    case OnRetryFailure::skip:
      ++skipped_;
      return pass_on(one);
    case OnRetryFailure::stop:
      break;
  }
  was_told_to_stop_ = true;
  return failure.error;
}

Result<> RetryHandling::check_waits(const Case& one) {
  const std::size_t bytes = size_of(one.record);
  if (bytes <= waiting_bytes_max) return {};
  return Error(Errc::record_too_large, "the record has " + std::to_string(bytes) +
                                           " bytes with key and headers; one that waits for a retry has at "
                                           "most " +
                                           std::to_string(waiting_bytes_max));
}

Result<> RetryHandling::check_retry(const ProducerRecord& retry) const {
  auto checked = checker_.check(retry);
  if (checked || checked.error().code() != Errc::unknown_topic_or_partition) return checked;
  if (auto made = topics_.make_retry_topic(); !made) return made;
  return checker_.check(retry);
}

Result<> RetryHandling::schedule(const Case& one, const Error& error, const RetryPolicy& policy) {
  const std::uint32_t attempts = one.origin.attempts + 1;
  if (auto waits = check_waits(one); !waits) return bury(one, not_retried(error, waits.error()), attempts);
  const bool leads = !one.is_retry && options_.keeps_order_per_key && !one.record.key().is_null();
  flow::RetryOrigin next = one.origin;
  if (!next.first_failure) next.first_failure = flow::system_time();
  next.attempts = attempts;
  next.error = error.message();
  if (leads) next.sequence = flow::WaitingKeys::leading_number(one.origin);
  flow::HeaderList headers;
  headers.copy_without(one.record, flow::retry_prefix);
  flow::add_origin(headers, next);
  const ProducerRecord retry{.topic = topics_.retry_topic(),
                             .key = one.record.key(),
                             .value = one.record.value(),
                             .partition = topics_.retry_partition(one.origin.partition),
                             .headers = headers.views()};
  if (auto checked = check_retry(retry); !checked) {
    // Somebody made the topic's limit smaller.
    if (checked.error().code() == Errc::record_too_large)
      return bury(one, not_retried(error, checked.error()), attempts);
    return checked;
  }
  if (leads) {
    if (auto led = keys_.lead(one.transaction, one.origin, one.record.key()); !led) return led;
  }
  const auto delay = flow::retry_delay(policy, attempts, seed_of(one.origin));
  auto scheduled = delayed_.schedule(one.transaction, retry, delay);
  if (!scheduled)
    return scheduled.error().with_context("scheduling a retry of " + place_of_record(one.origin));
  ++retried_;
  return {};
}

Result<> RetryHandling::bury(const Case& one, const Error& error, std::uint32_t attempts) {
  auto sent = send_letter(one, error, attempts);
  if (!sent && sent.error().code() == Errc::unknown_topic_or_partition) {
    topics_.forget_letters(one.origin.topic);
    sent = send_letter(one, error, attempts);
  }
  if (!sent) return sent.error().with_context("writing the dead letter of " + place_of_record(one.origin));
  ++dead_letters_;
  return pass_on(one);
}

Result<> RetryHandling::send_letter(const Case& one, const Error& error, std::uint32_t attempts) {
  auto place = topics_.letter_place(one.origin.topic, one.origin.partition);
  if (!place) return place.error();
  const Timestamp now = flow::system_time();
  const DeadLetter death{.time = now,
                         .topic = one.origin.topic,
                         .record_partition = one.origin.partition,
                         .record_offset = one.origin.offset,
                         .record_timestamp = one.origin.timestamp,
                         .group = options_.group_id,
                         .attempts = attempts,
                         .error = error.message(),
                         .error_name = std::string(error.name()),
                         .first_failure = one.origin.first_failure ? one.origin.first_failure : now};
  flow::HeaderList headers;
  headers.copy_without(one.record, flow::retry_prefix);
  flow::add_death(headers, death);
  flow::HeaderList of_death;
  ProducerRecord letter{.topic = place->topic,
                        .key = one.record.key(),
                        .value = one.record.value(),
                        .partition = place->partition,
                        .headers = headers.views()};
  if (auto checked = checker_.check(letter); !checked && checked.error().code() == Errc::record_too_large) {
    // As Kafka's: the headers say where the record is.
    letter.key = BytesView();
    letter.value = BytesView();
    // Its own headers, too, where they alone are more than the topic takes.
    if (auto again = checker_.check(letter); !again && again.error().code() == Errc::record_too_large) {
      flow::add_death(of_death, death);
      letter.headers = of_death.views();
    }
  }
  auto sent = one.transaction.send(letter);
  return sent ? Result<>() : Result<>(sent.error());
}

Result<> RetryHandling::hold_back(const Case& one) {
  if (auto waits = check_waits(one); !waits) return bury(one, waits.error(), 0);
  ++held_back_;
  return keys_.add(one.transaction, one.origin, one.record);
}

Result<> RetryHandling::pass_on(const Case& one) const {
  if (!one.is_retry || one.record.key().is_null()) return {};
  auto next = keys_.pass_on(one.transaction, one.origin, one.record.key());
  if (!next) return next.error();
  if (!*next) return {};
  const flow::WaitingRecord& waiting = **next;
  flow::HeaderList headers;
  headers.copy_without(waiting.headers, flow::retry_prefix);
  flow::add_origin(headers, waiting.origin);
  const ProducerRecord retry{.topic = topics_.retry_topic(),
                             .key = view_of(waiting.key),
                             .value = view_of(waiting.value),
                             .partition = topics_.retry_partition(waiting.origin.partition),
                             .headers = headers.views()};
  if (auto checked = check_retry(retry); !checked) return checked;
  auto sent = one.transaction.send(retry);
  return sent ? Result<>() : sent.error().with_context("bringing back " + place_of_record(waiting.origin));
}

RetryMetrics RetryHandling::metrics() const noexcept {
  return {.handled = handled_,
          .retried = retried_,
          .dead_letters = dead_letters_,
          .skipped = skipped_,
          .held_back = held_back_};
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
