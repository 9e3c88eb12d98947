#include "flow/delayed/delayed_messages_impl.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "flow/delayed/delayed_codec.hpp"
#include "flow/delayed/delayed_ids.hpp"
#include "flow/own_tables.hpp"
#include "flow/recipe_producer.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr int scheduling_producers = 4;
// Then other tasks come first. Arbitrary.
constexpr std::size_t batches_of_a_run = 8;
// A look from the beginning takes at most this part of the time.
constexpr int look_at_all_share = 10;

Result<std::vector<TransactionalProducer>> scheduling_ids(const Engine& engine, const std::string& prefix,
                                                          Acks acks) {
  std::vector<TransactionalProducer> producers;
  for (int i = 1; i <= scheduling_producers; ++i) {
    auto producer = flow::open_recipe_producer(engine, prefix + std::to_string(i), acks);
    if (!producer) return producer.error();
    producers.push_back(*std::move(producer));
  }
  return producers;
}

Error unreadable_row(const State& table, const DelayedPosition& at) {
  const std::string key = flow::delayed_key(at);
  return flow::unreadable_delayed(table.name(), std::as_bytes(std::span(key)));
}

}  // namespace

Result<DelayedMessages> DelayedMessagesImpl::open(const Engine& engine, const DelayedMessagesOptions& options,
                                                  flow::RecipeClock clock) {
  auto tables = flow::DelayedTables::open(engine, options.name);
  if (!tables) return tables.error();
  auto checker = engine.producer();
  if (!checker) return checker.error();
  auto delivery_checker = engine.producer();
  if (!delivery_checker) return delivery_checker.error();
  const std::string prefix = "delayed:" + options.name + ":";
  // The one that delivers first: what the holder before has not finished is over then.
  auto row_writer = flow::open_recipe_producer(engine, prefix + "0", options.acks);
  if (!row_writer) return row_writer.error();
  auto scheduling = scheduling_ids(engine, prefix, options.acks);
  if (!scheduling) return scheduling.error();
  auto impl = std::make_unique<DelayedMessagesImpl>(
      Parts{.tables = *std::move(tables),
            .row_writer = *std::move(row_writer),
            .checker = *std::move(delivery_checker),
            .producers = {.transactional = *std::move(scheduling), .checker = *std::move(checker)}},
      std::move(clock));
  if (options.delivers_in_background) {
    if (auto started = impl->start(engine, options.name); !started) return started.error();
  }
  return DelayedMessages(std::move(impl));
}

DelayedMessagesImpl::DelayedMessagesImpl(Parts parts, flow::RecipeClock clock)
    : tables_(std::move(parts.tables)),
      now_(std::move(clock)),
      writer_(std::move(parts.row_writer)),
      scheduler_(tables_, now_, std::move(parts.producers)),
      delivery_(tables_, writer_, horizon_, now_, std::move(parts.checker)) {}

Result<> DelayedMessagesImpl::start(const Engine& engine, const std::string& name) {
  auto task = engine.task("delayed " + name, [this] { return run(); });
  if (!task) return task.error();
  task_.emplace(*std::move(task));
  return {};
}

void DelayedMessagesImpl::note(const DelayedPosition& at) {
  const auto sleep = horizon_.note(at, now_());
  if (sleep && task_) task_->wake_within(*sleep);
}

Result<std::vector<std::string>> DelayedMessagesImpl::schedule(std::span<const DelayedRecord> records) {
  auto scheduled = scheduler_.schedule(records);
  if (!scheduled) return scheduled.error();
  std::vector<std::string> ids;
  ids.reserve(scheduled->size());
  if (scheduled->empty()) return ids;
  // All of them are later than the first.
  note(*std::min_element(scheduled->begin(), scheduled->end(), [](const auto& left, const auto& right) {
    return std::tie(left.due, left.id) < std::tie(right.due, right.id);
  }));
  for (DelayedPosition& at : *scheduled) ids.push_back(std::move(at.id));
  return ids;
}

Result<std::string> DelayedMessagesImpl::schedule(Transaction& transaction, const DelayedRecord& record) {
  auto staged = scheduler_.stage(transaction, record);
  if (!staged) return staged.error();
  return std::move(staged->id);
}

Result<bool> DelayedMessagesImpl::cancel(std::string_view id) {
  if (auto checked = flow::check_delayed_id(id); !checked) return checked.error();
  auto turn = writer_.begin();
  if (!turn) return turn.error();
  auto row = tables_.find(id);
  if (!row) return row.error();
  if (!*row) return false;
  const State& table = (*row)->is_parked ? tables_.parked() : tables_.pending();
  auto changed = turn->change([&](Transaction& transaction) -> Result<> {
    auto erased = flow::own_table(transaction, table.name()).erase(flow::delayed_key((*row)->at));
    if (!erased || !(*row)->has_id_row) return erased;
    return flow::own_table(transaction, tables_.ids().name()).erase(id);
  });
  if (!changed) return changed.error().with_context("cancelling delayed message " + std::string(id));
  return true;
}

Result<> DelayedMessagesImpl::move_row(flow::DelayedRowWriter::Turn& turn, const flow::DelayedRow& row,
                                       Timestamp due) {
  const State& from = row.is_parked ? tables_.parked() : tables_.pending();
  if (!flow::decode_delayed(row.at, row.pending)) return unreadable_row(from, row.at);
  const DelayedPosition to{.due = due, .id = row.at.id};
  auto changed = turn.change([&](Transaction& transaction) -> Result<> {
    std::vector<std::byte> bytes = row.pending;
    if (due != row.at.due) {
      flow::set_id_row(bytes);
      auto ids = flow::own_table(transaction, tables_.ids().name());
      if (auto entered = ids.put(to.id, flow::encode_due(due)); !entered) return entered;
    }
    auto erased = flow::own_table(transaction, from.name()).erase(flow::delayed_key(row.at));
    if (!erased) return erased;
    return flow::own_table(transaction, tables_.pending().name())
        .put(flow::delayed_key(to), BytesView(bytes.data(), bytes.size()));
  });
  if (changed) note(to);
  return changed;
}

Result<bool> DelayedMessagesImpl::reschedule(std::string_view id, DueTime due) {
  if (auto checked = flow::check_delayed_id(id); !checked) return checked.error();
  const Timestamp at = due.from(now_());
  if (auto checked = flow::check_due(at); !checked) return checked.error();
  auto turn = writer_.begin();
  if (!turn) return turn.error();
  auto row = tables_.find(id);
  if (!row) return row.error();
  if (!*row) return false;
  if (!(*row)->is_parked && (*row)->at.due == at) return true;
  auto moved = move_row(*turn, **row, at);
  if (!moved) return moved.error().with_context("rescheduling delayed message " + std::string(id));
  return true;
}

Result<bool> DelayedMessagesImpl::retry_parked(std::string_view id) {
  if (auto checked = flow::check_delayed_id(id); !checked) return checked.error();
  auto turn = writer_.begin();
  if (!turn) return turn.error();
  auto row = tables_.find(id);
  if (!row) return row.error();
  if (!*row || !(*row)->is_parked) return false;
  auto moved = move_row(*turn, **row, (*row)->at.due);
  if (!moved) return moved.error().with_context("retrying delayed message " + std::string(id));
  return true;
}

// With a turn of its own, so that no row is on its way from one due time to another.
Result<std::optional<DelayedMessage>> DelayedMessagesImpl::find(std::string_view id) {
  if (auto checked = flow::check_delayed_id(id); !checked) return checked.error();
  auto turn = writer_.begin();
  if (!turn) return turn.error();
  auto row = tables_.find(id);
  if (!row) return row.error();
  if (!*row) return std::optional<DelayedMessage>();
  if (!(*row)->message) return unreadable_row(tables_.pending(), (*row)->at);
  return std::move((*row)->message);
}

Result<std::uint64_t> DelayedMessagesImpl::deliver() {
  const std::lock_guard one(pass_mutex_);
  horizon_.want_all();
  for (std::uint64_t delivered = 0;;) {
    auto pass = delivery_.pass(batches_of_a_run);
    if (!pass) return pass.error();
    delivered += pass->delivered;
    if (pass->is_through) return delivered;
  }
}

void DelayedMessagesImpl::wake() noexcept {
  horizon_.want_all();
  if (task_) task_->wake_within(std::chrono::nanoseconds(0));
}

Result<std::chrono::nanoseconds> DelayedMessagesImpl::run() {
  if (is_over_) return std::chrono::nanoseconds::max();
  const std::lock_guard one(pass_mutex_);
  const auto began = std::chrono::steady_clock::now();
  const bool is_at_all = began >= next_look_at_all_;
  if (is_at_all) horizon_.want_all();
  auto pass = delivery_.pass(batches_of_a_run);
  if (!pass) {
    is_over_ = pass.error().fatal();
    return pass.error().with_context("delivering delayed messages");
  }
  if (is_at_all) {
    next_look_at_all_ = began + std::max<std::chrono::nanoseconds>(flow::delayed_look_every,
                                                                   look_at_all_share * pass->first_look);
  }
  if (!pass->is_through) return std::chrono::nanoseconds(0);
  return std::chrono::nanoseconds(pass->sleep);
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
