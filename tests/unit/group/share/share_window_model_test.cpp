// Members that come, answer, sleep and leave by chance, on the window and on a model of it with one object
// for each offset. SERIATIM_SEED repeats a run.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "group/share/share_window.hpp"
#include "support/random.hpp"
#include "support/share_model.hpp"
#include "support/share_witness.hpp"
#include "support/shared_window.hpp"

using namespace seriatim;
using group::Acknowledgement;
using group::Acknowledging;
using group::DeliveryProgress;
using group::DeliveryState;
using group::OffsetRun;
using group::ShareChange;
using group::ShareMemberId;
using group::ShareWindow;
using test::ModelRecord;

namespace {

constexpr std::int64_t member_count = 4;

std::vector<Offset> acquired_by(const ShareChange& change) {
  std::vector<Offset> offsets;
  for (const group::WindowRun& run : change.runs) {
    for (Offset offset = run.delivered.offsets.first; offset <= run.delivered.offsets.last; ++offset) {
      if (run.delivered.state == DeliveryState::acquired) offsets.push_back(offset);
    }
  }
  return offsets;
}

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) { remember_progress(); }

  void step() {
    now_ms_ += random_.one_in(3) ? random_.between(0, 40) : 0;
    if (random_.one_in(200)) change_settings();
    const std::int64_t what = random_.between(0, 99);
    if (what < 20) {
      acquire_released();
    } else if (what < 40) {
      acquire_fresh();
    } else if (what < 70) {
      acknowledge();
    } else if (what < 80) {
      look_at_locks();
    } else if (what < 85) {
      leave(some_member());
    } else if (what < 88) {
      find_gaps();
    } else if (what < 95) {
      write_letters();
    } else if (what < 96) {
      begin_log_later();
    } else if (what < 97) {
      restart();
    } else if (what < 98) {
      remember_progress();
    } else {
      check_replay();
    }
    check_equal();
  }

  /// All that is left is delivered and accepted: nothing was lost, and nothing waits for ever.
  void drain() {
    limit_ = 10;
    rules_ = {};
    for (int turn = 0; turn < 10'000 && window_.start_offset() < window_.fresh_offset(); ++turn) {
      now_ms_ += 1'000;
      look_at_locks();
      bury(everything());
      acquire_released();
      for (const auto& [offset, record] : ShareRecords(model_.records())) {
        if (record.is_acquired() && record.member != 0 && record.lock_end_ms > now_ms_)
          answer(record.member, {{{offset, offset}, Acknowledging::accept}});
      }
      check_equal();
    }
    CHECK(window_.start_offset() == window_.fresh_offset());
    CHECK(window_.progress().runs.empty());
  }

  std::int64_t refused() const noexcept { return refused_; }
  std::int64_t taken() const noexcept { return taken_; }
  std::int64_t replays() const noexcept { return replays_; }
  std::int64_t delivered() const noexcept { return delivered_; }
  std::int64_t alone() const noexcept { return alone_; }

 private:
  using ShareRecords = test::ShareModel::Records;

  ShareMemberId some_member() { return static_cast<ShareMemberId>(random_.between(1, member_count)); }
  Offset some_offset() {
    return random_.between(std::max<Offset>(model_.start() - 3, 0), model_.fresh() + 1);
  }
  std::vector<OffsetRun> everything() const { return {{0, model_.fresh() + 10}}; }

  void change_settings() {
    limit_ = static_cast<std::int16_t>(random_.between(2, 10));
    max_record_locks_ = random_.between(20, 80);
    rules_.writes_letters = random_.one_in(2);
    rules_.due_ms = random_.one_in(2) ? &wait_longer : nullptr;
  }
  static std::int64_t wait_longer(const void*, std::int64_t now_ms, std::int16_t count) {
    return now_ms + 10 * count;
  }
  const group::ReturnRules& rules() {
    rules_.now_ms = now_ms_;
    rules_.delivery_count_limit = limit_;
    return rules_;
  }
  group::AcquireRequest request() {
    return {.member = some_member(),
            .now_ms = now_ms_,
            .lock_end_ms = now_ms_ + random_.between(1, 300),
            .max_records = random_.between(1, 30),
            .delivery_count_limit = limit_,
            .max_record_locks = max_record_locks_};
  }

  void apply(const ShareChange& change) {
    window_.reserve(change);
    window_.apply(change);
    if (change.empty()) return;
    DeliveryProgress told{.start_offset = window_.start_offset()};
    for (const group::WindowRun& run : change.runs) {
      told.runs.push_back(run.delivered);
      if (run.delivered.state == DeliveryState::archiving) told.runs.back().state = DeliveryState::acquired;
    }
    told_.push_back(std::move(told));
  }

  void acquire_released() {
    const group::AcquireRequest wanted = request();
    bool is_alone = false;
    bool is_alone_in_model = false;
    const ShareChange change = window_.plan_released(wanted, is_alone);
    CHECK(acquired_by(change) == model_.acquire_released(wanted, is_alone_in_model));
    CHECK(is_alone == is_alone_in_model);
    alone_ += is_alone ? 1 : 0;
    delivered_ += change.empty() ? 0 : 1;
    witness_.deliver(change);
    apply(change);
  }
  void acquire_fresh() {
    const group::AcquireRequest wanted = request();
    group::FreshRecords fresh{.from = model_.fresh(), .end = model_.fresh()};
    for (std::int64_t batches = random_.between(0, 4); batches > 0; --batches) {
      if (random_.one_in(4)) fresh.end += random_.between(1, 5);
      const std::int64_t records = random_.one_in(3) ? random_.between(1, 20) : 1;
      fresh.runs.push_back({fresh.end, fresh.end + records - 1});
      fresh.end += records;
    }
    if (random_.one_in(4)) fresh.end += random_.between(1, 5);
    const auto change = window_.plan_fresh(wanted, fresh);
    REQUIRE(change);
    CHECK(acquired_by(*change) == model_.acquire_fresh(wanted, fresh));
    witness_.deliver(*change);
    apply(*change);
  }

  /// Mostly records that the member holds.
  std::vector<Acknowledgement> some_answers(ShareMemberId member) {
    std::vector<Acknowledgement> answers;
    Offset next = 0;
    for (std::int64_t wanted = random_.between(1, 4); wanted > 0; --wanted) {
      Offset first = std::max(next, some_offset());
      while (!random_.one_in(40) && first < model_.fresh() && !is_held(first, member)) ++first;
      Offset last = first;
      while (!random_.one_in(5) && (random_.one_in(40) || is_held(last + 1, member))) ++last;
      if (!is_held(first, member) && !random_.one_in(10)) continue;
      answers.push_back({{first, last}, static_cast<Acknowledging>(random_.between(1, 4))});
      next = last + 1;
    }
    if (random_.one_in(2)) std::reverse(answers.begin(), answers.end());
    return answers;
  }
  bool is_held(Offset offset, ShareMemberId member) const {
    const auto found = model_.records().find(offset);
    return found != model_.records().end() && found->second.is_held_by(member);
  }
  void acknowledge() {
    const ShareMemberId member = some_member();
    answer(member, some_answers(member));
  }
  void answer(ShareMemberId member, const std::vector<Acknowledgement>& answers) {
    const std::int64_t renewed_ms = now_ms_ + random_.between(1, 300);
    const auto change = window_.plan_acknowledge(member, answers, rules(), renewed_ms);
    CHECK(change.ok() == model_.acknowledge(member, answers, rules(), renewed_ms));
    ++(change ? taken_ : refused_);
    if (!change) {
      CHECK(change.error().code() == Errc::invalid_record_state);
      return;
    }
    witness_.answer(answers, renewed_ms, limit_);
    apply(*change);
  }

  void look_at_locks() {
    apply(window_.plan_overdue(rules()));
    const auto is_over = [this](const ModelRecord& record) {
      return record.is_acquired() && record.lock_end_ms <= now_ms_;
    };
    model_.give_back(is_over, rules());
    witness_.look_at_locks(now_ms_, limit_);
  }
  void leave(ShareMemberId member) {
    apply(window_.plan_leave(member, rules()));
    model_.give_back([member](const ModelRecord& record) { return record.is_held_by(member); }, rules());
    witness_.leave(member, limit_);
  }
  std::vector<OffsetRun> some_runs() {
    std::vector<OffsetRun> runs;
    for (std::int64_t count = random_.between(1, 4); count > 0; --count) {
      const Offset first = some_offset();
      runs.push_back({first, first + random_.between(0, 8)});
    }
    return runs;
  }
  void find_gaps() {
    const ShareMemberId member = some_member();
    const std::vector<OffsetRun> gaps = some_runs();
    apply(window_.plan_gaps(member, gaps));
    witness_.find_gaps(member, gaps);
    model_.archive(gaps, [member](const ModelRecord& record) { return record.is_held_by(member); });
  }
  void bury(const std::vector<OffsetRun>& dead) {
    apply(window_.plan_buried(dead));
    model_.archive(dead, [](const ModelRecord& record) {
      return record.is_archiving() || (record.is_acquired() && record.is_condemned);
    });
  }
  void write_letters() {
    const std::vector<OffsetRun> dead = random_.one_in(2) ? everything() : some_runs();
    if (!random_.one_in(3)) return bury(dead);
    apply(window_.plan_not_buried(dead, now_ms_ + 20));
    model_.keep_for_later(dead, now_ms_ + 20);
  }
  void begin_log_later() {
    const Offset log_start = random_.one_in(4) ? some_offset() + 5 : some_offset();
    apply(window_.plan_log_start(log_start));
    model_.begin_log_at(log_start);
    witness_.begin_log_at(log_start);
  }

  void restart() {
    window_ = ShareWindow(window_.progress());
    model_.restart();
    witness_.restart(window_.progress());
  }
  /// As a checkpoint does: the journal may still hold changes that are older.
  void remember_progress() {
    if (random_.one_in(2)) {
      older_ = window_.progress();
      told_.clear();
    }
    newer_ = window_.progress();
  }
  void check_replay() {
    for (const DeliveryProgress& stored : {older_, newer_}) {
      ShareWindow replayed(stored);
      for (const DeliveryProgress& told : told_) replayed.replay(told);
      CHECK(test::text_of(replayed.progress()) == test::text_of(window_.progress()));
      CHECK(replayed.fresh_offset() == window_.fresh_offset());
    }
    ++replays_;
  }

  void check_equal() {
    REQUIRE(test::text_of(window_.progress()) == test::text_of(model_.progress()));
    CHECK(window_.start_offset() == model_.start());
    CHECK(window_.fresh_offset() == model_.fresh());
    CHECK(ShareWindow(window_.progress()).progress() == window_.progress());
    CHECK(window_.finished() ==
          model_.count([](const ModelRecord& record) { return group::is_finished(record.state); }));
    CHECK(window_.acquired(now_ms_) == model_.count([this](const ModelRecord& record) {
      return record.is_acquired() && record.lock_end_ms > now_ms_;
    }));
    CHECK(window_.has_returned(now_ms_) == (model_.count([this](const ModelRecord& record) {
            return (record.is_acquired() && record.lock_end_ms <= now_ms_) ||
                   (record.state == DeliveryState::available && record.due_ms <= now_ms_);
          }) > 0));
    CHECK(window_.next_due_ms(now_ms_) == model_.next_due_ms(now_ms_));
    witness_.check(window_.progress());
  }

  test::Random random_;
  ShareWindow window_{0};
  test::ShareModel model_;
  test::ShareWitness witness_;
  std::int64_t now_ms_ = 0;
  std::int16_t limit_ = 5;
  std::int64_t max_record_locks_ = 50;
  group::ReturnRules rules_{};
  DeliveryProgress older_{};
  DeliveryProgress newer_{};
  std::vector<DeliveryProgress> told_{};
  std::int64_t taken_ = 0;
  std::int64_t refused_ = 0;
  std::int64_t replays_ = 0;
  std::int64_t delivered_ = 0;
  std::int64_t alone_ = 0;
};

}  // namespace

TEST_CASE("share window: whatever members do, it is as a model with one object for each offset") {
  test::Random seeds("share window");
  for (int history = 0; history < 20; ++history) {
    History played(seeds.next());
    CAPTURE(history);
    for (int step = 0; step < 1'000; ++step) {
      CAPTURE(step);
      played.step();
    }
    // Each kind of event took place: else this test says less than it seems to.
    CHECK(played.taken() > 50);
    CHECK(played.refused() > 5);
    CHECK(played.replays() > 5);
    CHECK(played.delivered() > 20);
    CHECK(played.alone() > 5);
    played.drain();
  }
}
