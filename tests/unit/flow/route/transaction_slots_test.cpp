#include "flow/route/transaction_slots.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

std::vector<std::string> ids_of(const Engine& engine) {
  std::vector<std::string> ids;
  for (const auto& one : must(engine.admin().list_transactions())) ids.push_back(one.transactional_id);
  return ids;
}

Result<> send_to_t(Transaction& transaction) {
  auto sent = transaction.send({.topic = "t", .value = "v"});
  if (!sent) return sent.error();
  return {};
}

}  // namespace

TEST_CASE("an id is opened when it is needed, and one after the other needs one") {
  const OpenedEngine opened;
  flow::TransactionSlots slots(opened.engine, {"a", "b", "c"}, Acks::all);
  CHECK(ids_of(opened.engine).empty());
  for (int i = 0; i < 3; ++i) must(slots.run(send_to_t));
  CHECK(ids_of(opened.engine) == std::vector<std::string>{"a"});
  CHECK(committed_values(opened.engine, "t").size() == 3);
}

TEST_CASE("an error of the change aborts, and is the error of the run") {
  const OpenedEngine opened;
  flow::TransactionSlots slots(opened.engine, {"a"}, Acks::all);
  const auto failed = slots.run([](Transaction& transaction) -> Result<> {
    must(send_to_t(transaction));
    return Error(Errc::invalid_record, "no");
  });
  CHECK(code_of(failed) == Errc::invalid_record);
  must(slots.run(send_to_t));
  CHECK(committed_values(opened.engine, "t").size() == 1);
}

TEST_CASE("an id that somebody fenced is opened again") {
  const OpenedEngine opened;
  flow::TransactionSlots slots(opened.engine, {"a"}, Acks::all);
  must(slots.run(send_to_t));
  must(opened.engine.admin().fence_producer("a"));
  must(slots.run(send_to_t));
  CHECK(committed_values(opened.engine, "t").size() == 2);
}

TEST_CASE("as many run at once as there are ids, and the others wait for their turn") {
  const OpenedEngine opened;
  flow::TransactionSlots slots(opened.engine, {"a", "b"}, Acks::leader);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<bool> is_met{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      const auto done = slots.run([&](Transaction& transaction) -> Result<> {
        const int with_me = ++inside;
        for (int seen = most; seen < with_me && !most.compare_exchange_weak(seen, with_me);) {
        }
        // The first two meet; that they are two at a time is no matter of luck.
        if (with_me == 2) is_met = true;
        comes_true([&] { return is_met.load(); });
        auto sent = send_to_t(transaction);
        --inside;
        return sent;
      });
      if (!done) inside = 1000;
    });
  }
  threads.clear();
  CHECK(most == 2);
  CHECK(inside == 0);
  CHECK(committed_values(opened.engine, "t").size() == 6);
}

TEST_CASE("an exception of the change gives the id back") {
  const OpenedEngine opened;
  flow::TransactionSlots slots(opened.engine, {"a"}, Acks::all);
  CHECK_THROWS_AS((void)slots.run([](Transaction&) -> Result<> { throw std::runtime_error("x"); }),
                  std::runtime_error);
  must(slots.run(send_to_t));
  CHECK(committed_values(opened.engine, "t").size() == 1);
}

}  // namespace seriatim::test
