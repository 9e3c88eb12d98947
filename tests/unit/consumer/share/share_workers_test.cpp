// Many workers on one partition, in threads that answer at random, stall and die: every record is accepted
// once, nothing is lost, and no record is with two workers at the same time.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/random.hpp"
#include "unit/consumer/share/share_fixture.hpp"

namespace seriatim::test {
namespace {

constexpr int records_of_work = 600;

/// The fate of each record.
struct Ledger {
  using Numbers = std::vector<std::atomic<int>>;
  Numbers holders = Numbers(records_of_work);
  Numbers accepted = Numbers(records_of_work);
  Numbers newest_count = Numbers(records_of_work);
  std::atomic<int> left{records_of_work};
  std::atomic<bool> is_broken{false};

  void take(const ShareRecord& record) {
    const auto at = static_cast<std::size_t>(std::stoi(std::string(record.value().text())));
    if (holders[at].fetch_add(1) != 0 || accepted[at].load() != 0) is_broken = true;
    if (newest_count[at].exchange(record.delivery_count()) >= record.delivery_count()) is_broken = true;
  }
  void let_go(const ShareRecord& record, bool accepts) {
    const auto at = static_cast<std::size_t>(std::stoi(std::string(record.value().text())));
    if (accepts && accepted[at].fetch_add(1) == 0) --left;
    holders[at].fetch_sub(1);
  }
};

// The records of one poll; answered, or left to a member that dies.
void work_on(ShareConsumer& consumer, const ShareRecords& records, Ledger& ledger, Random& random) {
  for (const ShareRecord& record : records) ledger.take(record);
  for (const ShareRecord& record : records) {
    const bool accepts = !random.one_in(3);
    // Before the answer is stored: another may have it at once.
    ledger.let_go(record, accepts);
    must(consumer.acknowledge(record, accepts ? AcknowledgeType::accept : AcknowledgeType::release));
    if (random.one_in(2)) must(consumer.commit_sync());
  }
  must(consumer.commit_sync());
}

void work(const Engine& engine, Ledger& ledger, Random random) {
  while (ledger.left > 0 && !ledger.is_broken) {
    auto consumer =
        must(engine.share_consumer({.group_id = "g",
                                    .acknowledgement_mode = explicit_mode,
                                    .acquire_mode = random.one_in(2) ? ShareAcquireMode::record_limit
                                                                     : ShareAcquireMode::batch_optimized,
                                    .max_poll_records = static_cast<std::size_t>(random.between(1, 20)),
                                    .commit_acks = Acks::leader}));
    must(consumer.subscribe({"t"}));
    for (auto polls = random.between(1, 30); polls > 0 && ledger.left > 0 && !ledger.is_broken; --polls) {
      const ShareRecords records = must(consumer.poll(5ms));
      if (random.one_in(10)) {
        // Dies with all of them.
        for (const ShareRecord& record : records) ledger.take(record);
        for (const ShareRecord& record : records) ledger.let_go(record, false);
        break;
      }
      work_on(consumer, records, ledger, random);
    }
  }
}

TEST_CASE("share: workers in threads have each record alone, lose none, and accept each once") {
  TempDir directory;
  const Engine engine = open_engine(directory / "data");
  create_topic(engine, "t");
  must(must(engine.share_groups())
           .alter_config("g", {{"share.delivery.count.limit", "30000"},
                               {"share.partition.max.record.locks", "100"},
                               {"share.record.lock.duration.ms", "1h"}}));
  Ledger ledger;
  Random random("share workers");
  {
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < records_of_work; ++i)
      must(producer.send_sync({.topic = "t", .value = std::to_string(i)}));
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, own = Random(random.next())] { work(engine, ledger, own); });
  for (auto& thread : threads) thread.join();
  CHECK_FALSE(ledger.is_broken);
  for (const auto& accepted : ledger.accepted) CHECK(accepted == 1);
  CHECK(must(must(engine.share_groups()).describe("g")).offsets.at(0).lag == 0);
}

TEST_CASE("share: a member that waits is woken by a release, by an append, by a lock, and by a close") {
  TempDir directory;
  const Engine engine = open_engine(directory / "data");
  create_topic(engine, "t");
  must(must(engine.share_groups()).alter_config("g", {{"share.record.lock.duration.ms", "200ms"}}));
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  const auto member = [&] {
    auto made = must(engine.share_consumer({.group_id = "g", .commit_acks = Acks::leader}));
    must(made.subscribe({"t"}));
    return made;
  };
  auto holder = std::make_unique<ShareConsumer>(member());
  auto waiting = member();
  const auto expect = [&](const std::string& text) {
    return std::thread([&waiting, text] { CHECK(text_of(must(waiting.poll(1h))) == text); });
  };
  std::thread by_append = expect("0x1");
  must(producer.send_sync({.topic = "t", .value = "v"}));
  by_append.join();
  must(waiting.commit_sync());
  must(producer.send_sync({.topic = "t", .value = "v"}));
  CHECK(share_polled(*holder) == "1x1");
  std::thread by_lock = expect("1x2");
  by_lock.join();
  must(waiting.commit_sync());
  must(producer.send_sync({.topic = "t", .value = "v"}));
  CHECK(share_polled(*holder) == "2x1");
  std::thread by_release = expect("2x2");
  holder.reset();
  by_release.join();
  must(waiting.commit_sync());
  std::thread by_close([&] { CHECK(code_of(waiting.poll(1h)) == Errc::closed); });
  must(engine.close());
  by_close.join();
}

}  // namespace
}  // namespace seriatim::test
