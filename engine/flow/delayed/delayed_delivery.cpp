#include "flow/delayed/delayed_delivery.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "flow/delayed/delayed_codec.hpp"
#include "flow/own_tables.hpp"

namespace seriatim::flow {
namespace {

// Of one transaction: large enough to share its cost, small enough that `cancel` does not wait for long, and
// that its keys are far below EngineOptions::transaction_max_bytes. Arbitrary.
constexpr std::size_t batch_rows_max = 500;
constexpr std::size_t batch_bytes_max = std::size_t{1} << 20U;

std::span<const std::byte> key_bytes(const std::string& key) { return std::as_bytes(std::span(key)); }

std::string next_key(std::string key) {
  key.push_back('\0');
  return key;
}

// No later attempt with the same record goes better, unless the topic or the record's place changes.
bool is_of_record(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::invalid_topic:
    case Errc::unknown_topic_or_partition:
    case Errc::record_too_large:
    case Errc::invalid_record:
    case Errc::invalid_timestamp:
    case Errc::policy_violation:
    case Errc::unsupported_codec:
    case Errc::corrupt_record:
    case Errc::corrupt_metadata:
      return true;
    default:
      return false;
  }
}

}  // namespace

void DelayedCounters::delivered(std::uint64_t messages, std::uint64_t parked,
                                std::chrono::milliseconds lateness_max,
                                std::chrono::milliseconds lateness_last) noexcept {
  const std::lock_guard lock(mutex_);
  metrics_.delivered += messages;
  metrics_.parked += parked;
  ++metrics_.batches;
  if (messages == 0) return;
  metrics_.lateness_max = std::max(metrics_.lateness_max, lateness_max);
  metrics_.lateness_last = lateness_last;
}

void DelayedCounters::failed() noexcept {
  const std::lock_guard lock(mutex_);
  ++metrics_.failures;
}

DelayedMetrics DelayedCounters::copy() const noexcept {
  const std::lock_guard lock(mutex_);
  return metrics_;
}

/// The rows of one transaction, and how far it came.
struct DelayedDelivery::Batch {
  const std::vector<Due>& due;
  std::size_t rows;
  std::size_t staged = 0;  ///< Of `rows`: the next one failed where it is fewer.
  bool lacks_room = false;
};

DelayedDelivery::DelayedDelivery(const DelayedTables& tables, DelayedRowWriter& writer,
                                 DelayedHorizon& horizon, RecipeClock clock, Producer checker)
    : tables_(tables),
      writer_(writer),
      horizon_(horizon),
      now_(std::move(clock)),
      checker_(std::move(checker)),
      opened_(now_()) {}

Result<DelayedDelivery::Pass> DelayedDelivery::pass(std::size_t batches_max) {
  std::string from = horizon_.begin_pass();
  auto passed = run_pass(batches_max, std::move(from));
  if (!passed || !passed->is_through) horizon_.break_pass();
  if (!passed) counters_.failed();
  return passed;
}

Result<DelayedDelivery::Pass> DelayedDelivery::run_pass(std::size_t batches_max, std::string from) {
  Pass pass;
  rows_max_ = batch_rows_max;
  for (std::size_t batches = 0; batches < batches_max; ++batches) {
    // The rows that it finds stay as they are until it has delivered them.
    auto turn = writer_.begin();
    if (!turn) return turn.error();
    const Timestamp now = now_();
    const auto began = std::chrono::steady_clock::now();
    auto found = look(from, now);
    if (!found) return found.error();
    if (batches == 0) pass.first_look = std::chrono::steady_clock::now() - began;
    std::size_t done = 0;
    if (!found->due.empty()) {
      auto delivered = deliver(*turn, found->due, pass);
      if (!delivered) return delivered.error();
      done = *delivered;
      from = next_key(found->due[done - 1].key);
    }
    if (done == found->due.size() && found->is_last) {
      horizon_.advance(delayed_key({.due = now, .id = {}}));
      pass.sleep = horizon_.end_pass(now, found->next);
      pass.is_through = true;
      return pass;
    }
    horizon_.advance(from);
  }
  return pass;
}

Result<DelayedDelivery::Found> DelayedDelivery::look(std::string from, Timestamp now) const {
  Found found;
  std::size_t bytes = 0;
  while (found.due.size() < rows_max_ && bytes < batch_bytes_max) {
    const std::size_t wanted = std::min(delayed_page_rows, rows_max_ - found.due.size());
    auto page = tables_.pending().scan(from, wanted);
    if (!page) return page.error();
    for (StateEntry& entry : *page) {
      auto at = decode_delayed_key(entry.key);
      if (!at) return unreadable_delayed(tables_.pending().name(), entry.key);
      if (at->due > now) {
        found.next = at->due;
        found.is_last = true;
        return found;
      }
      if (bytes >= batch_bytes_max) return found;
      bytes += entry.key.size() + entry.value.size();
      std::string key = delayed_key(*at);
      found.due.push_back({.at = *std::move(at), .key = std::move(key), .row = std::move(entry.value)});
    }
    if (page->size() < wanted) {
      found.is_last = true;
      return found;
    }
    from = next_key(found.due.back().key);
  }
  return found;
}

Result<std::size_t> DelayedDelivery::deliver(DelayedRowWriter::Turn& turn, const std::vector<Due>& due,
                                             Pass& pass) {
  for (std::size_t rows = due.size();;) {
    Batch batch{.due = due, .rows = rows};
    // Shared, as a commit may be finished in a later turn.
    const auto tally = std::make_shared<Tally>();
    auto changed = turn.change([&](Transaction& transaction) { return stage(transaction, batch, *tally); },
                               [this, tally] { count(*tally); });
    if (changed) {
      pass.delivered += tally->delivered;
      return rows;
    }
    if (batch.staged == 0 || batch.staged == rows) return changed.error();
    // The rows before the one that failed go first: it does not hold them up.
    rows = batch.staged;
    if (batch.lacks_room) rows_max_ = rows;
  }
}

Result<> DelayedDelivery::stage(Transaction& transaction, Batch& batch, Tally& tally) const {
  for (; batch.staged < batch.rows; ++batch.staged) {
    auto staged = stage_one(transaction, batch.due[batch.staged], tally);
    if (staged) continue;
    // A record that is too large was parked: this is about the transaction.
    batch.lacks_room = staged.error().code() == Errc::record_too_large;
    return staged;
  }
  return {};
}

Result<> DelayedDelivery::stage_one(Transaction& transaction, const Due& due, Tally& tally) const {
  if (auto erased = own_table(transaction, tables_.pending().name()).erase(due.key); !erased) return erased;
  std::vector<HeaderView> headers;
  const auto message = decode_delayed(due.at, due.row);
  const ProducerRecord record = message ? delayed_record(*message, headers) : ProducerRecord{};
  const auto refused = message ? send(transaction, record) : Refusal(unreadable_pending(due));
  if (!refused) return refused.error();
  if (*refused) {
    ++tally.parked;
    return own_table(transaction, tables_.parked().name()).put(due.key, encode_parked(**refused, due.row));
  }
  if (tally.delivered++ == 0) tally.first_due = due.at.due;
  tally.last_due = due.at.due;
  return has_id_row(due.row) ? forget_id(transaction, due.at) : Result<>();
}

std::optional<Error> DelayedDelivery::unreadable_pending(const Due& due) const {
  return unreadable_delayed(tables_.pending().name(), key_bytes(due.key));
}

DelayedDelivery::Refusal DelayedDelivery::send(Transaction& transaction, const ProducerRecord& record) const {
  auto sent = transaction.send(record);
  if (sent) return std::optional<Error>();
  const Error& error = sent.error();
  if (!is_of_record(error.code())) return error;
  // It may also be the transaction that has no room for one partition more.
  if (error.code() == Errc::record_too_large && checker_.check(record)) return error;
  return std::optional<Error>(error);
}

// The id may be that of another message meanwhile, which a transaction of the application's scheduled.
Result<> DelayedDelivery::forget_id(Transaction& transaction, const DelayedPosition& at) const {
  auto ids = own_table(transaction, tables_.ids().name());
  auto due = ids.get(at.id);
  if (!due) return due.error();
  if (!*due || decode_due(**due) != at.due) return {};
  return ids.erase(at.id);
}

void DelayedDelivery::count(const Tally& tally) noexcept {
  const Timestamp now = now_();
  const auto lateness = [&](Timestamp due) {
    return std::max(now - std::max(due, opened_), std::chrono::milliseconds(0));
  };
  counters_.delivered(tally.delivered, tally.parked, lateness(tally.first_due), lateness(tally.last_due));
}

}  // namespace seriatim::flow
