// A partition with transactions in it.
#pragma once

#include <array>
#include <set>
#include <vector>

#include "partition/read/aborted_lookup.hpp"
#include "partition/read/aborted_transactions.hpp"
#include "support/random.hpp"
#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {

using format::AbortedTransaction;
using format::ControlType;

inline constexpr ProducerId first_producer = ProducerId{1} << 40;
inline constexpr ProducerId second_producer = first_producer + 1;

struct Transactions : WriterFixture {
  explicit Transactions(std::int64_t segment_bytes = 100'000) : WriterFixture(segment_bytes) { open(); }

  Offset send(ProducerId producer, ProducerEpoch epoch, Sequence sequence) {
    auto bytes = make_batch(
        {.producer_id = producer, .producer_epoch = epoch, .sequence = sequence, .transactional = true});
    return must(partition->append(format::framed_batch(bytes))).base_offset;
  }
  partition::PartitionAppend mark(ControlType type, ProducerId producer, ProducerEpoch epoch) {
    return must(partition->append_marker(
        {.type = type, .producer_id = producer, .producer_epoch = epoch, .timestamp_ms = t0_ms}, 0));
  }
  Offset end(ControlType type, ProducerId producer, ProducerEpoch epoch) {
    const auto marked = mark(type, producer, epoch);
    partition->release_transaction(marked.ended_first_offset);
    return marked.base_offset;
  }
  Offset stable() const { return partition->last_stable_offset(); }
  /// As readers find out.
  std::vector<AbortedTransaction> looked_up() {
    std::vector<AbortedTransaction> found;
    const auto list = partition->segments().load();
    must(partition::AbortedLookup(vfs, request.directory, *list)
             .collect(0, {.from = 0, .upper = 1'000'000}, found));
    return found;
  }
  /// As far as the indexes can prove it.
  std::vector<AbortedTransaction> aborted() const {
    std::vector<AbortedTransaction> found;
    const auto list = partition->segments().load();
    for (const auto& segment : *list) {
      must(segment->transactions().collect(
          {.from = 0, .upper = 1'000'000, .log_bytes = segment->end_position()}, found));
    }
    return found;
  }
};

/// Base offsets of the batches with data that a read_committed reader is shown, from `from` up to `bound`.
inline std::set<Offset> committed_from(const partition::PartitionLogPtr& log, Offset from, Offset bound) {
  partition::AbortedTransactions aborted(*log);
  partition::FetchCursor cursor(log);
  must(cursor.seek(from));
  std::set<Offset> shown;
  partition::FetchedBatch batch;
  while (must(cursor.peek(bound, true, batch)) == partition::FetchCursor::Step::batch) {
    const bool is_hidden =
        batch.header.is_control() ||
        (batch.header.is_transactional() && must(aborted.contain(batch, batch.header.base_offset, bound)));
    if (!is_hidden && batch.header.record_count > 0) shown.insert(batch.header.base_offset);
    cursor.advance(batch);
  }
  return shown;
}
inline std::set<Offset> committed_of(const partition::PartitionLogPtr& log) {
  return committed_from(log, log->log_start_offset(), log->last_stable_offset());
}

/// Producers that write, commit and abort as it comes, plain batches between them, and what a read_committed
/// reader must be shown.
class TransactionModel {
 public:
  TransactionModel(Transactions& f, Random& random, std::size_t producers)
      : f_(f), random_(random), producers_(producers) {}

  void step() {
    if (random_.one_in(4)) shown_.insert(f_.put("k", "plain").base_offset);
    auto& producer = producers_[index()];
    if (random_.one_in(5)) {
      end(producer, random_.one_in(2));
    } else {
      producer.sent.push_back(f_.send(id_of(producer), producer.epoch, producer.next++));
    }
  }
  void end_all() {
    for (auto& producer : producers_) end(producer, random_.one_in(2));
  }
  /// The offsets shown below the last stable offset.
  std::set<Offset> shown() const {
    return {shown_.lower_bound(f_.partition->log_start_offset()), shown_.lower_bound(f_.stable())};
  }
  /// First offset of the oldest open transaction, else the log end.
  Offset stable() const {
    Offset stable = f_.partition->log_end_offset();
    for (const auto& producer : producers_) {
      if (!producer.sent.empty()) stable = std::min(stable, producer.sent.front());
    }
    return std::max(stable, f_.partition->log_start_offset());
  }
  const std::set<Offset>& all_shown() const { return shown_; }

 private:
  struct Producer {
    ProducerEpoch epoch = 0;
    Sequence next = 0;
    std::vector<Offset> sent{};
  };
  std::size_t index() {
    return static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(producers_.size()) - 1));
  }
  ProducerId id_of(const Producer& producer) const {
    return first_producer + (&producer - producers_.data());
  }
  void end(Producer& producer, bool commits) {
    f_.end(commits ? ControlType::commit : ControlType::abort, id_of(producer), ++producer.epoch);
    if (commits) shown_.insert(producer.sent.begin(), producer.sent.end());
    producer.sent.clear();
    producer.next = 0;
  }

  Transactions& f_;
  Random& random_;
  std::vector<Producer> producers_;
  std::set<Offset> shown_{};
};

}  // namespace seriatim::test
