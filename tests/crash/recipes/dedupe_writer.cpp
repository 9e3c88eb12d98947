// The process that dedupe_kill_test.py kills: it sends all its messages again from the first one on, whenever
// it begins, from two threads.
//
//   dedupe_writer DIR create              makes the topic
//   dedupe_writer DIR run REPORT          handles messages until it is killed; notes each that is committed
//   dedupe_writer DIR finish LAST         handles all up to LAST, and prints the values of the topic
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <seriatim/seriatim.hpp>

namespace {

using namespace seriatim;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "dedupe_writer: %s\n", what.c_str());
  std::_Exit(1);
}

Engine open_engine(const std::string& directory) {
  // Small journal files and early checkpoints, so that kills meet both.
  return Engine::open(directory, {.checkpoint_interval = std::chrono::milliseconds(10),
                                  .journal_max_bytes = 1U << 20U,
                                  .journal_file_bytes = 64U << 10U})
      .value();
}

Deduplicator open_dedupe(const Engine& engine) {
  return Deduplicator::open(
             engine, {.name = "m", .wait = std::chrono::minutes(1), .transactions = {.acks = Acks::leader}})
      .value();
}

/// @return whether it was the first.
bool handle(Deduplicator& dedupe, long number) {
  const std::string id = std::to_string(number);
  auto work = dedupe.begin().value();
  const auto seen = work.once(id, [&](Transaction& transaction) -> Result<std::optional<std::string>> {
    auto sent = transaction.send({.topic = "t", .value = id});
    if (!sent) return sent.error();
    return std::optional<std::string>("result " + id);
  });
  if (!seen) die(seen.error().message());
  if (seen->result != "result " + id) die("message " + id + " has another result");
  if (auto committed = work.commit(); !committed) die(committed.error().message());
  return seen->is_first;
}

void handle_for_ever(Deduplicator& dedupe, int report) {
  for (long number = 0;; ++number) {
    if (!handle(dedupe, number)) continue;
    const std::string line = std::to_string(number) + "\n";
    if (::write(report, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      die("cannot write the report");
  }
}

int run(const std::string& directory, const char* path) {
  const Engine engine = open_engine(directory);
  Deduplicator dedupe = open_dedupe(engine);
  const int report = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (report < 0) die("cannot open the report");
  std::puts("ready");
  std::fflush(stdout);
  const std::jthread other([&] { handle_for_ever(dedupe, report); });
  handle_for_ever(dedupe, report);
  return 0;
}

int finish(const std::string& directory, long last) {
  const Engine engine = open_engine(directory);
  {
    Deduplicator dedupe = open_dedupe(engine);
    for (long number = 0; number <= last; ++number) handle(dedupe, number);
  }
  Consumer consumer = engine.consumer().value();
  consumer.assign_topic("t").value();
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
    open_engine(arguments[0])
        .admin()
        .create_topic({.name = "t", .config = {{"segment.bytes", "65536"}}})
        .value();
    return 0;
  }
  if (arguments.size() == 3 && arguments[1] == "run") return run(arguments[0], arguments[2].c_str());
  if (arguments.size() == 3 && arguments[1] == "finish")
    return finish(arguments[0], std::atol(arguments[2].c_str()));
  die("usage: dedupe_writer DIR create | run REPORT | finish LAST");
}
