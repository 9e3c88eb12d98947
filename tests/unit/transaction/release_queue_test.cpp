#include "transaction/release_queue.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <set>

#include "support/random.hpp"
#include "unit/partition/writer_fixture.hpp"

using namespace seriatim;
using transaction::EndedParts;

namespace {

constexpr std::size_t partition_count = 3;

// Transactions over partitions, written and ended by hand.
struct Fixture {
  Fixture() {
    for (std::size_t i = 0; i < partition_count; ++i) {
      partitions.push_back(test::must(partition::Partition::open(
          world.environment,
          {.name = {"topic", static_cast<PartitionId>(i)}, .directory = temp / std::to_string(i)})));
    }
  }

  /// @return the offset.
  Offset send(ProducerId producer, std::size_t at) {
    Sequence& sequence = open[producer][at];
    auto bytes = test::make_batch({.producer_id = producer,
                                   .producer_epoch = epochs[producer],
                                   .sequence = sequence++,
                                   .transactional = true});
    const auto appended = test::must(partitions[at]->append(format::framed_batch(bytes)));
    lasts[producer][at] = appended.last_offset;
    return appended.base_offset;
  }
  /// Appends its markers: what is to be released.
  EndedParts mark(ProducerId producer, format::ControlType type) {
    EndedParts parts;
    ++epochs[producer];
    for (const auto& [at, last] : lasts[producer]) {
      const auto marked = test::must(partitions[at]->append_marker({.type = type,
                                                                    .producer_id = producer,
                                                                    .producer_epoch = epochs[producer],
                                                                    .timestamp_ms = test::t0_ms},
                                                                   0));
      parts.push_back({.partition = partitions[at].get(), .first = marked.ended_first_offset, .last = last});
    }
    lasts.erase(producer);
    open.erase(producer);
    return parts;
  }
  void commit(ProducerId producer) { queue.commit(mark(producer, format::ControlType::commit)); }
  void abort(ProducerId producer) { queue.abort(mark(producer, format::ControlType::abort)); }
  Offset stable(std::size_t at) const { return partitions[at]->last_stable_offset(); }

  test::TempDir temp;
  test::FailingVfs vfs;
  test::WriterWorld world{vfs};
  std::vector<partition::PartitionPtr> partitions;
  partition::VisibilityGate gate;
  transaction::ReleaseQueue queue{gate};
  std::map<ProducerId, std::map<std::size_t, Sequence>> open;
  std::map<ProducerId, ProducerEpoch> epochs;
  std::map<ProducerId, std::map<std::size_t, Offset>> lasts;
};

constexpr ProducerId first = ProducerId{1} << 40;
constexpr ProducerId second = first + 1;
constexpr ProducerId third = first + 2;

}  // namespace

TEST_CASE("INV-8: what is committed behind an open transaction waits in all its partitions") {
  Fixture f;
  f.send(first, 1);
  f.send(second, 0);
  f.send(second, 1);
  f.commit(second);
  CHECK(f.stable(0) == 0);
  CHECK(f.queue.waiting() == 1);
  f.send(third, 0);
  f.commit(third);
  CHECK(f.stable(0) == 0);  // Behind what waits there.
  SUBCASE("until the open one is committed") { f.commit(first); }
  SUBCASE("or is aborted") { f.abort(first); }
  CHECK(f.stable(0) == f.partitions[0]->log_end_offset());
  CHECK(f.stable(1) == f.partitions[1]->log_end_offset());
  CHECK(f.queue.waiting() == 0);
}

TEST_CASE("INV-8: transactions that wait for each other are seen together") {
  Fixture f;
  f.send(first, 0);
  f.send(second, 1);
  f.send(first, 1);
  f.send(second, 0);
  f.commit(first);
  CHECK(f.stable(0) == 0);
  CHECK(f.stable(1) == 0);
  f.commit(second);
  CHECK(f.stable(0) == f.partitions[0]->log_end_offset());
  CHECK(f.stable(1) == f.partitions[1]->log_end_offset());
}

TEST_CASE("an open transaction holds back nothing that lies before it") {
  Fixture f;
  f.send(second, 0);
  f.send(second, 1);
  const Offset later = f.send(first, 1);
  f.commit(second);
  CHECK(f.stable(0) == f.partitions[0]->log_end_offset());
  CHECK(f.stable(1) == later);
}

TEST_CASE("a producer goes on while what it committed waits") {
  Fixture f;
  f.send(first, 1);
  for (int i = 0; i < 3; ++i) {
    f.send(second, 0);
    f.send(second, 1);
    f.commit(second);
  }
  const Offset open = f.send(second, 0);
  f.commit(first);
  CHECK(f.stable(0) == open);
  CHECK(f.stable(1) == f.partitions[1]->log_end_offset());
}

TEST_CASE("however many wait behind one that is open, they take the room of one") {
  Fixture f;
  f.send(first, 2);
  for (int i = 0; i < 50; ++i) {
    f.send(second, 0);
    f.send(second, static_cast<std::size_t>(1 + i % 2));
    f.commit(second);
  }
  CHECK(f.queue.waiting() == 1);
  CHECK(f.partitions[0]->held_back(1'000'000).size() == 1);
  f.commit(first);
  for (std::size_t at = 0; at < partition_count; ++at)
    CHECK(f.stable(at) == f.partitions[at]->log_end_offset());
}

TEST_CASE("what waits for a topic that is deleted waits for it no longer") {
  Fixture f;
  f.send(first, 1);
  f.send(second, 0);
  f.send(second, 1);
  f.commit(second);
  f.partitions[1]->mark_deleted();
  CHECK(f.stable(0) == 0);
  f.queue.look_again();
  CHECK(f.stable(0) == f.partitions[0]->log_end_offset());
}

namespace {

// The rule of release_queue.hpp, looked at from all transactions there are.
class Rule {
 public:
  using Span = std::pair<Offset, Offset>;  // first and last
  using Spans = std::map<std::size_t, Span>;

  void note(ProducerId producer, std::size_t at, Offset offset) {
    auto& span = open_[producer].try_emplace(at, offset, offset).first->second;
    span.second = offset;
  }
  void commit(ProducerId producer) { waiting_.push_back(take(producer)); }
  void abort(ProducerId producer) { take(producer); }

  /// The last stable offset of each partition, or nothing: nothing is held back.
  std::map<std::size_t, Offset> held_from() {
    std::vector<bool> goes(waiting_.size(), true);
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = 0; i < waiting_.size(); ++i) {
        if (!goes[i] || !is_held_back(waiting_[i], goes)) continue;
        goes[i] = false;
        changed = true;
      }
    }
    for (std::size_t i = waiting_.size(); i-- > 0;) {
      if (goes[i]) waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    std::map<std::size_t, Offset> held;
    const auto note_all = [&held](const Spans& spans) {
      for (const auto& [at, span] : spans) {
        const auto known = held.try_emplace(at, span.first).first;
        known->second = std::min(known->second, span.first);
      }
    };
    for (const auto& [producer, spans] : open_) note_all(spans);
    for (const Spans& spans : waiting_) note_all(spans);
    return held;
  }

 private:
  Spans take(ProducerId producer) {
    const Spans spans = open_[producer];
    open_.erase(producer);
    return spans;
  }
  static bool stands_before(const Spans& other, const Spans& spans) {
    for (const auto& [at, span] : spans) {
      const auto there = other.find(at);
      if (there != other.end() && there->second.first < span.second) return true;
    }
    return false;
  }
  bool is_held_back(const Spans& spans, const std::vector<bool>& goes) const {
    for (const auto& [producer, other] : open_) {
      if (stands_before(other, spans)) return true;
    }
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      if (!goes[i] && &waiting_[i] != &spans && stands_before(waiting_[i], spans)) return true;
    }
    return false;
  }

  std::map<ProducerId, Spans> open_;
  std::vector<Spans> waiting_;
};

}  // namespace

TEST_CASE("INV-8: what is seen is what the rule says, after every end of many interleaved transactions") {
  test::Random random("releases");
  for (int history = 0; history < 30; ++history) {
    Fixture f;
    Rule rule;
    for (int step = 0; step < 200; ++step) {
      const ProducerId producer = first + random.between(0, 4);
      const bool is_open = f.open.contains(producer);
      const auto what = random.between(0, 9);
      if (!is_open || what < 6) {
        const auto at = static_cast<std::size_t>(random.between(0, partition_count - 1));
        rule.note(producer, at, f.send(producer, at));
        continue;
      }
      if (what < 9) {
        rule.commit(producer);
        f.commit(producer);
      } else {
        rule.abort(producer);
        f.abort(producer);
      }
      const auto held = rule.held_from();
      for (std::size_t at = 0; at < partition_count; ++at) {
        CAPTURE(step);
        CAPTURE(at);
        const auto found = held.find(at);
        REQUIRE(f.stable(at) == (found == held.end() ? f.partitions[at]->log_end_offset() : found->second));
      }
    }
  }
}
