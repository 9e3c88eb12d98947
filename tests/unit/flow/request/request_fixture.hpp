// Requests and replies on a real engine.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/flow/request_reply.hpp>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

inline Result<Reply> echo(const RecordView& request) {
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
      const std::size_t some = must(responder.run_once(std::chrono::milliseconds(0)));
      idle = some == 0 ? idle + 1 : 0;
      count += some;
    }
    return count;
  }

  TempDir dir;
  Engine engine = open_engine(dir / "data");
  mutable Errc unanswered{};
};

}  // namespace seriatim::test
