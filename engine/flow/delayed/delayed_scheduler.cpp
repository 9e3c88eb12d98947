#include "flow/delayed/delayed_scheduler.hpp"

#include <memory>
#include <utility>

#include "flow/delayed/delayed_codec.hpp"
#include "flow/own_tables.hpp"

namespace seriatim::flow {
namespace {

Error taken_id(std::string_view id) {
  return {Errc::invalid_argument, "there is a delayed message of the id " + std::string(id) +
                                      ", or one is being scheduled; reschedule or cancel that one"};
}

}  // namespace

class DelayedScheduler::Claims {
 public:
  explicit Claims(DelayedScheduler& scheduler) : scheduler_(scheduler) {}
  ~Claims() {
    if (ids_.empty()) return;
    const std::lock_guard lock(scheduler_.mutex_);
    for (const std::string& id : ids_) scheduler_.claimed_.erase(id);
  }
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  /// Errors: invalid_argument: one is claimed.
  Result<> claim(std::span<const DelayedRecord> records) {
    for (const DelayedRecord& record : records) {
      if (record.id.empty()) continue;
      std::string id(record.id);
      ids_.reserve(ids_.size() + 1);
      const std::lock_guard lock(scheduler_.mutex_);
      if (!scheduler_.claimed_.insert(id).second) return taken_id(id);
      ids_.push_back(std::move(id));
    }
    return {};
  }

 private:
  DelayedScheduler& scheduler_;
  std::vector<std::string> ids_{};
};

class DelayedScheduler::Lease {
 public:
  explicit Lease(DelayedScheduler& scheduler) : scheduler_(scheduler), writer_(take(scheduler)) {}
  ~Lease() {
    {
      const std::lock_guard lock(scheduler_.mutex_);
      // To the front, where its room was kept: one whose commit is unfinished is the last to be taken again.
      scheduler_.idle_.insert(scheduler_.idle_.begin(), std::move(writer_));
    }
    scheduler_.changed_.notify_one();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  DelayedRowWriter& writer() noexcept { return *writer_; }

 private:
  static std::unique_ptr<DelayedRowWriter> take(DelayedScheduler& scheduler) {
    std::unique_lock lock(scheduler.mutex_);
    scheduler.changed_.wait(lock, [&] { return !scheduler.idle_.empty(); });
    std::unique_ptr<DelayedRowWriter> writer = std::move(scheduler.idle_.back());
    scheduler.idle_.pop_back();
    return writer;
  }

  DelayedScheduler& scheduler_;
  std::unique_ptr<DelayedRowWriter> writer_;
};

DelayedScheduler::DelayedScheduler(const DelayedTables& tables, RecipeClock clock, Producers producers)
    : tables_(tables), now_(std::move(clock)), checker_(std::move(producers.checker)) {
  for (TransactionalProducer& producer : producers.transactional)
    idle_.push_back(std::make_unique<DelayedRowWriter>(std::move(producer)));
}

Result<std::vector<DelayedPosition>> DelayedScheduler::schedule(std::span<const DelayedRecord> records) {
  std::vector<DelayedPosition> positions;
  if (records.empty()) return positions;
  // Held until it is known whether the ids are taken: the writer keeps what it is given for so long.
  const auto claims = std::make_shared<Claims>(*this);
  if (auto claimed = claims->claim(records); !claimed) return claimed.error();
  Lease lease(*this);
  auto turn = lease.writer().begin();
  if (!turn) return turn.error();
  auto scheduled = turn->change(
      [&](Transaction& transaction) -> Result<> {
        auto staged = stage_all(transaction, records);
        if (!staged) return staged.error();
        positions = *std::move(staged);
        return {};
      },
      [claims] {});
  if (!scheduled) return scheduled.error();
  return positions;
}

Result<std::vector<DelayedPosition>> DelayedScheduler::stage_all(Transaction& transaction,
                                                                 std::span<const DelayedRecord> records) {
  std::vector<DelayedPosition> positions;
  positions.reserve(records.size());
  for (const DelayedRecord& record : records) {
    auto staged = stage(transaction, record);
    if (!staged && records.size() > 1) {
      return staged.error().with_context("record " + std::to_string(positions.size()) + " of " +
                                         std::to_string(records.size()));
    }
    if (!staged) return staged.error();
    positions.push_back(*std::move(staged));
  }
  return positions;
}

Result<DelayedPosition> DelayedScheduler::stage(Transaction& transaction, const DelayedRecord& record) {
  const Timestamp due = record.due.from(now_());
  if (auto checked = check(record, due); !checked) return checked.error();
  const bool is_made = record.id.empty();
  DelayedPosition at{.due = due, .id = is_made ? ids_.make(due) : std::string(record.id)};
  const std::string row = encode_delayed(record.record, !is_made);
  if (row.size() > delayed_row_bytes_max) {
    return Error(Errc::record_too_large, "a delayed message takes " + std::to_string(row.size()) +
                                             " bytes; a state keeps at most " +
                                             std::to_string(delayed_row_bytes_max));
  }
  if (!is_made) {
    if (auto is_free = check_free(transaction, at.id); !is_free) return is_free.error();
    auto entered = own_table(transaction, tables_.ids().name()).put(at.id, encode_due(due));
    if (!entered) return entered.error();
  }
  auto put = own_table(transaction, tables_.pending().name()).put(delayed_key(at), row);
  if (put) return at;
  // The caller may commit the rest: an id without a message would be taken for ever.
  if (!is_made) static_cast<void>(own_table(transaction, tables_.ids().name()).erase(at.id).ok());
  return put.error();
}

// A record that a delivery would park is refused here, where somebody can correct it. It is sent without a
// sequence.
Result<> DelayedScheduler::check(const DelayedRecord& record, Timestamp due) const {
  if (auto checked = check_due(due); !checked) return checked;
  if (!record.id.empty()) {
    if (auto checked = check_delayed_id(record.id); !checked) return checked;
  }
  ProducerRecord to_send = record.record;
  to_send.sequence.reset();
  return checker_.check(to_send);
}

Result<> DelayedScheduler::check_free(Transaction& transaction, std::string_view id) const {
  auto due = own_table(transaction, tables_.ids().name()).get(id);
  if (!due) return due.error();
  if (*due) return taken_id(id);
  const auto made = made_due(id);
  if (!made) return {};
  const std::string key = delayed_key({.due = *made, .id = std::string(id)});
  for (const State* table : {&tables_.pending(), &tables_.parked()}) {
    auto row = own_table(transaction, table->name()).get(key);
    if (!row) return row.error();
    if (*row) return taken_id(id);
  }
  return {};
}

}  // namespace seriatim::flow
