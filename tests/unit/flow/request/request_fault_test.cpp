// A full disk in the middle of requests and replies: refused requests say so, the others get their replies.
#include <seriatim/flow/request_reply.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "directory/background.hpp"
#include "support/fault_vfs.hpp"
#include "unit/flow/request/request_fixture.hpp"

namespace seriatim::test {

TEST_CASE("on a full disk requests are refused or wait, and all that were sent get their own reply") {
  for (const Delivery delivery : {Delivery::at_least_once, Delivery::exactly_once}) {
    FaultVfs vfs;
    const TempDir dir;
    const Engine engine = open_engine_with(dir / "data", vfs, base::system_clock());
    // Of nothing but requests and replies the fault is met.
    detail::EngineImpl::of(engine)->background->stop();
    for (const char* const topic : {"requests", "replies"})
      create_topic(engine, topic, 1, {{"segment.bytes", "16384"}});
    Requester requester = must(Requester::open(engine, {.reply_topic = "replies"}));
    Responder responder = must(Responder::open(engine,
                                               {.processor = {.group_id = "g",
                                                              .topics = {"requests"},
                                                              .delivery = delivery,
                                                              .acks = Acks::leader,
                                                              .retry_backoff = std::chrono::milliseconds(1)}},
                                               echo));
    must(responder.start());
    vfs.arm({.calls = Calls::takes, .error = ENOSPC, .after = 2, .for_ever = true});
    std::vector<std::pair<std::string, ReplyFuture>> sent;
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
      const std::string value = std::to_string(i) + std::string(1'000, 'x');
      auto request = requester.request_async({.topic = "requests", .value = value}, std::chrono::hours(1));
      if (request) {
        sent.emplace_back(value, *std::move(request));
      } else {
        CHECK(request.error().code() == Errc::storage_full);
        ++refused;
      }
    }
    CHECK(refused > 0);
    vfs.heal();
    for (auto& [value, reply] : sent) CHECK(must(reply.get()).value == "re: " + value);
    CHECK(must(requester.request({.topic = "requests", .value = "again"}, std::chrono::hours(1))).value ==
          "re: again");
    responder.stop();
    must(responder.wait());
    CHECK(requester.counts().replies == sent.size() + 1);
  }
}

}  // namespace seriatim::test
