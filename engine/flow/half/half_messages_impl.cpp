#include "flow/half/half_messages_impl.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>

#include "flow/own_tables.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::size_t producer_count = 4;
constexpr std::size_t id_digits = 32;
constexpr std::size_t time_digits = 12;  // milliseconds since 1970, so that ids are in the order of time
constexpr std::size_t page_entries = 256;

std::string hex(std::uint64_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i > 0; --i, value >>= 4U) text[i - 1] = "0123456789abcdef"[value & 0xFU];
  return text;
}

std::string new_id(Timestamp now) {
  std::random_device random;
  std::string id = hex(static_cast<std::uint64_t>(now.time_since_epoch().count()), time_digits);
  while (id.size() < id_digits) id += hex(random(), std::min<std::size_t>(8, id_digits - id.size()));
  return id;
}

// When a message was prepared; the end of time for what is no id.
std::int64_t prepared_ms(std::string_view id) {
  std::int64_t ms = 0;
  const char* const end = id.data() + std::min(time_digits, id.size());
  const auto [stopped_at, failure] = std::from_chars(id.data(), end, ms, 16);
  return failure == std::errc() && stopped_at == end ? ms : std::numeric_limits<std::int64_t>::max();
}

// Its transactions are open for as long as a commit takes: whatever time the engine allows will do.
Result<TransactionalProducer> open_producer(const Engine& engine, const std::string& id) {
  TransactionalProducerOptions options{.transactional_id = id};
  for (;;) {
    auto producer = engine.transactional_producer(options);
    const bool is_too_long = !producer && producer.error().code() == Errc::invalid_transaction_timeout;
    if (!is_too_long || options.transaction_timeout.count() <= 1) return producer;
    options.transaction_timeout /= 2;
  }
}

std::string_view text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ProducerRecord record_of(const HalfMessage& message, std::vector<HeaderView>& headers) {
  const auto view_of = [](const std::optional<std::string>& text) {
    return text ? BytesView(*text) : BytesView();
  };
  for (const auto& [name, value] : message.headers) headers.push_back({name, view_of(value)});
  return {.topic = message.topic,
          .key = view_of(message.key),
          .value = view_of(message.value),
          .partition = message.partition,
          .timestamp = message.timestamp,
          .headers = headers};
}

}  // namespace

HalfMessagesImpl::HalfMessagesImpl(const Engine& of, HalfMessagesOptions given, HalfCheck check_function,
                                   flow::RecipeClock clock, Tools tools)
    : engine_(of),
      options_(std::move(given)),
      check_(std::move(check_function)),
      now_(std::move(clock)),
      undecided_(std::move(tools.undecided)),
      decided_(std::move(tools.decided)),
      checker_(std::move(tools.checker)),
      opened_(now_()) {}

HalfMessagesImpl::Claim::Claim(HalfMessagesImpl& impl, const std::string& id) : impl_(impl), id_(id) {
  std::unique_lock lock(impl_.mutex_);
  impl_.changed_.wait(lock, [&] { return !impl_.claimed_.contains(id_); });
  impl_.claimed_.insert(id_);
}

HalfMessagesImpl::Claim::~Claim() {
  {
    const std::lock_guard lock(impl_.mutex_);
    impl_.claimed_.erase(id_);
  }
  impl_.changed_.notify_all();
}

Result<HalfMessages> HalfMessagesImpl::open(const Engine& engine, HalfMessagesOptions options,
                                            HalfCheck check, flow::RecipeClock clock) {
  const std::string name = options.name;
  auto undecided = engine.state(flow::undecided_state(name));
  if (!undecided) return undecided.error();
  auto decided = engine.state(flow::decided_state(name));
  if (!decided) return decided.error();
  auto checker = engine.producer();
  if (!checker) return checker.error();
  auto impl = std::make_shared<HalfMessagesImpl>(
      engine, std::move(options), std::move(check), std::move(clock),
      Tools{*std::move(undecided), *std::move(decided), *std::move(checker)});
  for (std::size_t i = 0; i < producer_count; ++i) {
    auto producer = open_producer(engine, "half:" + name + ":" + std::to_string(i));
    if (!producer) return producer.error();
    impl->idle_.push_back(*std::move(producer));
  }
  if (auto moved = impl->move_older_tables(); !moved) return moved.error();
  if (auto started = impl->start(); !started) return started.error();
  return HalfMessages(std::move(impl));
}

Result<> HalfMessagesImpl::change(const Change& what) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !idle_.empty(); });
  TransactionalProducer producer = std::move(idle_.back());
  idle_.pop_back();
  lock.unlock();
  const auto run = [&]() -> Result<> {
    auto transaction = producer.begin();
    if (!transaction) return transaction.error();
    if (auto changed = what(*transaction); !changed) return changed;
    auto committed = transaction->commit();
    // Once more where the disk was full: what was staged before may have found room.
    if (!committed && committed.error().outcome() == Outcome::unknown) committed = transaction->commit();
    return committed;
  };
  auto outcome = run();
  lock.lock();
  // To the front: one whose commit is unfinished is the last to be taken again.
  idle_.insert(idle_.begin(), std::move(producer));
  lock.unlock();
  changed_.notify_all();
  return outcome;
}

Result<PreparedHalf> HalfMessagesImpl::prepare(const ProducerRecord& record) {
  // A record that a commit would refuse is refused here, and not when it is too late. It is sent without a
  // sequence.
  ProducerRecord to_send = record;
  to_send.sequence.reset();
  if (auto checked = checker_.check(to_send); !checked)
    return checked.error().with_context("preparing a half message");
  flow::StoredHalf half{.message = flow::half_of(record)};
  half.message.prepare_time = now_();
  const std::string id = new_id(half.message.prepare_time);
  {
    const std::lock_guard lock(mutex_);
    held_.insert(id);
  }
  PreparedHalf prepared(shared_from_this(), id);
  const std::string bytes = flow::encode(half);
  auto stored = change([&](Transaction& transaction) {
    return flow::own_table(transaction, undecided_.name()).put(id, bytes);
  });
  if (!stored) return stored.error().with_context("preparing a half message");
  return prepared;
}

void HalfMessagesImpl::release(const std::string& id) noexcept {
  const std::lock_guard lock(mutex_);
  held_.erase(id);
}

Result<std::optional<HalfDecision>> HalfMessagesImpl::decision_of(const std::string& id) const {
  auto bytes = decided_.get(id);
  if (!bytes) return bytes.error();
  if (!*bytes) return std::optional<HalfDecision>();
  auto decision = flow::decode_decision(**bytes);
  if (!decision) return flow::unreadable(decided_.name(), id);
  return decision;
}

Result<std::optional<flow::StoredHalf>> HalfMessagesImpl::find(const std::string& id) const {
  auto bytes = undecided_.get(id);
  if (!bytes) return bytes.error();
  if (!*bytes) return std::optional<flow::StoredHalf>();
  auto half = flow::decode_half(id, **bytes);
  if (!half) return flow::unreadable(undecided_.name(), id);
  return half;
}

Result<HalfDecision> HalfMessagesImpl::decide(const std::string& id, HalfDecision wanted) {
  if (id.size() != id_digits) {
    return Error(Errc::invalid_argument, "\"" + id + "\" is no id of a half message; PreparedHalf::id has " +
                                             std::to_string(id_digits) + " letters and digits");
  }
  const Claim claim(*this, id);
  return decide_claimed(id, wanted);
}

Result<HalfDecision> HalfMessagesImpl::decide_claimed(const std::string& id, HalfDecision wanted) {
  auto decision = decision_of(id);
  if (!decision) return decision.error();
  if (*decision) return **decision;
  auto half = find(id);
  if (!half) return half.error();
  if (!*half) {
    return Error(Errc::not_found, "there is no half message " + id + " of the name " + options_.name +
                                      ", or it was decided longer ago than decision_retention");
  }
  auto changed = change([&](Transaction& transaction) -> Result<> {
    if (wanted == HalfDecision::committed) {
      std::vector<HeaderView> headers;
      auto sent = transaction.send(record_of((*half)->message, headers));
      if (!sent) return sent.error();
    }
    if (auto erased = flow::own_table(transaction, undecided_.name()).erase(id); !erased) return erased;
    return flow::own_table(transaction, decided_.name()).put(id, flow::encode(wanted, now_()));
  });
  if (!changed) return changed.error().with_context("deciding half message " + id);
  return wanted;
}

bool HalfMessagesImpl::is_due(const flow::StoredHalf& half, Timestamp now) {
  if (half.message.is_parked) return false;
  {
    const std::lock_guard lock(mutex_);
    if (held_.contains(half.message.id)) return false;
  }
  // A check that was under way in an earlier run has ended with it. A half message as old as this run, to the
  // millisecond, may be of either: it is not asked about too early.
  const Timestamp last = half.last_check.value_or(half.message.prepare_time);
  return last < opened_ || now - last >= (half.last_check ? options_.check_every : options_.check_after);
}

Result<HalfCheckSummary> HalfMessagesImpl::check_all() {
  const std::lock_guard pass(check_mutex_);
  HalfCheckSummary summary;
  Result<> outcome;
  const Timestamp now = now_();
  std::string from;
  while (check_) {
    auto page = undecided_.scan(from, page_entries);
    if (!page) return page.error();
    for (const StateEntry& entry : *page) {
      from = text_of(entry.key);
      auto checked = check_entry(entry, now, summary);
      if (!checked && outcome) outcome = checked;
    }
    if (page->size() < page_entries) break;
    from.push_back('\0');
  }
  auto forgotten = forget_decisions(now, summary);
  if (!forgotten && outcome) outcome = forgotten;
  if (!outcome) return outcome.error();
  return summary;
}

Result<> HalfMessagesImpl::check_entry(const StateEntry& entry, Timestamp now, HalfCheckSummary& summary) {
  const auto id = text_of(entry.key);
  const auto half = flow::decode_half(id, entry.value);
  if (!half) return flow::unreadable(undecided_.name(), id);
  return is_due(*half, now) ? check_one(*half, now, summary) : Result<>();
}

Result<> HalfMessagesImpl::check_one(const flow::StoredHalf& half, Timestamp now, HalfCheckSummary& summary) {
  const std::string& id = half.message.id;
  ++summary.checked;
  const HalfVerdict verdict = check_(half.message);
  const bool is_commit = verdict == HalfVerdict::commit;
  // A number that was cast to a verdict decides nothing either.
  if (!is_commit && verdict != HalfVerdict::rollback) return note_unknown(id, now, summary);
  auto decided = decide(id, is_commit ? HalfDecision::committed : HalfDecision::rolled_back);
  if (!decided) return decided.error();
  ++(*decided == HalfDecision::committed ? summary.committed : summary.rolled_back);
  return {};
}

Result<> HalfMessagesImpl::note_unknown(const std::string& id, Timestamp now, HalfCheckSummary& summary) {
  const Claim claim(*this, id);
  auto half = find(id);
  if (!half) return half.error();
  if (!*half) return {};  // Decided meanwhile.
  HalfMessage& message = (*half)->message;
  ++message.checks;
  const bool is_given_up = message.checks >= options_.max_checks;
  if (is_given_up && options_.give_up == HalfMessagesOptions::GiveUp::roll_back) {
    auto decided = decide_claimed(id, HalfDecision::rolled_back);
    if (!decided) return decided.error();
    ++summary.rolled_back;
    return {};
  }
  message.is_parked = is_given_up;
  (*half)->last_check = now;
  const std::string bytes = flow::encode(**half);
  auto stored = change([&](Transaction& transaction) {
    return flow::own_table(transaction, undecided_.name()).put(id, bytes);
  });
  if (stored && is_given_up) ++summary.parked;
  return stored;
}

// Ids are in the order of their preparation: the oldest come first.
Result<> HalfMessagesImpl::forget_decisions(Timestamp now, HalfCheckSummary& summary) {
  const std::int64_t kept_from = (now - options_.decision_retention).time_since_epoch().count();
  for (;;) {
    auto page = decided_.scan({}, page_entries);
    if (!page) return page.error();
    std::erase_if(*page,
                  [&](const StateEntry& entry) { return prepared_ms(text_of(entry.key)) >= kept_from; });
    if (page->empty()) return {};
    auto changed = change([&](Transaction& transaction) -> Result<> {
      auto state = flow::own_table(transaction, decided_.name());
      for (const StateEntry& entry : *page) {
        if (auto erased = state.erase(text_of(entry.key)); !erased) return erased;
      }
      return {};
    });
    if (!changed) return changed;
    summary.forgotten_decisions += page->size();
    if (page->size() < page_entries) return {};
  }
}

Result<> HalfMessagesImpl::start() {
  if (!options_.checks_in_background) return {};
  auto task = engine_.task("half messages", [this] { return check_in_background(); });
  if (!task) return task.error();
  task_ = *std::move(task);
  return {};
}

void HalfMessagesImpl::stop() noexcept { task_.reset(); }

Result<std::chrono::nanoseconds> HalfMessagesImpl::check_in_background() {
  using std::chrono::milliseconds;
  const milliseconds period = std::clamp(std::min(options_.check_after, options_.check_every) / 4,
                                         milliseconds(10), milliseconds(1'000));
  auto checked = check_all();
  if (checked) return std::chrono::nanoseconds(period);
  if (options_.on_error) options_.on_error(checked.error());
  // Fenced, or the engine was closed: nothing will succeed any more.
  if (checked.error().fatal()) return std::chrono::nanoseconds::max();
  return checked.error();
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
