// A request and its reply, with all that they have.
#include <seriatim/flow/request_reply.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "unit/flow/request/request_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

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
