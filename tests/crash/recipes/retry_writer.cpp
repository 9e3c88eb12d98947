// The process that retry_kill_test.py kills: it sends records, of which some fail, and consumes them with
// retries, in the order of their keys.
//
//   retry_writer DIR create            makes the topics
//   retry_writer DIR run REPORT SEED   works until it is killed. Appends to REPORT each record that was sent
//   retry_writer DIR finish            handles what is left; prints "in KEY NUMBER", "out KEY NUMBER ATTEMPT"
//                                      and "dead KEY NUMBER ATTEMPTS" of each record of the topics, in order
//
// Record NUMBER fails NUMBER mod 4 times; the third failure is its death.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "support/random.hpp"

namespace {

using namespace seriatim;
using namespace std::chrono_literals;

constexpr std::uint32_t attempts_max = 3;
constexpr std::uint64_t kinds = 4;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "retry_writer: %s\n", what.c_str());
  std::_Exit(1);
}

template <class T>
T wanted(Result<T> result) {
  if (!result) die(result.error().message());
  return *std::move(result);
}

Engine open(const std::string& directory) {
  // Small journal files, so that kills meet their change.
  return wanted(Engine::open(
      directory,
      {.journal_max_bytes = 1 << 20, .journal_file_bytes = 64 << 10, .journal_bypass_bytes = 2048}));
}

Result<> handle(const RecordView& record, const RetryAttempt& attempt, RetryOutput& output) {
  const std::string number(record.value().text());
  const auto failures = std::stoull(number) % kinds;
  const std::string done = number + " " + std::to_string(attempt.number);
  if (auto sent = output.send({.topic = "out", .key = record.key(), .value = done}); !sent) return sent;
  if (attempt.number <= failures)
    return Error(Errc::io_error, "fails " + std::to_string(failures) + " times");
  return {};
}

RetryConsumer open_consumer(const Engine& engine) {
  RetryConsumerOptions options{.group_id = "g", .topics = {"in"}};
  options.policy = RetryPolicy{.max_attempts = attempts_max, .delay = 1ms, .delay_max = 3ms, .jitter = 1};
  options.keeps_order_per_key = true;
  options.acks = Acks::leader;
  return wanted(RetryConsumer::open(engine, std::move(options), handle));
}

[[noreturn]] void run(const std::string& directory, const std::string& report, std::uint64_t seed) {
  const int file = ::open(report.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) die("cannot open the report");
  const Engine engine = open(directory);
  RetryConsumer consumer = open_consumer(engine);
  Producer producer = wanted(engine.producer({.acks = Acks::leader}));
  seriatim::test::Random random(seed);
  std::fputs("ready\n", stdout);
  std::fflush(stdout);
  for (std::uint64_t number = seed * 1'000'000;; ++number) {
    const std::string key(1, static_cast<char>('a' + random.between(0, 9)));
    const std::string value = std::to_string(number);
    // A key is that of one partition, so that its order is that of the topic.
    wanted(producer.send_sync({.topic = "in", .key = key, .value = value, .partition = key[0] % 2}));
    // One write call: a line is there whole or, if the kill came into it, without its end.
    const std::string line = value + "\n";
    if (::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      die("cannot write the report");
    wanted(consumer.run_once(0ms));
  }
}

std::vector<std::string> lines_of(const Engine& engine, const std::string& topic) {
  Consumer consumer = wanted(engine.consumer());
  std::vector<TopicPartition> all;
  const auto partitions = wanted(engine.admin().describe_topic(topic)).partitions.size();
  for (std::size_t i = 0; i < partitions; ++i) all.push_back({topic, static_cast<PartitionId>(i)});
  if (!consumer.assign(all)) die("cannot read " + topic);
  std::vector<std::string> lines;
  for (;;) {
    const auto records = wanted(consumer.poll(0ms));
    if (records.empty()) return lines;
    for (const RecordView& record : records) {
      std::string line = std::string(record.key().text()) + " " + std::string(record.value().text());
      if (const auto count = record.header("__dlq.errors.delivery.count"))
        line += " " + std::string(count->text());
      lines.push_back(std::move(line));
    }
  }
}

void finish(const std::string& directory) {
  const Engine engine = open(directory);
  {
    RetryConsumer consumer = open_consumer(engine);
    for (int quiet = 0; quiet < 5; ++quiet) {
      const auto moved = wanted(consumer.run_once(1ms)) + wanted(consumer.deliver_retries());
      if (moved + wanted(count_delayed_messages(engine, "retry:g")) > 0) quiet = -1;
    }
  }
  if (!wanted(engine.admin().list_states()).empty()) die("rows are left behind");
  const std::pair<const char*, const char*> topics[] = {{"in", "in"}, {"out", "out"}, {"dead", "in.DLQ"}};
  for (const auto& [word, topic] : topics) {
    for (const std::string& line : lines_of(engine, topic))
      std::puts((std::string(word) + " " + line).c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = argc > 1 ? argv[1] : "";
  const std::string mode = argc > 2 ? argv[2] : "";
  if (mode == "create" && argc == 3) {
    const Engine engine = open(directory);
    wanted(engine.admin().create_topic(
        {.name = "in", .partition_count = 2, .config = {{"segment.bytes", "65536"}}}));
    wanted(engine.admin().create_topic({.name = "out"}));
  } else if (mode == "run" && argc == 5) {
    run(directory, argv[3], std::stoull(argv[4]));
  } else if (mode == "finish" && argc == 3) {
    finish(directory);
  } else {
    die("usage: retry_writer DIR create|run REPORT SEED|finish");
  }
  return 0;
}
