#include "flow/relay/relay_impl.hpp"

#include <algorithm>
#include <utility>

#include <seriatim/exception.hpp>

#include "flow/answered.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// A stop wakes the poll: any time will do. New partitions are looked for behind it.
constexpr std::chrono::milliseconds relay_poll_timeout{1'000};
// Topics are looked at so often while records come, and behind each poll that brings none, unless they have
// more partitions than this. Arbitrary.
constexpr std::chrono::seconds between_looks{1};
constexpr std::size_t partitions_to_look_at = 200;
constexpr std::chrono::nanoseconds between_background_polls = std::chrono::milliseconds(20);  // arbitrary
// At `leader` records are copied while they are in the caches: as ProducerOptions::batch_size. At `all`
// larger ones pass by the journal (EngineOptions::journal_bypass_bytes): about the default of
// max.message.bytes.
constexpr std::int64_t append_bytes_max_at_leader = 64 * 1024;
constexpr std::int64_t append_bytes_max_at_all = 1'048'576;
constexpr std::int64_t batch_header_bytes = 61;

/// One thread at a time.
class RelayEntry {
 public:
  explicit RelayEntry(std::atomic<bool>& is_running)
      : is_running_(is_running), is_in_(!is_running.exchange(true, std::memory_order_acquire)) {}
  ~RelayEntry() {
    if (is_in_) is_running_.store(false, std::memory_order_release);
  }
  RelayEntry(const RelayEntry&) = delete;
  RelayEntry& operator=(const RelayEntry&) = delete;
  Result<> outcome() const {
    if (is_in_) return {};
    return Error(Errc::invalid_state, "this relay runs already; call stop, and let that return first");
  }
  /// Somebody else ends it.
  void keep() noexcept { is_in_ = false; }

 private:
  std::atomic<bool>& is_running_;
  bool is_in_;
};

/// Of the records that were taken from the source for a batch.
struct RelaySize {
  std::size_t records = 0;
  std::size_t bytes = 0;

  void add(const ConsumerRecords& polled) {
    records += polled.count();
    for (const RecordView& record : polled) bytes += record.key().size() + record.value().size();
  }
  bool is_full(const RelayOptions& options) const noexcept {
    return records >= options.batch_records || bytes >= options.batch_bytes;
  }
};

Error was_stopped() { return {Errc::closed, "this relay was stopped; open another one to go on"}; }

}  // namespace

RelayImpl::RelayImpl(const Engine& engine, RelayOptions options)
    : engine_(engine), options_(std::move(options)), group_("relay:" + options_.name), batch_(options_) {}

Result<std::unique_ptr<RelayImpl>> RelayImpl::open(const Engine& engine, RelayOptions options) {
  std::unique_ptr<RelayImpl> impl(new RelayImpl(engine, std::move(options)));
  if (auto opened = impl->open_parts(); !opened) return opened.error();
  return impl;
}

Result<> RelayImpl::open_parts() {
  if (auto looked = look_at_target(); !looked) return looked;
  if (auto source = engine_.admin().describe_topic(options_.from); !source) return source.error();
  // The relay before is fenced before its positions are read.
  auto writer = RelayWriter::open(engine_, options_, options_.name);
  if (!writer) return writer.error();
  writer_.emplace(*std::move(writer));
  auto source = RelaySource::open(engine_, options_, group_);
  if (!source) return source.error();
  source_.emplace(*std::move(source));
  if (auto noted = note_goal(); !noted) return noted;
  return note_lag(true);
}

Result<> RelayImpl::run() {
  const RelayEntry entry(is_running_);
  if (auto entered = entry.outcome(); !entered) return entered;
  return run_until_done();
}

Result<std::size_t> RelayImpl::run_once(std::chrono::milliseconds timeout) {
  const RelayEntry entry(is_running_);
  if (auto entered = entry.outcome(); !entered) return entered.error();
  if (is_stopping_.load(std::memory_order_acquire)) return was_stopped();
  return step(timeout);
}

void RelayImpl::stop() noexcept {
  is_stopping_.store(true, std::memory_order_release);
  source_->wake();
}

RelayProgress RelayImpl::progress() const {
  const std::lock_guard lock(progress_mutex_);
  return progress_;
}

Result<> RelayImpl::run_until_done() {
  while (!is_stopping_.load(std::memory_order_acquire)) {
    if (is_done()) return {};
    if (auto done = step(relay_poll_timeout); !done) return done.error();
  }
  return {};
}

bool RelayImpl::is_done() const { return options_.until_caught_up && !is_ahead_ && progress().is_caught_up; }

Result<> RelayImpl::start_in_background() {
  const std::lock_guard lock(start_mutex_);
  RelayEntry entry(is_running_);
  if (auto entered = entry.outcome(); !entered) return entered;
  if (is_stopping_.load(std::memory_order_acquire)) return was_stopped();
  // One that has ended may have a last run to come, which does nothing.
  task_.reset();
  {
    const std::lock_guard progress_lock(progress_mutex_);
    outcome_.reset();
  }
  auto task = engine_.task("relay", [this] { return run_in_background(); });
  if (!task) return task.error();
  task_ = *std::move(task);
  entry.keep();
  return {};
}

Result<std::chrono::nanoseconds> RelayImpl::run_in_background() {
  constexpr auto never = std::chrono::nanoseconds::max();
  if (outcome()) return never;
  if (is_stopping_.load(std::memory_order_acquire) || is_done()) {
    end_background({});
    return never;
  }
  auto done = flow::answered([&] { return step(std::chrono::milliseconds(0)); });
  if (done) return *done > 0 ? std::chrono::nanoseconds(0) : between_background_polls;
  const Error& error = done.error();
  const bool goes_on = error.retriable() || error.requires_abort() || writer_->can_commit_again();
  if (error.fatal() || !goes_on) end_background(error);
  return error;
}

void RelayImpl::end_background(const Result<>& outcome) {
  {
    const std::lock_guard lock(progress_mutex_);
    outcome_ = outcome;
  }
  is_running_.store(false, std::memory_order_release);
}

std::optional<Result<>> RelayImpl::outcome() const {
  const std::lock_guard lock(progress_mutex_);
  return outcome_;
}

Result<std::size_t> RelayImpl::step(std::chrono::milliseconds timeout) {
  if (auto settled = settle_earlier(); !settled) return settled.error();
  if (auto looked = look_at_topics(); !looked) return looked.error();
  is_ahead_ = true;
  if (auto gathered = gather(timeout); !gathered) return gathered.error();
  if (polled_.empty()) {
    is_ahead_ = false;
    const std::size_t partitions =
        source_->partition_count() + static_cast<std::size_t>(target_.partition_count);
    const bool is_cheap = partitions <= partitions_to_look_at;
    if (is_cheap) looked_at_.reset();
    if (auto noted = note_goal(); !noted) return noted.error();
    if (auto noted = note_lag(is_cheap); !noted) return noted.error();
    return std::size_t{0};
  }
  auto written = flow::answered([&] { return write(); });
  polled_.clear();
  if (!written) {
    if (writer_->can_commit_again()) return written.error();
    // Where one of these fails, the next step begins with it.
    static_cast<void>(flow::answered([&] { return writer_->abort(); }).ok());
    static_cast<void>(flow::answered([&] { return settle_earlier(); }).ok());
    return written.error();
  }
  const std::size_t taken = in_hand_->counts.taken;
  finish();
  return taken;
}

Result<> RelayImpl::settle_earlier() {
  if (writer_->can_commit_again()) {
    auto committed = writer_->commit_again();
    if (committed) {
      finish();
      return {};
    }
    if (writer_->can_commit_again()) return committed;
  }
  if (!is_ahead_) return {};
  if (auto rewound = source_->rewind(); !rewound) return rewound;
  in_hand_.reset();
  is_ahead_ = false;
  return {};
}

Result<> RelayImpl::gather(std::chrono::milliseconds timeout) {
  polled_.clear();
  if (auto polled = source_->poll(timeout, polled_); !polled) return polled;
  if (options_.linger.count() <= 0 || polled_.empty()) return {};
  // Before the transaction begins, which would hold up the target's readers.
  const auto began = Clock::now();
  RelaySize size;
  while (!is_stopping_.load(std::memory_order_acquire)) {
    size.add(polled_.back());
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
    if (size.is_full(options_) || waited >= options_.linger) return {};
    const std::size_t polls = polled_.size();
    if (auto polled = source_->poll(options_.linger - waited, polled_); !polled) return polled;
    if (polled_.size() == polls) return {};  // The time is over, or there is an error for the next batch.
  }
  return {};
}

// Polls are small, and each is appended while it is in the caches.
Result<> RelayImpl::write() {
  in_hand_.emplace(InHand{});
  RelayCounts& counts = in_hand_->counts;
  if (auto begun = writer_->begin(); !begun) return begun;
  batch_.clear(target_);
  RelaySize size;
  for (std::size_t i = 0; i < polled_.size(); ++i) {
    if (auto written = write(polled_[i], counts); !written) return written;
    size.add(polled_[i]);
    if (i + 1 < polled_.size() || options_.linger.count() > 0 || size.is_full(options_)) continue;
    if (auto polled = source_->poll(std::chrono::milliseconds(0), polled_); !polled) return polled;
  }
  counts.taken = size.records;
  for (RelayBatch::Part& part : batch_.parts()) {
    if (auto appended = writer_->append(part, target_.record_bytes_max, counts); !appended) return appended;
  }
  in_hand_->behind = source_->behind(polled_);
  return writer_->commit(in_hand_->behind, source_->group());
}

Result<> RelayImpl::write(const ConsumerRecords& records, RelayCounts& counts) {
  for (const RecordView& record : records) {
    RelayBatch::Part* part = nullptr;
    if (batch_.is_plain(record)) {
      part = &batch_.place_plain(record);
    } else {
      const auto placed = batch_.place(record);
      if (!placed) {
        if (auto settled = writer_->settle(record, placed.error(), counts); !settled) return settled;
        continue;
      }
      part = *placed;
    }
    if (part == nullptr) {
      ++counts.dropped;
      continue;
    }
    if (!batch_.has_room(*part)) {
      if (auto appended = writer_->append(*part, target_.record_bytes_max, counts); !appended)
        return appended;
    }
    batch_.put(*part, record);
  }
  return {};
}

void RelayImpl::finish() {
  source_->advance(in_hand_->behind);
  is_ahead_ = false;
  const RelayCounts counts = std::exchange(in_hand_, std::nullopt)->counts;
  {
    const std::lock_guard lock(progress_mutex_);
    progress_.records += counts.records;
    progress_.bytes += counts.bytes;
    progress_.dropped += counts.dropped;
    progress_.skipped += counts.skipped;
    progress_.dead_letters += counts.dead_letters;
    ++progress_.batches;
  }
  // The batch is committed: where these fail, the next step meets the error.
  if (note_goal()) static_cast<void>(note_lag(progress().is_caught_up).ok());
}

Result<> RelayImpl::note_goal() {
  auto caught_up = source_->is_caught_up();
  if (!caught_up) return caught_up.error();
  const std::lock_guard lock(progress_mutex_);
  progress_.is_caught_up = *caught_up;
  return {};
}

Result<> RelayImpl::look_at_topics() {
  if (looked_at_ && Clock::now() - *looked_at_ < between_looks) return {};
  if (auto looked = look_at_target(); !looked) return looked.error().with_context("the target of the relay");
  if (auto looked = source_->refresh(engine_); !looked) return looked;
  looked_at_ = Clock::now();
  return {};
}

Result<> RelayImpl::look_at_target() {
  auto topic = engine_.admin().describe_topic(options_.to);
  if (!topic) return topic.error();
  if (!target_.topic_id.empty() && target_.topic_id != topic->topic_id) {
    return Error(Errc::unknown_topic_or_partition,
                 "topic " + options_.to +
                     " was deleted and created anew; open another relay, which goes on where this one ended");
  }
  const std::int64_t wanted =
      options_.acks == Acks::leader ? append_bytes_max_at_leader : append_bytes_max_at_all;
  const std::int64_t bytes = std::min(topic->config.max_message_bytes, wanted) - batch_header_bytes;
  target_ = {.topic = options_.to,
             .topic_id = topic->topic_id,
             .partition_count = static_cast<PartitionId>(topic->partitions.size()),
             .append_bytes_max = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 0)),
             .record_bytes_max = static_cast<std::size_t>(
                 std::max<std::int64_t>(topic->config.max_message_bytes - batch_header_bytes, 0))};
  return {};
}

Result<> RelayImpl::note_lag(bool is_wanted) {
  const auto now = Clock::now().time_since_epoch();
  if (!is_wanted && !rate_.is_due(now)) return {};
  auto sample = source_->lag();
  if (!sample) return sample.error();
  sample->time = now;
  const std::lock_guard lock(progress_mutex_);
  progress_.deleted = source_->deleted();
  rate_.add(*sample, progress_);
  return {};
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
