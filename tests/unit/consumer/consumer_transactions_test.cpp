// Consumers against a model of what was committed: random producers, polls, compactions and restarts.
#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "support/random.hpp"
#include "unit/api/transaction_writer.hpp"

namespace seriatim::test {
namespace {

constexpr PartitionId partitions = 2;
constexpr std::size_t writers = 3;
using Shown = std::array<std::set<Offset>, partitions>;  // by partition

class Model {
 public:
  Model(OpenedEngine& opened, Random& random) : opened_(opened), random_(random) { make_writers(); }

  void step() {
    const auto p = static_cast<PartitionId>(random_.between(0, partitions - 1));
    auto& writer = writers_[static_cast<std::size_t>(random_.between(0, writers - 1))];
    if (random_.one_in(4)) shown_[index(p)].insert(append_batch(opened_.engine, {"t", p}).base_offset);
    if (random_.one_in(5)) return end(writer);
    const int records = static_cast<int>(random_.between(1, 4));
    const Offset first = writer.log->send(p, records);
    for (Offset offset = first; offset < first + records; ++offset) writer.sent[index(p)].insert(offset);
  }
  void end_all() {
    for (auto& writer : writers_) end(writer);
  }
  void reopen() {
    end_all();
    for (auto& writer : writers_) writer.log.reset();
    must(opened_.engine.close());
    opened_.engine = open_engine(opened_.path());
    make_writers();
  }
  const Shown& shown() const { return shown_; }

 private:
  struct Writer {
    std::unique_ptr<TransactionWriter> log{};
    Shown sent{};
  };
  static std::size_t index(PartitionId partition) { return static_cast<std::size_t>(partition); }
  // New ones each time: what epoch and sequences they have got to is not remembered here.
  void make_writers() {
    for (auto& writer : writers_)
      writer.log = std::make_unique<TransactionWriter>(opened_.engine, "t", next_id_++);
  }
  void end(Writer& writer) {
    const bool commits = random_.one_in(2);
    writer.log->end(commits ? ControlType::commit : ControlType::abort);
    for (PartitionId p = 0; p < partitions; ++p) {
      if (commits) shown_[index(p)].insert(writer.sent[index(p)].begin(), writer.sent[index(p)].end());
      writer.sent[index(p)].clear();
    }
  }

  OpenedEngine& opened_;
  Random& random_;
  std::array<Writer, writers> writers_{};
  ProducerId next_id_ = 0;
  Shown shown_{};
};

Consumer consumer_of(const Engine& engine, Random& random) {
  auto consumer =
      must(engine.consumer({.group_id = "g",
                            .max_poll_records = static_cast<std::size_t>(random.between(1, 30)),
                            .max_poll_bytes = static_cast<std::size_t>(random.between(1, 3'000))}));
  must(consumer.assign_topic("t"));
  return consumer;
}

// Every record polled is one that was committed by then, and comes behind those before it.
void poll_some(Consumer& consumer, const Model& model, std::array<std::vector<Offset>, partitions>& seen) {
  const auto records = must(consumer.poll(no_wait));
  for (const RecordView& record : records) {
    const auto p = static_cast<std::size_t>(record.partition());
    REQUIRE(model.shown()[p].contains(record.offset()));
    REQUIRE((seen[p].empty() || record.offset() > seen[p].back()));
    REQUIRE(record.value().text() == "v" + std::to_string(record.offset()));
    seen[p].push_back(record.offset());
  }
  must(consumer.commit_sync());
}

TEST_CASE("INV-8: a consumer gets every committed record once, in order, and no other, across restarts") {
  Random random("consumer against committed records");
  for (int round = 0; round < 3; ++round) {
    OpenedEngine opened(partitions, {{"segment.bytes", "2048"}});
    Model model(opened, random);
    std::array<std::vector<Offset>, partitions> seen{};
    auto consumer = consumer_of(opened.engine, random);
    for (int i = 0; i < 400; ++i) {
      model.step();
      if (random.one_in(3)) poll_some(consumer, model, seen);
      if (!random.one_in(100)) continue;
      consumer.close();
      model.reopen();
      consumer = consumer_of(opened.engine, random);
    }
    model.end_all();
    const auto is_done = [&] {
      for (PartitionId p = 0; p < partitions; ++p) {
        if (must(consumer.lag({"t", p})) > 0) return false;
      }
      return true;
    };
    while (!is_done()) poll_some(consumer, model, seen);
    for (std::size_t p = 0; p < partitions; ++p) {
      const std::vector<Offset> expected(model.shown()[p].begin(), model.shown()[p].end());
      CHECK(seen[p] == expected);
    }
  }
}

TEST_CASE("INV-8: under compaction a consumer gets no aborted record, and the newest committed one") {
  Random random("consumer of compacted transactions");
  OpenedEngine opened(partitions, {{"segment.bytes", "1024"}, {"cleanup.policy", "compact"}});
  Model model(opened, random);
  std::array<std::vector<Offset>, partitions> seen{};
  auto consumer = consumer_of(opened.engine, random);
  for (int i = 0; i < 400; ++i) {
    model.step();
    if (random.one_in(3)) poll_some(consumer, model, seen);
    if (random.one_in(40)) must(opened.engine.admin().compact("t", random.one_in(2)));
  }
  model.end_all();
  while (!must(consumer.poll(no_wait)).empty()) {
  }
  must(opened.engine.admin().compact("t", true));
  for (PartitionId p = 0; p < partitions; ++p) {
    const auto left = read_all(opened.engine, "t", p);
    const auto& shown = model.shown()[static_cast<std::size_t>(p)];
    for (const auto& record : left) CHECK(shown.contains(record.offset));
    // All records have one key.
    if (!shown.empty()) CHECK((!left.empty() && left.back().offset == *shown.rbegin()));
  }
}

}  // namespace
}  // namespace seriatim::test
