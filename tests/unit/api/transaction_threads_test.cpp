// Transactions of many threads, beside checkpoints, aborts by others, and pollers who must see each of them
// whole (INV-8). For the thread sanitizer, and for what only chance brings together.
//
// Each writes to two partitions of its own and to some that all share, where older ones that are open hold it
// back in all of them.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "support/random.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

using ::seriatim::detail::EngineImpl;

constexpr PartitionId shared_partitions = 4;
constexpr int writing_threads = 3;
constexpr PartitionId own_partitions = 2;
constexpr int transactions_of_each = 60;
constexpr std::chrono::milliseconds timeout_of_each{50};

EngineOptions busy_options() {
  return {.maintenance_interval = std::chrono::milliseconds(0),
          .journal_max_bytes = 1U << 20,
          .journal_file_bytes = 64U << 10,
          .journal_bypass_bytes = 1024};
}

// A value names its transaction, and how many records that has.
std::string value_of(const std::string& name, std::int64_t records, std::size_t padding) {
  return name + "/" + std::to_string(records) + "/" + std::string(padding, 'x');
}

// The records of each transaction that a reader has seen.
class Sightings {
 public:
  void add(BytesView value) {
    const std::string text(value.text());
    const auto slash = text.find('/');
    if (slash == std::string::npos) return;  // of no transaction
    auto& seen = by_name_[text.substr(0, slash)];
    seen.wanted = std::stoll(text.substr(slash + 1));
    ++seen.count;
  }
  /// Transactions of which a part is missing, or something is there twice.
  std::vector<std::string> broken() const {
    std::vector<std::string> names;
    for (const auto& [name, seen] : by_name_) {
      if (seen.count != seen.wanted) names.push_back(name);
    }
    return names;
  }
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& entry : by_name_) all.insert(entry.first);
    return all;
  }

 private:
  struct Count {
    std::int64_t count = 0;
    std::int64_t wanted = 0;
  };
  std::map<std::string, Count> by_name_{};
};

// One poll takes all there is.
Consumer greedy_consumer(const Engine& engine) {
  Consumer consumer = must(engine.consumer({.max_poll_records = 1'000'000, .max_poll_bytes = 1U << 30}));
  std::vector<TopicPartition> all;
  for (PartitionId i = 0; i < shared_partitions; ++i) all.push_back({"shared", i});
  for (PartitionId i = 0; i < own_partitions * writing_threads; ++i) all.push_back({"own", i});
  must(consumer.assign(all));
  return consumer;
}
std::size_t poll_into(Consumer& consumer, Sightings& seen) {
  const auto records = must(consumer.poll(std::chrono::milliseconds(1)));
  for (const RecordView& record : records) seen.add(record.value());
  return records.count();
}

// Its transactions, as their ends were answered.
struct Writer {
  Writer(const Engine& opened, int number, std::uint64_t seed)
      : engine(opened),
        first_own(number * own_partitions),
        id("writer" + std::to_string(number)),
        random(seed + static_cast<std::uint64_t>(number)),
        producer(must(engine.transactional_producer({.transactional_id = id,
                                                     .acks = number % 2 == 0 ? Acks::leader : Acks::all,
                                                     .transaction_timeout = timeout_of_each}))) {}

  // Another thread may abort it at any moment.
  static void check_aborted_by_others(const Error& fault) {
    if (fault.code() != Errc::transaction_abortable) problems_of_threads().fetch_add(1);
  }
  static std::atomic<int>& problems_of_threads() {
    static std::atomic<int> problems{0};
    return problems;
  }

  void run() {
    for (int i = 0; i < transactions_of_each; ++i) one(id + "." + std::to_string(i), i);
  }
  void one(const std::string& name, int number) {
    Transaction transaction = must(producer.begin());
    const auto send = [&](const char* topic, PartitionId partition, std::int64_t records) {
      const auto padding = static_cast<std::size_t>(random.one_in(6) ? 1500 : 20);
      return transaction.send(
          {.topic = topic, .value = value_of(name, records, padding), .partition = partition});
    };
    const auto shared = random.between(1, 4);
    const auto records = shared + own_partitions;
    for (auto left = shared; left > 0; --left) {
      const auto sent =
          send("shared", static_cast<PartitionId>(random.between(0, shared_partitions - 1)), records);
      if (!sent) return check_aborted_by_others(sent.error());
    }
    for (PartitionId i = 0; i < own_partitions; ++i) {
      const auto sent = send("own", first_own + i, records);
      if (!sent) return check_aborted_by_others(sent.error());
    }
    const auto counted = transaction.state("counts").put(id, std::to_string(number));
    if (!counted) return check_aborted_by_others(counted.error());
    const auto placed = transaction.send_offsets(
        {{{"own", first_own}, {.offset = 0, .metadata = std::to_string(number)}}}, {.group_id = id});
    if (!placed) return check_aborted_by_others(placed.error());
    if (random.one_in(5)) {
      if (!transaction.abort()) problems_of_threads().fetch_add(1);
      return;
    }
    const auto done = transaction.commit();
    if (!done) return check_aborted_by_others(done.error());
    committed.insert(name);
    last_committed = number;
  }

  const Engine& engine;
  const PartitionId first_own;
  const std::string id;
  Random random;
  TransactionalProducer producer;
  std::set<std::string> committed{};
  int last_committed = -1;
};

void check_everything(const Engine& engine, const std::vector<std::unique_ptr<Writer>>& all) {
  std::set<std::string> committed;
  for (const auto& writer : all) {
    committed.insert(writer->committed.begin(), writer->committed.end());
    const auto number = std::to_string(writer->last_committed);
    CHECK(state_text(engine, "counts", writer->id) == number);
    const Consumer group = must(engine.consumer({.group_id = writer->id}));
    CHECK(must(group.committed({"own", writer->first_own}))->metadata == number);
  }
  Consumer consumer = greedy_consumer(engine);
  Sightings seen;
  while (poll_into(consumer, seen) > 0) {
  }
  CHECK(seen.broken().empty());
  CHECK(seen.names() == committed);
}

}  // namespace

TEST_CASE("INV-8: of transactions of many threads, each poll sees every one whole or not at all") {
  const std::uint64_t seed = Random("transactions of many threads").seed();
  const TempDir dir;
  base::ManualClock clock(1'700'000'000'000);
  Engine engine = open_engine_with(dir / "data", os::posix_vfs(), clock, busy_options());
  create_topic(engine, "shared", shared_partitions);
  create_topic(engine, "own", own_partitions * writing_threads);
  std::vector<std::unique_ptr<Writer>> all;
  for (int i = 0; i < writing_threads; ++i) all.push_back(std::make_unique<Writer>(engine, i, seed));
  std::atomic<bool> is_over{false};
  std::atomic<int> broken{0};
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> beside;
    for (int i = 0; i < 2; ++i) {
      beside.emplace_back([&] {
        Consumer consumer = greedy_consumer(engine);
        Sightings seen;
        while (!is_over.load()) {
          if (poll_into(consumer, seen) > 0) broken.fetch_add(static_cast<int>(seen.broken().size()));
        }
      });
    }
    beside.emplace_back([&] {
      const auto& impl = EngineImpl::of(engine);
      while (!is_over.load()) {
        if (!impl->checkpointer->checkpoint() || !impl->checkpointer->store_commits()) failed.fetch_add(1);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    // Some are overdue, some are aborted by an administrator.
    beside.emplace_back([&] {
      Random random(seed + 100);
      auto& coordinator = *EngineImpl::of(engine)->coordinator;
      while (!is_over.load()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        clock.advance_ms(random.between(1, 20));
        if (!coordinator.advance()) failed.fetch_add(1);
        if (!random.one_in(4)) continue;
        if (!coordinator.abort_by_id("writer" + std::to_string(random.between(0, writing_threads - 1))))
          failed.fetch_add(1);
      }
    });
    beside.emplace_back([&] {
      Producer plain = must(engine.producer({.acks = Acks::leader}));
      for (PartitionId i = 0; !is_over.load(); i = (i + 1) % shared_partitions) {
        if (!plain.send_sync({.topic = "shared", .value = "plain", .partition = i})) failed.fetch_add(1);
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    });
    {
      std::vector<std::jthread> writing;
      for (auto& writer : all) writing.emplace_back([&writer] { writer->run(); });
    }
    is_over.store(true);
  }
  CHECK(broken.load() == 0);
  CHECK(failed.load() == 0);
  CHECK(Writer::problems_of_threads().load() == 0);
  std::size_t committed = 0;
  for (const auto& writer : all) committed += writer->committed.size();
  CHECK(committed > 0);
  check_everything(engine, all);
  TempDir copies;
  check_everything(open_engine(copy_of(engine, copies)), all);
  must(engine.close());
  check_everything(open_engine(dir / "data"), all);
}

}  // namespace seriatim::test
