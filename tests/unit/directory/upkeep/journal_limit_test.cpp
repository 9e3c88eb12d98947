#include "directory/upkeep/journal_limit.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <new>
#include <thread>
#include <vector>

#include "directory/background.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::directory {
namespace {

using detail::EngineImpl;
using test::create_topic;
using test::must;

// A journal that is nothing but a length.
struct LimitFixture {
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<int> checkpoints{0};
  std::function<Result<>()> checkpoint = [this]() -> Result<> {
    bytes = 0;
    return {};
  };
  JournalLimit limit{{.limit_bytes = 100,
                      .bytes_in_use = [this] { return bytes.load(); },
                      .checkpoint =
                          [this] {
                            ++checkpoints;
                            return checkpoint();
                          }}};
  void set_bytes(std::uint64_t to) {
    bytes = to;
    limit.look();
  }
};

TEST_CASE("below the limit nobody waits; at it, whoever comes makes room first") {
  LimitFixture f;
  f.set_bytes(99);
  CHECK(f.limit.admit());
  CHECK(f.checkpoints == 0);
  f.set_bytes(100);
  CHECK(f.limit.admit());
  CHECK(f.checkpoints == 1);
  CHECK(f.limit.waits() == 1);
  CHECK(f.limit.admit());
  CHECK(f.checkpoints == 1);
}

TEST_CASE("a checkpoint that fails, or makes no room, is what a commit at the limit is told") {
  LimitFixture f;
  f.checkpoint = []() -> Result<> { return Error(Errc::storage_failed, "the disk is gone"); };
  f.set_bytes(100);
  const auto failed = f.limit.admit();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code() == Errc::storage_failed);
  CHECK(failed.error().outcome() == Outcome::not_written);
  CHECK(failed.error().message().find("the disk is gone") != std::string::npos);
  CHECK(failed.error().message().find("journal_max_bytes") != std::string::npos);
  f.checkpoint = []() -> Result<> { return {}; };
  CHECK(test::code_of(f.limit.admit()) == Errc::storage_full);
  f.checkpoint = [&]() -> Result<> {
    f.bytes = 10;
    return {};
  };
  CHECK(f.limit.admit());
}

TEST_CASE("a commit on its way that is only slow ends, and nobody at the limit is refused for it") {
  LimitFixture f;
  f.checkpoint = [&]() -> Result<> {
    if (f.checkpoints == 3) f.bytes = 10;
    return {};
  };
  f.set_bytes(100);
  CHECK(f.limit.admit());
  CHECK(f.checkpoints == 3);
}

TEST_CASE("one checkpoint at a time is made for all who wait, and none of them waits for ever") {
  LimitFixture f;
  std::atomic<int> running{0};
  std::atomic<bool> overlapped{false};
  f.checkpoint = [&]() -> Result<> {
    if (++running > 1) overlapped = true;
    // Until all others wait as well.
    test::comes_true([&] { return f.limit.waits() >= 8; });
    --running;
    return Error(Errc::storage_full, "full");
  };
  f.set_bytes(100);
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { refused += f.limit.admit() ? 0 : 1; });
  for (auto& thread : threads) thread.join();
  CHECK(refused == 8);
  CHECK_FALSE(overlapped);
  // The first is made for whoever came before it began, the second for all others.
  CHECK(f.checkpoints <= 2);
}

TEST_CASE("a checkpoint that throws is told to all who wait for it, and the next one goes on") {
  LimitFixture f;
  f.checkpoint = [&]() -> Result<> {
    test::comes_true([&] { return f.limit.waits() >= 4; });
    throw std::bad_alloc();
  };
  f.set_bytes(100);
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { refused += test::code_of(f.limit.admit()) == Errc::out_of_memory ? 1 : 0; });
  for (auto& thread : threads) thread.join();
  CHECK(refused == 4);
  f.checkpoint = [&]() -> Result<> {
    f.bytes = 0;
    return {};
  };
  CHECK(f.limit.admit());
}

TEST_CASE("room that somebody else has made ends the wait, also while the checkpoint goes on") {
  LimitFixture f;
  std::atomic<bool> may_end{false};
  f.checkpoint = [&]() -> Result<> {
    test::comes_true([&] { return may_end.load(); });
    return {};
  };
  f.set_bytes(100);
  std::thread making([&] { CHECK(f.limit.admit()); });
  CHECK(test::comes_true([&] { return f.checkpoints == 1; }));
  std::atomic<bool> is_through{false};
  std::thread waiting([&] { is_through = f.limit.admit().ok(); });
  CHECK(test::comes_true([&] { return f.limit.waits() == 2; }));
  f.set_bytes(10);
  const bool got_on = test::comes_true([&] { return is_through.load(); });
  may_end = true;
  making.join();
  waiting.join();
  CHECK(got_on);
}

TEST_CASE("who holds a claim does not wait for a checkpoint, which would wait for the claim") {
  LimitFixture f;
  f.set_bytes(100);
  {
    const JournalLimit::Claiming claim;
    CHECK(f.limit.admit());
    CHECK(f.checkpoints == 0);
  }
  CHECK(f.limit.admit());
  CHECK(f.checkpoints == 1);
}

// No thread of its own makes checkpoints.
struct SmallJournal {
  SmallJournal() { EngineImpl::of(opened.engine)->background->stop(); }
  test::OpenedEngine opened{
      2, {}, {.journal_max_bytes = std::uint64_t{256} << 10, .journal_file_bytes = 64U << 10}};
  Engine& engine = opened.engine;
};

TEST_CASE("a journal at its limit makes appends, positions and commits wait for a checkpoint") {
  SmallJournal small;
  Producer producer = must(small.engine.producer());
  const std::string value(10'000, 'x');
  std::uint64_t largest = 0;
  for (int i = 0; i < 200; ++i) {
    must(producer.send_sync({.topic = "t", .value = value}));
    largest = std::max(largest, small.engine.metrics().journal_bytes);
  }
  CHECK(largest <= (256U << 10) + (64U << 10));
  CHECK(small.engine.metrics().journal_limit_waits > 0);
  const auto before = small.engine.metrics().checkpoints;
  TransactionalProducer transactions = must(small.engine.transactional_producer({.transactional_id = "w"}));
  for (int i = 0; i < 100; ++i) {
    Transaction transaction = must(transactions.begin());
    must(transaction.send({.topic = "t", .value = value}));
    must(transaction.commit());
    largest = std::max(largest, small.engine.metrics().journal_bytes);
  }
  CHECK(largest <= (256U << 10) + (64U << 10));
  CHECK(small.engine.metrics().checkpoints > before);
}

TEST_CASE("a thread with a claim goes on at the limit, and so does everybody once it is committed") {
  SmallJournal small;
  Producer producer = must(small.engine.producer());
  const std::string value(10'000, 'x');
  Claim claim = must(producer.try_claim({"t", 0}, 3, {}));
  std::memcpy(claim.value().data(), "abc", 3);
  for (int i = 0; i < 60; ++i) must(producer.send_sync({.topic = "t", .value = value, .partition = 1}));
  CHECK(small.engine.metrics().journal_bytes > (256U << 10));
  must(claim.commit());
  must(producer.send_sync({.topic = "t", .value = value, .partition = 1}));
  CHECK(small.engine.metrics().journal_bytes < (256U << 10));
}

}  // namespace
}  // namespace seriatim::directory
