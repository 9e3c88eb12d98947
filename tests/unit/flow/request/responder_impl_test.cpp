// Every request is answered, if only with an error, or passed over.
#include <seriatim/flow/request_reply.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "unit/flow/request/request_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::hours;

}  // namespace

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

}  // namespace seriatim::test
