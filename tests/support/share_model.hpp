// A share group's window as one object for each offset: what the rules say, without a thought for cost.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "group/share/share_window.hpp"

namespace seriatim::test {

struct ModelRecord {
  group::DeliveryState state = group::DeliveryState::available;
  std::int16_t count = 0;
  group::ShareMemberId member = 0;
  std::int64_t lock_end_ms = 0;
  std::int64_t due_ms = 0;
  std::int64_t batch = 1;
  bool is_condemned = false;
  bool operator==(const ModelRecord&) const = default;

  bool is_acquired() const noexcept { return state == group::DeliveryState::acquired; }
  bool is_archiving() const noexcept { return state == group::DeliveryState::archiving; }
  bool is_held_by(group::ShareMemberId other) const noexcept { return is_acquired() && member == other; }
};

class ShareModel {
 public:
  using Records = std::map<Offset, ModelRecord>;

  Offset start() const noexcept { return start_; }
  Offset fresh() const noexcept { return fresh_; }
  const Records& records() const noexcept { return records_; }

  group::DeliveryProgress progress() const {
    group::DeliveryProgress told{.start_offset = start_};
    for (const auto& [offset, record] : records_) {
      const group::DeliveryState state =
          record.is_archiving() ? group::DeliveryState::acquired : record.state;
      if (!told.runs.empty() && told.runs.back().state == state &&
          told.runs.back().delivery_count == record.count) {
        told.runs.back().offsets.last = offset;
      } else {
        told.runs.push_back({{offset, offset}, state, record.count});
      }
    }
    return told;
  }
  template <class Predicate>
  std::int64_t count(Predicate is_meant) const {
    return std::count_if(records_.begin(), records_.end(),
                         [&](const auto& entry) { return is_meant(entry.second); });
  }
  std::optional<std::int64_t> next_due_ms(std::int64_t now_ms) const {
    std::optional<std::int64_t> next;
    for (const auto& [offset, record] : records_) {
      if (!record.is_acquired() && record.state != group::DeliveryState::available) continue;
      const std::int64_t at_ms = record.is_acquired() ? record.lock_end_ms : record.due_ms;
      if (at_ms > now_ms) next = std::min(next.value_or(at_ms), at_ms);
    }
    return next;
  }

  std::vector<Offset> acquire_released(const group::AcquireRequest& request, bool& is_alone) {
    std::vector<Offset> got;
    is_alone = false;
    const int limit = request.delivery_count_limit;
    const int half = limit / 2 + limit % 2;
    std::map<Offset, ModelRecord> taken;
    std::optional<std::pair<ModelRecord, std::int64_t>> run;  // The state of a run, and its records so far.
    Offset before = -2;
    for (const auto& [offset, record] : records_) {
      if (static_cast<std::int64_t>(got.size()) >= request.max_records) break;
      const bool continues = run && before == offset - 1 && run->first == record;
      before = offset;
      if (!continues && is_alone) break;
      if (!continues) run = {record, 0};
      if (record.state != group::DeliveryState::available || record.due_ms > request.now_ms) continue;
      std::int64_t part = request.max_records;
      if (record.count >= half) {
        part = record.batch;
        for (int i = 0; i < record.count - half + 1; ++i) part /= 2;
        part = std::max<std::int64_t>(part, 1);
        is_alone = true;
      }
      if (record.count + 1 >= limit) {
        is_alone = true;
        part = got.empty() ? 1 : 0;
      }
      if (run->second >= part) break;
      ++run->second;
      got.push_back(offset);
    }
    for (const Offset offset : got) acquire(offset, request, records_.at(offset).batch);
    return got;
  }

  std::vector<Offset> acquire_fresh(const group::AcquireRequest& request, const group::FreshRecords& fresh) {
    std::vector<Offset> got;
    if (fresh_ - start_ >= request.max_record_locks) return got;
    Offset begin = start_;
    if (records_.empty() && !fresh.runs.empty()) begin = fresh.runs.front().first;
    Offset end = fresh.end;
    for (const group::OffsetRun& run : fresh.runs) {
      if (run.first >= begin + request.max_record_locks) {
        end = run.first;
        break;
      }
      for (Offset offset = run.first; offset <= run.last; ++offset) got.push_back(offset);
    }
    for (; fresh_ < end; ++fresh_) records_[fresh_].state = group::DeliveryState::archived;
    for (const Offset offset : got) {
      records_[offset] = {};
      acquire(offset, request, static_cast<std::int64_t>(got.size()));
    }
    let_go();
    return got;
  }

  bool acknowledge(group::ShareMemberId member, std::span<const group::Acknowledgement> answers,
                   const group::ReturnRules& rules, std::int64_t renewed_lock_end_ms) {
    for (const bool is_change : {false, true}) {
      for (const auto& [offsets, type] : answers) {
        for (Offset offset = std::max(offsets.first, log_start_); offset <= offsets.last; ++offset) {
          const auto found = records_.find(offset);
          if (found == records_.end() || !found->second.is_held_by(member) ||
              found->second.lock_end_ms <= rules.now_ms)
            return false;
          if (is_change) answer(found->second, type, rules, renewed_lock_end_ms);
        }
      }
    }
    let_go();
    return true;
  }

  template <class Predicate>
  void give_back(Predicate is_meant, const group::ReturnRules& rules) {
    for (auto& [offset, record] : records_) {
      if (is_meant(record)) come_back(record, rules);
    }
    let_go();
  }
  template <class Predicate>
  void archive(std::span<const group::OffsetRun> runs, Predicate is_meant) {
    for_each(runs, is_meant, [](ModelRecord& record) { finish(record, group::DeliveryState::archived); });
    let_go();
  }
  void keep_for_later(std::span<const group::OffsetRun> runs, std::int64_t retry_ms) {
    for_each(
        runs, [](const ModelRecord& record) { return record.is_archiving(); },
        [retry_ms](ModelRecord& record) {
          record = {.state = group::DeliveryState::acquired,
                    .count = record.count,
                    .lock_end_ms = retry_ms,
                    .is_condemned = true};
        });
  }
  void begin_log_at(Offset log_start) {
    if (log_start <= start_) return;
    log_start_ = log_start;
    start_ = log_start;
    fresh_ = std::max(fresh_, start_);
    records_.erase(records_.begin(), records_.lower_bound(start_));
    let_go();
  }
  void restart() {
    log_start_ = 0;
    for (const group::DeliveredRun& run : progress().runs) {
      for (Offset offset = run.offsets.first; offset <= run.offsets.last; ++offset) {
        records_[offset] = {.state = run.state, .count = run.delivery_count};
        if (!group::is_finished(run.state)) records_[offset].batch = run.offsets.last - run.offsets.first + 1;
      }
    }
  }

 private:
  static void finish(ModelRecord& record, group::DeliveryState state) {
    record = {.state = state, .count = record.count};
  }
  static void die(ModelRecord& record, const group::ReturnRules& rules) {
    const group::ShareMemberId member = record.member;
    finish(record, rules.writes_letters ? group::DeliveryState::archiving : group::DeliveryState::archived);
    if (rules.writes_letters) record.member = member;
  }
  static void come_back(ModelRecord& record, const group::ReturnRules& rules) {
    if (record.count >= rules.delivery_count_limit || record.is_condemned) return die(record, rules);
    record = {.count = record.count, .batch = record.batch};
    if (rules.due_ms != nullptr) record.due_ms = rules.due_ms(rules.context, rules.now_ms, record.count);
  }
  static void answer(ModelRecord& record, group::Acknowledging type, const group::ReturnRules& rules,
                     std::int64_t renewed_lock_end_ms) {
    if (type == group::Acknowledging::accept) finish(record, group::DeliveryState::acknowledged);
    if (type == group::Acknowledging::release) come_back(record, rules);
    if (type == group::Acknowledging::reject) die(record, rules);
    if (type == group::Acknowledging::renew) record.lock_end_ms = renewed_lock_end_ms;
  }
  void acquire(Offset offset, const group::AcquireRequest& request, std::int64_t batch) {
    ModelRecord& record = records_.at(offset);
    record = {.state = group::DeliveryState::acquired,
              .count = static_cast<std::int16_t>(record.count + 1),
              .member = request.member,
              .lock_end_ms = request.lock_end_ms,
              .batch = batch};
  }
  template <class Predicate, class Change>
  void for_each(std::span<const group::OffsetRun> runs, Predicate is_meant, Change change) {
    for (const group::OffsetRun& run : runs) {
      for (Offset offset = run.first; offset <= run.last; ++offset) {
        const auto found = records_.find(offset);
        if (found != records_.end() && is_meant(found->second)) change(found->second);
      }
    }
  }
  void let_go() {
    while (!records_.empty() && group::is_finished(records_.begin()->second.state)) {
      records_.erase(records_.begin());
      ++start_;
    }
  }

  Offset start_ = 0;
  Offset fresh_ = 0;
  Offset log_start_ = 0;
  Records records_;
};

}  // namespace seriatim::test
