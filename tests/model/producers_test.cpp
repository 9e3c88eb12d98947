// Random calls of several producers of every kind on a real engine and on a model of a few lines: duplicates,
// retries, handles that are fenced or come too late, time-outs, restarts. After every step the two must
// agree.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "base/clock.hpp"
#include "directory/engine_impl.hpp"
#include "os/file/posix_vfs.hpp"
#include "support/live_copy.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

namespace seriatim {
namespace {

constexpr PartitionId partition_count = 2;
constexpr std::chrono::milliseconds transaction_timeout{1000};

// The fate of the transaction of a record; nobody sees the record before it is committed.
enum class Fate : std::uint8_t { open, committed, aborted };
struct LoggedRecord {
  std::string value{};
  Fate* fate = nullptr;
};

// A producer with a name, over restarts of the engine: what it has stored by its sequences.
struct Named {
  std::optional<Producer> producer{};
  std::map<PartitionId, std::vector<std::pair<std::string, Offset>>> stored{};
};

struct Transactional {
  std::optional<TransactionalProducer> producer{};
  std::optional<Transaction> open{};
  std::optional<Transaction> ended{};  ///< A handle of one before.
  std::vector<std::pair<std::string, std::string>> puts{};
  Fate* fate = nullptr;
  ProducerEpoch epoch = -1;
};

class ProducersExercise {
 public:
  explicit ProducersExercise(test::Random& random) : random_(random), directory_(scratch_ / "0") {
    open_engine();
    engine_->admin()
        .create_topic(
            {.name = "t", .partition_count = partition_count, .config = {{"segment.bytes", "4096"}}})
        .value();
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      CAPTURE(step);
      switch (random_.between(0, 12)) {
        case 0:
          restart();
          break;
        case 1:
          time_out();
          break;
        case 2:
          open_again();
          break;
        case 3:
        case 4:
          send_named();
          break;
        case 5:
          repeat_named();
          break;
        case 6:
          send_plain();
          break;
        case 7:
        case 8:
          end();
          break;
        case 9:
          come_too_late();
          break;
        default:
          write();
          break;
      }
      check();
    }
  }

 private:
  void open_engine() {
    engine_.emplace(detail::EngineImpl::handle(
        detail::EngineImpl::open(directory_, {.maintenance_interval = std::chrono::milliseconds(0)},
                                 os::posix_vfs(), clock_)
            .value()));
  }
  std::string next_value() {
    ++serial_;
    return std::to_string(serial_) + std::string(serial_ % 300, '.');
  }
  PartitionId some_partition() { return static_cast<PartitionId>(random_.between(0, partition_count - 1)); }
  Fate* new_fate(Fate fate) {
    fates_.push_back(std::make_unique<Fate>(fate));
    return fates_.back().get();
  }
  void stored(PartitionId partition, Offset offset, const std::string& value, Fate* fate) {
    CHECK(logs_[partition].emplace(offset, LoggedRecord{value, fate}).second);
  }

  void send_plain() {
    const bool is_numbered = random_.one_in(2);
    Producer producer = engine_->producer({.acks = Acks::leader, .enable_idempotence = is_numbered}).value();
    const PartitionId partition = some_partition();
    for (auto left = random_.between(1, 3); left > 0; --left) {
      const std::string value = next_value();
      const auto sent = producer.send_sync({.topic = "t", .value = value, .partition = partition}).value();
      stored(partition, sent.offset, value, new_fate(Fate::committed));
    }
  }

  Named& some_named() {
    Named& named = named_[static_cast<std::size_t>(random_.between(0, 1))];
    const std::string name = &named == named_.data() ? "first" : "second";
    if (!named.producer)
      named.producer.emplace(engine_->producer({.acks = Acks::leader, .name = name}).value());
    return named;
  }
  Sequence sequence_of(std::size_t number) const { return static_cast<Sequence>(number); }
  void send_named() {
    Named& named = some_named();
    const PartitionId partition = some_partition();
    auto& all = named.stored[partition];
    const std::string value = next_value();
    const auto sent =
        named.producer
            ->send_sync(
                {.topic = "t", .value = value, .partition = partition, .sequence = sequence_of(all.size())})
            .value();
    stored(partition, sent.offset, value, new_fate(Fate::committed));
    all.emplace_back(value, sent.offset);
  }
  // INV-7: what was stored is answered with the offset it has.
  void repeat_named() {
    Named& named = some_named();
    const PartitionId partition = some_partition();
    const auto& all = named.stored[partition];
    if (all.empty()) return;
    const auto back =
        static_cast<std::size_t>(random_.between(1, std::min<std::int64_t>(5, std::ssize(all))));
    const auto& [value, offset] = all[all.size() - back];
    const auto sent = named.producer
                          ->send_sync({.topic = "t",
                                       .value = value,
                                       .partition = partition,
                                       .sequence = sequence_of(all.size() - back)})
                          .value();
    CHECK(sent.offset == offset);
    const auto gap = named.producer->send_sync(
        {.topic = "t", .value = "gap", .partition = partition, .sequence = sequence_of(all.size() + 3)});
    CHECK_FALSE(gap.ok());
  }

  std::string id_of(const Transactional& one) const { return "id" + std::to_string(&one - ids_.data()); }
  Transactional& some_id() {
    Transactional& one = ids_[static_cast<std::size_t>(random_.between(0, std::ssize(ids_) - 1))];
    if (!one.producer) open_id(one);
    return one;
  }
  void open_id(Transactional& one) {
    one.producer.emplace(engine_
                             ->transactional_producer({.transactional_id = id_of(one),
                                                       .acks = random_.one_in(4) ? Acks::all : Acks::leader,
                                                       .transaction_timeout = transaction_timeout})
                             .value());
    CHECK(one.producer->producer_epoch() > one.epoch);
    one.epoch = one.producer->producer_epoch();
  }
  void begin(Transactional& one) {
    if (one.open) {
      CHECK(one.producer->begin().error().code() == Errc::concurrent_transactions);
      return;
    }
    one.open.emplace(one.producer->begin().value());
    one.fate = new_fate(Fate::open);
  }
  void write() {
    Transactional& one = some_id();
    begin(one);
    const std::string value = next_value();
    if (random_.one_in(3)) {
      const std::string key = "k" + std::to_string(random_.between(0, 3));
      one.open->state("s").put(key, value).value();
      one.puts.emplace_back(key, value);
      return;
    }
    const PartitionId partition = some_partition();
    const auto sent = one.open->send({.topic = "t", .value = value, .partition = partition}).value();
    stored(partition, sent.offset, value, one.fate);
  }
  void finish(Transactional& one, Fate fate) {
    *one.fate = fate;
    if (fate == Fate::committed) {
      for (const auto& [key, value] : one.puts) state_[key] = value;
    }
    one.puts.clear();
    one.ended = std::move(one.open);
    one.open.reset();
    if (one.producer) one.epoch = std::max(one.epoch, one.producer->producer_epoch());
  }
  void end() {
    Transactional& one = some_id();
    begin(one);
    const bool is_committed = !random_.one_in(3);
    (is_committed ? one.open->commit() : one.open->abort()).value();
    finish(one, is_committed ? Fate::committed : Fate::aborted);
  }
  // A handle is for one transaction, and says so for ever.
  void come_too_late() {
    Transactional& one = some_id();
    if (!one.ended) return;
    const auto late = one.ended->send({.topic = "t", .value = "late", .partition = 0});
    CHECK_FALSE(late.ok());
    CHECK_FALSE(one.ended->state("s").put("late", "late").ok());
    CHECK_FALSE(one.ended->is_open());
  }
  void time_out() {
    clock_.advance_ms(transaction_timeout.count());
    detail::EngineImpl::of(*engine_)->coordinator->advance().value();
    for (Transactional& one : ids_) {
      if (!one.open) continue;
      CHECK(one.open->commit().error().code() == Errc::transaction_abortable);
      finish(one, Fate::aborted);
    }
  }
  // The earlier holder is fenced.
  void open_again() {
    Transactional& one = some_id();
    TransactionalProducer older = *std::exchange(one.producer, std::nullopt);
    one.epoch = std::max(one.epoch, older.producer_epoch());
    open_id(one);
    CHECK(older.begin().error().code() == Errc::producer_fenced);
    if (!one.open) return;
    CHECK(one.open->commit().error().code() == Errc::producer_fenced);
    finish(one, Fate::aborted);
  }

  // A close, or the state a kill -9 leaves between two calls. Either aborts what is open.
  void restart() {
    if (random_.one_in(2)) {
      const std::string copy = scratch_ / std::to_string(++generation_);
      test::copy_live(directory_, copy);
      engine_->close().value();
      directory_ = copy;
    } else {
      engine_->close().value();
    }
    for (Transactional& one : ids_) {
      if (one.open) finish(one, Fate::aborted);
      one.producer.reset();
      one.ended.reset();
    }
    for (Named& named : named_) named.producer.reset();
    engine_.reset();
    open_engine();
  }

  // Open transactions, and those that lie in any of their partitions behind one that is not to be seen yet.
  std::set<const Fate*> held_back() const {
    std::set<const Fate*> held;
    for (std::size_t known = 1; known != held.size();) {
      known = held.size();
      for (const auto& [partition, log] : logs_) {
        bool is_behind = false;
        for (const auto& [offset, record] : log) {
          const Fate* const fate = record.fate;
          const bool is_held =
              *fate == Fate::open || held.contains(fate) || (is_behind && *fate == Fate::committed);
          if (is_held) held.insert(fate);
          is_behind |= is_held;
        }
      }
    }
    return held;
  }

  // INV-8: what readers see is what was committed, as far as the first record of what is held back.
  void check() {
    const auto held = held_back();
    for (PartitionId i = 0; i < partition_count; ++i) {
      std::vector<std::string> expected;
      for (const auto& [offset, record] : logs_[i]) {
        if (held.contains(record.fate)) break;
        if (*record.fate == Fate::committed) expected.push_back(record.value);
      }
      CHECK(values_of(i, IsolationLevel::read_committed) == expected);
      CHECK(values_of(i, IsolationLevel::read_uncommitted).size() == logs_[i].size());
    }
    const State table = engine_->state("s").value();
    CHECK(table.scan({}, 100).value().size() == state_.size());
    for (const auto& [key, value] : state_) {
      const auto found = table.get(key).value();
      REQUIRE(found.has_value());
      CHECK(BytesView(std::span<const std::byte>(*found)).text() == value);
    }
  }
  std::vector<std::string> values_of(PartitionId partition, IsolationLevel level) const {
    Consumer consumer = engine_->consumer({.max_poll_records = 1'000'000, .isolation_level = level}).value();
    consumer.assign({{"t", partition}}).value();
    std::vector<std::string> values;
    for (;;) {
      const auto records = consumer.poll(std::chrono::milliseconds(0)).value();
      if (records.empty()) return values;
      for (const RecordView& record : records) values.emplace_back(record.value().text());
    }
  }

  test::Random& random_;
  test::TempDir scratch_{test::TempDir::in_memory()};
  std::string directory_;
  int generation_ = 0;
  std::size_t serial_ = 0;
  base::ManualClock clock_{1'700'000'000'000};
  std::optional<Engine> engine_{};
  std::array<Named, 2> named_{};
  std::array<Transactional, 3> ids_{};
  std::vector<std::unique_ptr<Fate>> fates_{};
  std::map<PartitionId, std::map<Offset, LoggedRecord>> logs_{};
  std::map<std::string, std::string> state_{};
};

}  // namespace

TEST_CASE(
    "INV-7, INV-8: producers of every kind, with retries, zombies, time-outs and restarts, do as the model") {
  test::Random random("model of producers");
  for (int run = 0; run < 4; ++run) ProducersExercise(random).run(200);
}

}  // namespace seriatim
