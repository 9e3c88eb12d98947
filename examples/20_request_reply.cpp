// A question and its answer through topics: the asking part waits, the answering part is a group of workers,
// and neither knows the other.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "example.hpp"

namespace {

using seriatim::Errc;
using seriatim::Error;
using seriatim::RecordView;
using seriatim::Reply;
using seriatim::Result;

/// The price of a fruit, or an error, which the asking part gets.
Result<Reply> price(const RecordView& question) {
  const auto fruit = question.value().text();
  if (fruit == "apple") return Reply{.value = "3"};
  if (fruit == "pear") return Reply{.value = "4"};
  return Error(Errc::not_found, "no price for " + std::string(fruit));
}

void ask(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "questions", .partition_count = 4}).value();
  engine.admin().create_topic({.name = "answers"}).value();
  auto responder = seriatim::Responder::open(engine,
                                             {.processor = {.group_id = "prices",
                                                            .topics = {"questions"},
                                                            .workers = 2,
                                                            .acks = seriatim::Acks::leader}},
                                             price)
                       .value();
  responder.start().value();

  auto requester = seriatim::Requester::open(engine, {.reply_topic = "answers"}).value();
  const auto timeout = std::chrono::seconds(30);
  const auto apple = requester.request({.topic = "questions", .value = "apple"}, timeout).value();
  check(apple.value == "3", "the price of an apple");
  const auto stone = requester.request({.topic = "questions", .value = "stone"}, timeout);
  check(!stone && stone.error().code() == Errc::not_found, "the error of the handler");
  // Several at once: of the threads that wait one reads for all.
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (const char* const fruit : {"apple", "pear", "apple", "pear"})
    threads.emplace_back([&requester, &sum, fruit, timeout] {
      sum += std::stoi(*requester.request({.topic = "questions", .value = fruit}, timeout).value().value);
    });
  for (std::thread& thread : threads) thread.join();
  check(sum == 14, "four prices");
  std::printf("%llu answers\n", static_cast<unsigned long long>(requester.counts().replies));
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, ask); }
