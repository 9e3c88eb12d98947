// The process that delayed_kill_test.py kills: it schedules, moves and cancels delayed messages, while they
// are delivered.
//
//   delayed_writer DIR create            makes the topic
//   delayed_writer DIR run REPORT SEED   works until it is killed. Appends to REPORT: "S message", it is
//                                        scheduled; "T message", it is about to be cancelled; "C message", it
//                                        is cancelled
//   delayed_writer DIR finish            delivers what is left, prints every message in the topic
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <thread>
#include <utility>

#include <seriatim/seriatim.hpp>

#include "support/random.hpp"

namespace {

using namespace seriatim;
using namespace std::chrono_literals;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "delayed_writer: %s\n", what.c_str());
  std::_Exit(1);
}

template <class T>
T wanted(Result<T> result) {
  if (!result) die(result.error().message());
  return *std::move(result);
}

// One write call: a line is there whole or, if the kill came into it, without its end.
void note(int report, char kind, const std::string& message) {
  const std::string line = std::string(1, kind) + " " + message + "\n";
  if (::write(report, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    die("cannot write the report");
}

Engine open(const std::string& directory) {
  // Small journal files, so that kills meet their change.
  return wanted(Engine::open(
      directory,
      {.journal_max_bytes = 1 << 20, .journal_file_bytes = 64 << 10, .journal_bypass_bytes = 2048}));
}

class Worker {
 public:
  Worker(const Engine& engine, DelayedMessages& delayed, int report, std::uint64_t seed)
      : delayed_(delayed),
        report_(report),
        seed_(seed),
        random_(seed),
        producer_(wanted(engine.transactional_producer({.transactional_id = "app", .acks = Acks::leader}))) {}

  [[noreturn]] void run() {
    for (;;) {
      const std::string message = std::to_string(seed_) + "-" + std::to_string(made_++);
      const auto due = std::chrono::milliseconds(random_.between(0, 20));
      const ProducerRecord record{.topic = "t", .value = message};
      known_.emplace_back(
          random_.one_in(2) ? schedule_with(record, due, message) : wanted(delayed_.schedule(record, due)),
          message);
      note(report_, 'S', message);
      if (known_.size() > 20) known_.pop_front();
      const auto& [id, chosen] = known_[static_cast<std::size_t>(random_.between(0, std::ssize(known_) - 1))];
      if (random_.one_in(4))
        wanted(delayed_.reschedule(id, std::chrono::milliseconds(random_.between(0, 20))));
      if (random_.one_in(6)) cancel(id, chosen);
    }
  }

 private:
  std::string schedule_with(const ProducerRecord& record, DueTime due, const std::string& id) {
    Transaction transaction = wanted(producer_.begin());
    std::string made = wanted(delayed_.schedule(transaction, record, due, id));
    if (const auto committed = transaction.commit(); !committed) die(committed.error().message());
    return made;
  }
  void cancel(const std::string& id, const std::string& message) {
    note(report_, 'T', message);
    if (wanted(delayed_.cancel(id))) note(report_, 'C', message);
  }

  DelayedMessages& delayed_;
  const int report_;
  const std::uint64_t seed_;
  seriatim::test::Random random_;
  TransactionalProducer producer_;
  std::deque<std::pair<std::string, std::string>> known_{};
  std::int64_t made_ = 0;
};

[[noreturn]] void run(const std::string& directory, const std::string& report, std::uint64_t seed) {
  const int file = ::open(report.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) die("cannot open the report");
  const Engine engine = open(directory);
  DelayedMessages delayed = wanted(DelayedMessages::open(engine, {.name = "d", .acks = Acks::leader}));
  std::fputs("ready\n", stdout);
  std::fflush(stdout);
  Worker(engine, delayed, file, seed).run();
}

void finish(const std::string& directory) {
  const Engine engine = open(directory);
  {
    DelayedMessages delayed =
        wanted(DelayedMessages::open(engine, {.name = "d", .delivers_in_background = false}));
    while (wanted(delayed.count()) > 0) {
      wanted(delayed.deliver());
      std::this_thread::sleep_for(1ms);
    }
  }
  if (!wanted(engine.admin().list_states()).empty()) die("rows are left behind");
  Consumer consumer = wanted(engine.consumer());
  if (!consumer.assign({{"t", 0}})) die("cannot read the topic");
  for (;;) {
    const auto records = wanted(consumer.poll(0ms));
    if (records.empty()) break;
    for (const RecordView& record : records) std::puts(std::string(record.value().text()).c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = argc > 1 ? argv[1] : "";
  const std::string mode = argc > 2 ? argv[2] : "";
  if (mode == "create" && argc == 3) {
    const Engine engine = open(directory);
    wanted(engine.admin().create_topic({.name = "t", .config = {{"segment.bytes", "65536"}}}));
  } else if (mode == "run" && argc == 5) {
    run(directory, argv[3], std::stoull(argv[4]));
  } else if (mode == "finish" && argc == 3) {
    finish(directory);
  } else {
    die("usage: delayed_writer DIR create|run REPORT SEED|finish");
  }
  return 0;
}
