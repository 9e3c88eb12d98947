// poll: take what is there, else wait and look again.
#include <algorithm>
#include <thread>
#include <utility>

#include "base/boundary.hpp"
#include "consumer/consumer_impl.hpp"
#include "consumer/poll_deadline.hpp"
#include "os/thread/spin_wait.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;
// A read-only engine has to look: first often, for a writer in full flow, then a hundred times a second,
// which costs next to no CPU. Both arbitrary.
constexpr std::int64_t look_every_ns_min = ns_per_ms;
constexpr std::int64_t look_every_ns_max = 10 * ns_per_ms;
// Reading the clock costs as much as a dozen looks at memory.
constexpr int looks_per_clock = 64;
// The position may be lost again to retention while it is being reset.
constexpr int resets_per_take = 3;

}  // namespace

using consumer::deadline_after;
using consumer::real_now_ns;

Result<ConsumerRecords> ConsumerImpl::poll(std::chrono::milliseconds timeout) {
  if (assigned.empty() && !subscription) {
    return Error(Errc::invalid_state,
                 "nothing is assigned to this consumer; call subscribe, assign or assign_topic before poll");
  }
  if (thread.is_in_listener()) {
    return Error(Errc::invalid_state,
                 "poll was called inside a rebalance listener or the callback of a commit; commit there, and "
                 "poll when it has returned");
  }
  if (!subscription) return poll_assigned(timeout);
  // While it is inside, a member is not overdue however long it waits.
  const auto of_group = subscription.keep();
  of_group->signals().enter_poll();
  const base::Undoing leave([&] { of_group->signals().leave_poll(); });
  return poll_assigned(timeout);
}

Result<ConsumerRecords> ConsumerImpl::poll_assigned(std::chrono::milliseconds timeout) {
  slot->clear_event();
  offsets.note_returned(false);  // The application is done with them.
  std::int64_t deadline_ns = 0;
  for (;;) {
    if (auto settled = offsets.settle(consumer::AsyncCommits::Which::finished); !settled)
      return settled.error();
    if (slot->take_interrupt())
      return Error(Errc::wakeup, "wakeup was called; poll again when the caller is ready");
    if (thread.is_closed())
      return Error(Errc::closed, "the consumer was closed while it waited; make a new one");
    if (auto usable = engine->check_usable(); !usable) return usable.error();
    if (subscription || options.auto_commit) {
      if (auto attended = attend_group(); !attended) return attended.error();
    }
    auto got = collect();
    const bool is_gone = !got && got.error().code() == Errc::unknown_topic_or_partition;
    if (subscription && is_gone) {
      // The topic was deleted, and the group knows: the next look at it takes the partition away.
      subscription->look_again();
      continue;
    }
    if (!got || *got != nullptr || timeout.count() <= 0) {
      announce_rest();
      return got ? ConsumerRecordsImpl::wrap(*std::move(got)) : Result<ConsumerRecords>(got.error());
    }
    const bool is_first_look = deadline_ns == 0;
    if (is_first_look) deadline_ns = deadline_after(timeout);
    if (!is_first_look && real_now_ns() >= deadline_ns) return ConsumerRecords();
    wait(offsets.end_of_wait(deadline_ns));
  }
}

// Null: nothing is there.
Result<std::unique_ptr<ConsumerRecordsImpl>> ConsumerImpl::collect() {
  if (auto prepared = prepare(); !prepared) return prepared.error();
  if (!has_unread()) return std::unique_ptr<ConsumerRecordsImpl>();
  take_bounds();
  auto out = pool->take_records();
  consumer::FetchBudget budget{.records_left = options.max_poll_records,
                               .bytes_left = options.max_poll_bytes,
                               .check_crcs = options.check_crcs};
  const std::size_t count = assigned.size();
  std::size_t last = first;
  Result<> outcome;
  for (std::size_t i = 0; i < count && budget.records_left > 0 && outcome; ++i) {
    Assigned& entry = *assigned[(first + i) % count];
    if (entry.is_paused) continue;
    auto taken = take_from(entry, budget, *out);
    if (!taken) outcome = taken.error();
    if (!taken || *taken > 0) last = (first + i) % count;
  }
  // Behind whoever came last, or failed: the others get their turn before it comes again.
  first = (last + 1) % count;
  // An error after records is met again by the poll that begins with it; the records come first.
  if (!out->views.empty()) return out;
  ConsumerRecordsImpl::recycle(std::move(out));
  if (!outcome) return outcome.error();
  return std::unique_ptr<ConsumerRecordsImpl>();
}

Result<std::size_t> ConsumerImpl::take_from(Assigned& entry, consumer::FetchBudget& budget,
                                            ConsumerRecordsImpl& out) {
  for (int resets = 0;; ++resets) {
    auto taken = entry.reader.take(budget, out, entry.bound);
    if (taken || taken.error().code() != Errc::offset_out_of_range || resets == resets_per_take) return taken;
    if (auto reset = apply_reset(entry, taken.error()); !reset) return reset.error();
  }
}

// Brings positions into being, and what the files of another process hold to our eyes.
Result<> ConsumerImpl::prepare() {
  for (const auto& entry : assigned) {
    if (entry->is_paused) continue;
    if (engine->is_read_only()) {
      if (auto looked = entry->reader.log().refresh(); !looked) return looked;
    }
    if (entry->pending == Pending::none) continue;
    if (auto resolved = resolve(*entry); !resolved) return resolved;
  }
  return {};
}

// The bounds of all partitions at one moment, of which none sees half a commit (INV-8): what becomes visible
// while one partition is read from must not be seen in the next.
void ConsumerImpl::take_bounds() {
  engine->visibility_gate.look([this] {
    for (const auto& entry : assigned) entry->bound = entry->reader.visible_end();
  });
}

bool ConsumerImpl::has_unread() const noexcept {
  return std::any_of(assigned.begin(), assigned.end(),
                     [](const auto& entry) { return !entry->is_paused && entry->reader.has_unread(); });
}

bool ConsumerImpl::must_return() const noexcept {
  return slot->is_interrupted() || thread.is_closed() || engine->closed.load(std::memory_order_acquire) ||
         subscription.has_news();
}

void ConsumerImpl::wait(std::int64_t deadline_ns) {
  if (options.wait_strategy != WaitStrategy::block) {
    wait_looking(deadline_ns);
  } else if (engine->is_read_only()) {
    wait_for_files(deadline_ns);
  } else {
    wait_for_append(deadline_ns);
  }
}

void ConsumerImpl::wait_for_append(std::int64_t deadline_ns) {
  const std::uint32_t ticket = slot->ticket();
  std::size_t listening = 0;
  const base::Undoing leave([&] {
    for (std::size_t i = 0; i < listening; ++i) {
      if (!assigned[i]->is_paused) assigned[i]->reader.log().listeners().remove(slot);
    }
  });
  for (; listening < assigned.size(); ++listening) {
    if (!assigned[listening]->is_paused) assigned[listening]->reader.log().listeners().add(slot);
  }
  // After joining the listeners: an append before is seen here, one after wakes.
  if (!has_unread() && !must_return()) slot->sleep(ticket, deadline_ns);
}

void ConsumerImpl::wait_for_files(std::int64_t deadline_ns) {
  std::int64_t step_ns = look_every_ns_min;
  while (!must_return()) {
    const std::uint32_t ticket = slot->ticket();
    const std::int64_t now = real_now_ns();
    if (now >= deadline_ns) return;
    slot->sleep(ticket, std::min(deadline_ns, now + step_ns));
    // A look that fails is told by the next one, which poll makes itself.
    if (!prepare() || has_unread()) return;
    step_ns = std::min(step_ns * 2, look_every_ns_max);
  }
}

void ConsumerImpl::wait_looking(std::int64_t deadline_ns) {
  for (int looks = 1; !must_return(); ++looks) {
    if (engine->is_read_only() && !prepare()) return;
    if (has_unread()) return;
    if (looks % looks_per_clock == 0 && real_now_ns() >= deadline_ns) return;
    if (options.wait_strategy == WaitStrategy::yield) {
      std::this_thread::yield();
    } else {
      os::cpu_pause();
    }
  }
}

// A thread that sleeps on the descriptor must not miss the records that this poll left behind.
void ConsumerImpl::announce_rest() noexcept {
  if (slot->has_event() && has_unread()) slot->wake();
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
