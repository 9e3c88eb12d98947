// The process that request_kill_test.py kills: it sends requests and answers them, exactly once.
//
//   request_writer DIR create              makes the topics
//   request_writer DIR run REPORT FIRST    sends requests from the number FIRST on until it is killed; notes
//                                          each that was sent
//   request_writer DIR finish              answers what is left, and prints the replies
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

namespace {

using namespace seriatim;

constexpr std::size_t requests_at_a_time = 8;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "request_writer: %s\n", what.c_str());
  std::_Exit(1);
}

Engine open_engine(const std::string& directory) {
  // Small journal files and early checkpoints, so that kills meet both.
  return Engine::open(directory, {.checkpoint_interval = std::chrono::milliseconds(10),
                                  .journal_max_bytes = 1U << 20U,
                                  .journal_file_bytes = 64U << 10U})
      .value();
}

Responder open_responder(const Engine& engine) {
  return Responder::open(engine,
                         {.processor = {.group_id = "g",
                                        .topics = {"requests"},
                                        .delivery = Delivery::exactly_once,
                                        .acks = Acks::leader}},
                         [](const RecordView& request) -> Result<Reply> {
                           return Reply{.value = std::string(request.value().text())};
                         })
      .value();
}

int run(const std::string& directory, const char* path, long first) {
  const Engine engine = open_engine(directory);
  Responder responder = open_responder(engine);
  responder.start().value();
  Requester requester = Requester::open(engine, {.reply_topic = "replies"}).value();
  const int report = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (report < 0) die("cannot open the report");
  std::puts("ready");
  std::fflush(stdout);
  std::deque<std::pair<std::string, ReplyFuture>> waiting;
  for (long number = first;; ++number) {
    const std::string value = std::to_string(number);
    auto sent = requester.request_async({.topic = "requests", .value = value}, std::chrono::minutes(5));
    if (!sent) die(sent.error().message());
    const std::string line = value + "\n";
    if (::write(report, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      die("cannot write the report");
    waiting.emplace_back(value, *std::move(sent));
    if (waiting.size() < requests_at_a_time) continue;
    const auto reply = waiting.front().second.get();
    if (!reply) die(reply.error().message());
    if (reply->value != waiting.front().first) die("request " + value + " has another's reply");
    waiting.pop_front();
  }
}

int finish(const std::string& directory) {
  const Engine engine = open_engine(directory);
  {
    Responder responder = open_responder(engine);
    // The first polls may bring no more than the partitions.
    for (int idle = 0; idle < 5;)
      idle = responder.run_once(std::chrono::milliseconds(0)).value() == 0 ? idle + 1 : 0;
  }
  Consumer consumer = engine.consumer().value();
  consumer.assign_topic("replies").value();
  for (;;) {
    const auto records = consumer.poll(std::chrono::milliseconds(0)).value();
    if (records.empty()) break;
    for (const RecordView& record : records) std::printf("%s\n", std::string(record.value().text()).c_str());
  }
  engine.close().value();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 2 && arguments[1] == "create") {
    const Engine engine = open_engine(arguments[0]);
    engine.admin().create_topic({.name = "requests", .partition_count = 2}).value();
    engine.admin().create_topic({.name = "replies", .config = {{"segment.bytes", "65536"}}}).value();
    return 0;
  }
  if (arguments.size() == 4 && arguments[1] == "run")
    return run(arguments[0], arguments[2].c_str(), std::atol(arguments[3].c_str()));
  if (arguments.size() == 2 && arguments[1] == "finish") return finish(arguments[0]);
  die("usage: request_writer DIR create | run REPORT FIRST | finish");
}
