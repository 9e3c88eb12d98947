#include "work/work_job.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include <seriatim/exception.hpp>

#include "text/text_encoding.hpp"
#include "work/record_environment.hpp"

namespace seriatim::cli {
namespace {

using WorkClock = std::chrono::steady_clock;

// How soon a queue that has become empty is noticed, and how often one that waits for a record is looked at.
constexpr std::chrono::milliseconds work_poll_interval{50};
constexpr std::chrono::hours for_ever{24 * 365};

std::string place_of(const RecordView& record) {
  return std::string(record.topic()) + "-" + std::to_string(record.partition()) + "@" +
         std::to_string(record.offset());
}

/// A process on the board for as long as it runs.
class Posted {
 public:
  Posted(WorkBoard& board, CommandProcess& process) : board_(board), process_(process) {
    board_.add(process_);
  }
  ~Posted() { board_.remove(process_); }
  Posted(const Posted&) = delete;
  Posted& operator=(const Posted&) = delete;

 private:
  WorkBoard& board_;
  CommandProcess& process_;
};

}  // namespace

void WorkJob::run() noexcept {
  try {
    const Result<> done = work();
    if (!done.ok()) board_.fail(done.error());
    // A record that nobody answered for comes to another.
    const Result<> closed = consumer_.close();
    if (!closed.ok()) board_.fail(closed.error());
  } catch (...) {
    board_.fail(current_error());
  }
}

Result<> WorkJob::work() {
  while (!board_.is_stopping()) {
    const Result<ShareRecords> records = consumer_.poll(work_poll_interval);
    if (!records.ok()) {
      if (records.error().code() == Errc::wakeup) continue;
      return records.error();
    }
    if (records->empty()) {
      board_.found_nothing();
      continue;
    }
    board_.found_a_record();
    for (const ShareRecord record : *records) {
      if (board_.is_stopping()) return {};
      Result<> handled = handle(record);
      if (!handled.ok()) return handled;
    }
  }
  return {};
}

Result<> WorkJob::handle(const ShareRecord& record) {
  const auto process = CommandProcess::start(
      {.program = plan_.program,
       .words = plan_.words,
       .environment = record_environment(plan_.environment, record, record.delivery_count()),
       .input = record.value()});
  if (!process.ok()) return process.error().with_context(place_of(record));
  const Posted posted(board_, **process);
  has_lost_lock_ = false;
  return answer(record, wait_for_end(**process, record));
}

// The command has the record for as long as it takes: the lock begins anew at half of its time, so that a
// renewal may come late by as much. A lock that is lost all the same (somebody stopped this process) is not
// asked for again: another job may have the record.
CommandStatus WorkJob::wait_for_end(CommandProcess& process, const ShareRecord& record) {
  for (bool is_renewed = true;;) {
    const auto half = std::max(consumer_.acquisition_lock_timeout() / 2, std::chrono::milliseconds(1));
    const auto ended =
        process.wait_until(WorkClock::now() + (is_renewed ? WorkClock::duration(half) : for_ever));
    if (ended) return *ended;
    is_renewed = is_renewed && renew(record);
  }
}

bool WorkJob::renew(const ShareRecord& record) {
  const Result<> asked = consumer_.acknowledge(record, AcknowledgeType::renew);
  const Result<> renewed = asked.ok() ? consumer_.commit_sync() : asked;
  if (renewed.ok()) return true;
  has_lost_lock_ = asked.ok() && renewed.error().code() == Errc::invalid_record_state;
  context_.note(place_of(record) + ": its lock is not renewed: " + renewed.error().message());
  return false;
}

Result<> WorkJob::answer(const ShareRecord& record, const CommandStatus& status) {
  const AcknowledgeType type = answer_of(status);
  Result<> stored;
  if (!has_lost_lock_) {
    stored = consumer_.acknowledge(record, type);
    if (stored.ok()) stored = consumer_.commit_sync();
  }
  if (has_lost_lock_ || (!stored.ok() && stored.error().code() == Errc::invalid_record_state)) {
    board_.count_too_late();
    note_answer("too late ", record, status);
    return {};
  }
  if (!stored.ok()) return stored.error().with_context(place_of(record));
  board_.count(type);
  if (type == AcknowledgeType::reject) note_answer("rejected ", record, status);
  if (type == AcknowledgeType::release) {
    const bool is_last = record.delivery_count() >= plan_.delivery_count_limit;
    note_answer("released ", record, status, is_last ? "; it is not delivered again" : "");
  }
  return {};
}

void WorkJob::note_answer(std::string_view answer, const ShareRecord& record, const CommandStatus& status,
                          std::string_view behind) const {
  context_.note(std::string(answer) + place_of(record) + ", delivery " +
                std::to_string(record.delivery_count()) + " of " +
                std::to_string(plan_.delivery_count_limit) + ": " + describe_status(status) +
                std::string(behind));
}

}  // namespace seriatim::cli
