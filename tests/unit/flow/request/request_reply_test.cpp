// Requests and replies: each request gets its own reply, an error, or its time-out.
#include <seriatim/flow/request_reply.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

Result<Reply> echo(const RecordView& request) {
  return Reply{.value = "re: " + std::string(request.value().text())};
}

struct RequestFixture {
  RequestFixture() {
    create_topic(engine, "requests", 2);
    create_topic(engine, "replies", 2);
  }
  Requester requester(RequesterOptions options = {}) const {
    if (options.reply_topic.empty()) options.reply_topic = "replies";
    return must(Requester::open(engine, std::move(options)));
  }
  Responder responder(ResponderHandler handler = echo, Delivery delivery = Delivery::at_least_once) const {
    return must(Responder::open(
        engine,
        {.processor = {.group_id = "responders", .topics = {"requests"}, .delivery = delivery},
         .on_unanswered = [this](const RecordView&, const Error& error) { unanswered = error.code(); }},
        std::move(handler)));
  }
  /// Answers until all requests that are there have been handled.
  static std::size_t answer_all(Responder& responder) {
    std::size_t count = 0;
    // The first polls may bring no more than the partitions.
    for (int idle = 0; idle < 3;) {
      const std::size_t some = must(responder.run_once(milliseconds(0)));
      idle = some == 0 ? idle + 1 : 0;
      count += some;
    }
    return count;
  }

  TempDir dir;
  Engine engine = open_engine(dir / "data");
  mutable Errc unanswered{};
};

}  // namespace

TEST_CASE("a request gets its reply, with all that it has") {
  const RequestFixture f;
  Requester requester = f.requester();
  Responder responder = f.responder([](const RecordView& request) -> Result<Reply> {
    CHECK(request.header(reply_topic_header)->text() == "replies");
    CHECK(request.header(correlation_id_header)->size() == 16);
    CHECK_FALSE(request.header(reply_partition_header));
    CHECK(request.header("mine")->text() == "h");
    return Reply{.value = "v", .key = "k", .headers = {{"h", "x"}, {"n", std::nullopt}}};
  });
  const HeaderView header{"mine", "h"};
  ReplyFuture future = must(requester.request_async(
      {.topic = "requests", .key = "q", .value = "?", .headers = {&header, 1}}, hours(1)));
  CHECK_FALSE(future.ready());
  CHECK(RequestFixture::answer_all(responder) == 1);
  const OwnedRecord reply = must(future.get());
  CHECK(future.ready());
  CHECK(reply.value == "v");
  CHECK(reply.key == "k");
  REQUIRE(reply.headers.size() == 3);
  CHECK(reply.headers[0].first == correlation_id_header);
  CHECK(reply.headers[1].second == "x");
  CHECK_FALSE(reply.headers[2].second);
  CHECK(must(future.get()).value == "v");
  CHECK(requester.counts().requests == 1);
  CHECK(requester.counts().replies == 1);
  CHECK(requester.counts().in_flight == 0);
  CHECK(responder.counts().answered == 1);
  CHECK(responder.counts().errors == 0);
}

TEST_CASE("a blocking request reads its reply itself") {
  const RequestFixture f;
  Requester requester = f.requester();
  for (const Delivery delivery : {Delivery::at_least_once, Delivery::exactly_once, Delivery::at_most_once}) {
    Responder responder = f.responder(echo, delivery);
    must(responder.start());
    for (int i = 0; i < 5; ++i) {
      const std::string value = std::to_string(i);
      CHECK(must(requester.request({.topic = "requests", .value = value}, hours(1))).value == "re: " + value);
    }
    responder.stop();
    must(responder.wait());
  }
}

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

TEST_CASE("an error of the handler, or its exception, becomes that of the request") {
  const RequestFixture f;
  Requester requester = f.requester();
  Responder responder = f.responder([](const RecordView& request) -> Result<Reply> {
    if (request.value().text() == "throw") throw std::runtime_error("thrown");
    return Error(Errc::closed, "the shop is closed");
  });
  ReplyFuture error = must(requester.request_async({.topic = "requests", .value = "?"}, hours(1)));
  ReplyFuture thrown = must(requester.request_async({.topic = "requests", .value = "throw"}, hours(1)));
  RequestFixture::answer_all(responder);
  CHECK(code_of(error.get()) == Errc::closed);
  CHECK(message_of(error.get()) == "the responder answered: the shop is closed");
  CHECK(code_of(thrown.get()) == Errc::io_error);
  CHECK(responder.counts().answered == 2);
  CHECK(responder.counts().errors == 2);
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

TEST_CASE("a request that nobody can be answered for is passed over, and told of") {
  const RequestFixture f;
  std::atomic<int> handled{0};
  Responder responder = f.responder([&](const RecordView& request) {
    ++handled;
    return echo(request);
  });
  const Producer producer = must(f.engine.producer());
  const auto unanswered = [&](std::vector<HeaderView> headers) {
    f.unanswered = Errc{};
    must(must(f.engine.producer()).send_sync({.topic = "requests", .value = "?", .headers = headers}));
    RequestFixture::answer_all(responder);
    return f.unanswered;
  };
  CHECK(unanswered({}) == Errc::invalid_record);
  CHECK(unanswered({{reply_topic_header, ""}}) == Errc::invalid_record);
  CHECK(unanswered({{reply_topic_header, "replies"}, {reply_partition_header, "0"}}) == Errc::invalid_record);
  CHECK(handled == 0);
  CHECK(unanswered({{reply_topic_header, "no"}}) == Errc::unknown_topic_or_partition);
  CHECK(unanswered({{reply_topic_header, "replies"}, {reply_partition_header, BytesView("\0\0\0\7", 4)}}) ==
        Errc::unknown_topic_or_partition);
  CHECK(handled == 2);
  CHECK(responder.counts().unanswered == 5);
  CHECK(responder.counts().answered == 0);
  // It goes on, and a request without a correlation id is answered without one.
  CHECK(unanswered({{reply_topic_header, "replies"}}) == Errc{});
  CHECK(responder.counts().answered == 1);
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

TEST_CASE("a reply that its topic does not take becomes an error of the request") {
  const RequestFixture f;
  must(f.engine.admin().create_topic({.name = "small", .config = {{"max.message.bytes", "500"}}}));
  Requester requester = f.requester({.reply_topic = "small"});
  for (const Delivery delivery : {Delivery::at_least_once, Delivery::exactly_once}) {
    Responder responder = f.responder(
        [](const RecordView&) -> Result<Reply> { return Reply{.value = std::string(1'000, 'x')}; }, delivery);
    ReplyFuture future = must(requester.request_async({.topic = "requests", .value = "?"}, hours(1)));
    RequestFixture::answer_all(responder);
    CHECK(code_of(future.get()) == Errc::record_too_large);
    CHECK(responder.counts().errors == 1);
  }
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

TEST_CASE("handles of requests and replies that were moved from answer closed") {
  const RequestFixture f;
  Requester requester = f.requester();
  Responder responder = f.responder();
  ReplyFuture future = must(requester.request_async({.topic = "requests", .value = "?"}, hours(1)));
  { const ReplyFuture taken = std::move(future); }
  { const Requester taken = std::move(requester); }
  { const Responder taken = std::move(responder); }
  CHECK(future.ready());
  CHECK(code_of(future.get()) == Errc::closed);
  CHECK(code_of(requester.request({.topic = "requests"}, hours(1))) == Errc::closed);
  CHECK(requester.counts().requests == 0);
  CHECK(code_of(responder.start()) == Errc::closed);
  CHECK(code_of(responder.run()) == Errc::closed);
  CHECK(code_of(responder.run_once(milliseconds(0))) == Errc::closed);
  CHECK(code_of(responder.wait()) == Errc::closed);
  responder.stop();
  CHECK(responder.counts().answered == 0);
  CHECK(code_of(Responder::open(f.engine, {.processor = {.group_id = "g", .topics = {"requests"}}}, {})) ==
        Errc::invalid_argument);
}

}  // namespace seriatim::test
