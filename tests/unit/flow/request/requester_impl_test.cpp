// Each request gets its own reply, or its time-out.
#include <seriatim/flow/request_reply.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unit/flow/request/request_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

}  // namespace

TEST_CASE("requests of many threads each get their own reply") {
  const RequestFixture f;
  Requester requester = f.requester();
  Responder responder = f.responder();
  must(responder.start());
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string value = std::to_string(t) + "-" + std::to_string(i);
        right +=
            must(requester.request({.topic = "requests", .value = value}, hours(1))).value == "re: " + value;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 200);
  CHECK(requester.counts().replies == 200);
  CHECK(requester.counts().foreign == 0);
}

TEST_CASE("replies that come in another order find their requests") {
  const RequestFixture f;
  Requester requester = f.requester();
  Responder responder = f.responder();
  std::vector<ReplyFuture> futures;
  for (int i = 0; i < 10; ++i) {
    const std::string value = std::to_string(i);
    futures.push_back(must(requester.request_async(
        {.topic = "requests", .value = value, .partition = static_cast<PartitionId>(i % 2)}, hours(1))));
  }
  CHECK(requester.counts().in_flight == 10);
  CHECK(RequestFixture::answer_all(responder) == 10);
  for (int i = 9; i >= 0; --i)
    CHECK(must(futures[static_cast<std::size_t>(i)].get()).value == "re: " + std::to_string(i));
}

TEST_CASE("a request whose time is over says so, and its reply is late") {
  const RequestFixture f;
  Requester requester = f.requester();
  Responder responder = f.responder();
  CHECK(code_of(requester.request({.topic = "requests", .value = "late"}, milliseconds(0))) ==
        Errc::timed_out);
  CHECK(requester.counts().timeouts == 1);
  CHECK(requester.counts().in_flight == 0);
  {
    const ReplyFuture given_up =
        must(requester.request_async({.topic = "requests", .value = "up"}, hours(1)));
  }
  CHECK(requester.counts().in_flight == 0);
  ReplyFuture waiting = must(requester.request_async({.topic = "requests", .value = "on time"}, hours(1)));
  CHECK(RequestFixture::answer_all(responder) == 3);
  CHECK(must(waiting.get()).value == "re: on time");
  CHECK(code_of(requester.request({.topic = "requests", .value = "more"}, milliseconds(0))) ==
        Errc::timed_out);
  CHECK(requester.counts().late == 2);
}

TEST_CASE("a reply that is there is had without any time") {
  const RequestFixture f;
  Requester requester = f.requester();
  Responder responder = f.responder();
  ReplyFuture future = must(requester.request_async({.topic = "requests", .value = "?"}, milliseconds(0)));
  RequestFixture::answer_all(responder);
  CHECK(must(future.get()).value == "re: ?");
}

TEST_CASE("replies to an earlier run, or to others, are left alone") {
  const RequestFixture f;
  Responder responder = f.responder();
  {
    Requester earlier = f.requester();
    CHECK(code_of(earlier.request({.topic = "requests", .value = "1"}, milliseconds(0))) == Errc::timed_out);
  }
  RequestFixture::answer_all(responder);
  Requester requester = f.requester();
  Requester other = f.requester();
  ReplyFuture theirs = must(other.request_async({.topic = "requests", .value = "2"}, hours(1)));
  ReplyFuture ours = must(requester.request_async({.topic = "requests", .value = "3"}, hours(1)));
  must(must(f.engine.producer()).send_sync({.topic = "replies", .value = "no reply"}));
  RequestFixture::answer_all(responder);
  CHECK(must(theirs.get()).value == "re: 2");
  CHECK(must(ours.get()).value == "re: 3");
  CHECK(code_of(requester.request({.topic = "requests", .value = "4"}, milliseconds(0))) == Errc::timed_out);
  CHECK(requester.counts().foreign == 2);
  CHECK(requester.counts().late == 0);
}

TEST_CASE("replies go to the partition that the requester asks for, and only that is read") {
  const RequestFixture f;
  Requester requester = f.requester({.reply_partition = 1});
  Responder responder = f.responder();
  ReplyFuture future = must(requester.request_async({.topic = "requests", .value = "?"}, hours(1)));
  must(must(f.engine.producer()).send_sync({.topic = "replies", .value = "other", .partition = 0}));
  RequestFixture::answer_all(responder);
  CHECK(must(future.get()).topic_partition == TopicPartition{"replies", 1});
  CHECK(requester.counts().foreign == 0);
}

TEST_CASE("a requester needs a reply topic that is there") {
  const RequestFixture f;
  const auto no_topic = Requester::open(f.engine, {.reply_topic = "no"});
  CHECK(code_of(no_topic) == Errc::unknown_topic_or_partition);
  CHECK(message_of(no_topic).starts_with("the reply topic of a requester"));
  CHECK(code_of(Requester::open(f.engine, {.reply_topic = "replies", .reply_partition = 2})) ==
        Errc::unknown_topic_or_partition);
  CHECK(code_of(Requester::open(f.engine, {.reply_topic = "replies", .in_flight_max = 0})) ==
        Errc::invalid_argument);
  CHECK(code_of(Requester::open(f.engine, {.reply_topic = "replies", .in_flight_max = 1'000'001})) ==
        Errc::invalid_argument);
}

TEST_CASE("what cannot be requested is refused, and does not wait") {
  const RequestFixture f;
  Requester requester = f.requester({.in_flight_max = 1});
  CHECK(code_of(requester.request({.topic = "no", .value = "?"}, hours(1))) ==
        Errc::unknown_topic_or_partition);
  CHECK(code_of(requester.request({.topic = "requests", .value = "?"}, milliseconds(-1))) ==
        Errc::invalid_argument);
  for (const std::string_view name :
       {correlation_id_header, reply_topic_header, reply_partition_header, reply_error_header}) {
    const HeaderView header{name, "x"};
    CHECK(code_of(requester.request({.topic = "requests", .headers = {&header, 1}}, hours(1))) ==
          Errc::invalid_argument);
  }
  CHECK(requester.counts().in_flight == 0);
  CHECK(requester.counts().requests == 0);
  const ReplyFuture waiting = must(requester.request_async({.topic = "requests"}, milliseconds::max()));
  CHECK(code_of(requester.request_async({.topic = "requests"}, hours(1))) == Errc::queue_full);
}

TEST_CASE("a reply topic that is deleted while requests wait is an error of the requests") {
  const RequestFixture f;
  Requester requester = f.requester();
  Responder responder = f.responder();
  ReplyFuture future = must(requester.request_async({.topic = "requests", .value = "?"}, hours(1)));
  must(f.engine.admin().delete_topic("replies"));
  RequestFixture::answer_all(responder);
  CHECK(f.unanswered == Errc::unknown_topic_or_partition);
  CHECK(code_of(future.get()) == Errc::unknown_topic_or_partition);
}

TEST_CASE("a wait for a reply ends with the engine") {
  const RequestFixture f;
  std::optional<Requester> requester = f.requester();
  ReplyFuture first = must(requester->request_async({.topic = "requests", .value = "?"}, hours(1)));
  ReplyFuture second = must(requester->request_async({.topic = "requests", .value = "?"}, hours(1)));
  requester.reset();
  std::atomic<int> waiting{0};
  const auto wait = [&](ReplyFuture& future) {
    ++waiting;
    CHECK(code_of(future.get()) == Errc::closed);
  };
  std::thread one([&] { wait(first); });
  std::thread two([&] { wait(second); });
  CHECK(comes_true([&] { return waiting == 2; }));
  must(f.engine.close());
  one.join();
  two.join();
}

}  // namespace seriatim::test
