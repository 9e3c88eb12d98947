// Calls of deduplicators and requesters with an allocation that fails, each in turn: nothing is thrown, the
// error is out_of_memory, and each message has its effect once in the end.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/flow/deduplicator.hpp>
#include <seriatim/flow/request_reply.hpp>

#include "faults/failing_new.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

// Makes the call with the next allocation failing, until it needs none that fails.
// @return how often it said yes.
template <class Call>
int sweep_allocations(Call&& call) {
  int successes = 0;
  bool is_met = true;
  for (std::int64_t n = 0; is_met; ++n) {
    CAPTURE(n);
    const Result<> answered = [&]() noexcept -> Result<> {
      const NewFails fails(n);
      return call(n);
    }();
    is_met = NewFails::is_met();
    if (answered) {
      ++successes;
      continue;
    }
    CAPTURE(answered.error().message());
    if (is_met) CHECK(answered.error().code() == Errc::out_of_memory);
    REQUIRE(n < 100'000);
  }
  return successes;
}

template <class T>
Result<> without_value(const Result<T>& result) {
  return result ? Result<>() : Result<>(result.error());
}

Result<> handle_once(Deduplicator& dedupe, const std::string& id) {
  auto work = dedupe.begin();
  if (!work) return work.error();
  auto seen = work->check(id);
  if (!seen) return seen.error();
  if (seen->is_first) {
    if (auto sent = work->transaction().send({.topic = "t", .value = id}); !sent) return sent.error();
    if (auto recorded = work->record(id, "result"); !recorded) return recorded;
  }
  return work->commit();
}

}  // namespace

TEST_CASE("memory runs out while messages are handled once: each has its effect once in the end") {
  const OpenedEngine opened;
  const DeduplicatorOptions options{
      .name = "d", .transactions = {.acks = Acks::leader}, .sweeps_in_background = false};
  sweep_allocations([&](std::int64_t) { return without_value(Deduplicator::open(opened.engine, options)); });
  Deduplicator dedupe = must(Deduplicator::open(opened.engine, options));
  std::vector<std::string> ids;
  for (int i = 0; i < 2'000; ++i) ids.push_back("message " + std::to_string(i));
  std::size_t tried = 0;
  sweep_allocations([&](std::int64_t n) {
    tried = static_cast<std::size_t>(n) + 1;
    return handle_once(dedupe, ids.at(static_cast<std::size_t>(n)));
  });
  CHECK(tried > 10);
  for (std::size_t i = 0; i < tried; ++i) must(handle_once(dedupe, ids[i]));
  CHECK(committed_values(opened.engine, "t").size() == tried);
  sweep_allocations([&](std::int64_t) { return without_value(dedupe.sweep()); });
  sweep_allocations([&](std::int64_t) { return without_value(dedupe.forget(ids[0])); });
  must(handle_once(dedupe, ids[0]));
  CHECK(committed_values(opened.engine, "t").size() == tried + 1);
}

TEST_CASE("memory runs out while requests wait for replies: the others get theirs") {
  const OpenedEngine opened;
  create_topic(opened.engine, "replies");
  sweep_allocations([&](std::int64_t) {
    return without_value(Requester::open(opened.engine, {.reply_topic = "replies"}));
  });
  Requester requester = must(Requester::open(opened.engine, {.reply_topic = "replies"}));
  Responder responder = must(Responder::open(opened.engine, {.processor = {.group_id = "g", .topics = {"t"}}},
                                             [](const RecordView& request) -> Result<Reply> {
                                               return Reply{.value = std::string(request.value().text())};
                                             }));
  std::optional<ReplyFuture> future;
  sweep_allocations([&](std::int64_t) -> Result<> {
    auto sent = requester.request_async({.topic = "t", .value = "v"}, std::chrono::hours(1));
    if (!sent) return sent.error();
    future = *std::move(sent);
    return {};
  });
  CHECK(requester.counts().in_flight == 1);
  for (int i = 0; i < 3; ++i) must(responder.run_once(std::chrono::milliseconds(0)));
  sweep_allocations([&](std::int64_t) { return without_value(future->get()); });
  CHECK(requester.counts().in_flight == 0);
  ReplyFuture last = must(requester.request_async({.topic = "t", .value = "w"}, std::chrono::hours(1)));
  must(responder.run_once(std::chrono::milliseconds(0)));
  CHECK(must(last.get()).value == "w");
}

}  // namespace seriatim::test
