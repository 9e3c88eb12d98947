// The process that pipeline_test.py kills: it reads a topic, writes what it makes of each record to two
// others, and commits its positions and a count in the state with it, each time in one transaction.
//
//   pipeline DIR create          makes the topics
//   pipeline DIR run REPORT SEED works until it is killed; a count is appended to REPORT when its commit has
//                                returned
//   pipeline DIR finish          makes up what is left, then compares all of it with what it must be
//   pipeline DIR watch           another process that reads what is committed, until its input ends
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "directory/engine_impl.hpp"
#include "support/random.hpp"

namespace {

using namespace seriatim;

constexpr PartitionId partitions = 2;
constexpr std::chrono::milliseconds at_once{0};

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "pipeline: %s\n", what.c_str());
  std::_Exit(1);
}
void say(const std::string& line) {
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(2);
}

// The output made of a record: its partition and its number, which is its offset.
std::string made_of(PartitionId partition, Offset number) {
  return std::to_string(partition) + ":" + std::to_string(number) + ":" +
         std::string(static_cast<std::size_t>(number * 37 % 700), 'x');
}
std::pair<PartitionId, Offset> source_of(BytesView value) {
  const std::string text(value.text());
  const auto colon = text.find(':');
  return {std::stoi(text), std::stoll(text.substr(colon + 1))};
}

Engine open(const std::string& directory, OpenMode mode) {
  // Small journal files, so that kills meet their change.
  return Engine::open(directory, {.mode = mode,
                                  .journal_max_bytes = 1 << 20,
                                  .journal_file_bytes = 64 << 10,
                                  .journal_bypass_bytes = 2048})
      .value();
}

std::int64_t count_in_state(const Engine& engine) {
  const auto value = engine.state("pipeline").value().get("count").value();
  return value ? std::stoll(std::string(BytesView(std::span<const std::byte>(*value)).text())) : 0;
}

// The numbers that follow in each output, by the partition of their source. A read_committed reader sees them
// in their order, none twice and none left out.
class Follower {
 public:
  explicit Follower(const Engine& engine) : consumer_(engine.consumer().value()) {
    std::vector<TopicPartition> all{{"b", 0}};
    for (PartitionId i = 0; i < partitions; ++i) all.push_back({"a", i});
    consumer_.assign(all).value();
  }
  bool read(std::chrono::milliseconds timeout) {
    const auto records = consumer_.poll(timeout).value();
    for (const RecordView& record : records) {
      const auto source = source_of(record.value());
      Offset& next = next_[{std::string(record.topic()), source.first}];
      if (source.second != next || record.value().text() != made_of(source.first, next))
        die("output " + std::string(record.topic()) + " has " + std::to_string(source.second) + " of " +
            std::to_string(source.first) + " where " + std::to_string(next) + " was to come");
      ++next;
    }
    return !records.empty();
  }
  Offset next(const std::string& topic, PartitionId source) { return next_[{topic, source}]; }

 private:
  Consumer consumer_;
  std::map<std::pair<std::string, PartitionId>, Offset> next_{};
};

class Pipeline {
 public:
  Pipeline(const Engine& engine, std::uint64_t seed)
      : engine_(engine),
        random_(seed),
        input_(engine.producer({.acks = Acks::leader}).value()),
        consumer_(engine.consumer({.group_id = "pipeline", .max_poll_records = 12}).value()) {
    for (const Acks acks : {Acks::all, Acks::leader}) {
      producers_.push_back(engine
                               .transactional_producer(
                                   {.transactional_id = acks == Acks::all ? "all" : "leader", .acks = acks})
                               .value());
    }
    consumer_.assign_topic("in").value();
    count_ = count_in_state(engine);
    if (positions() != count_)
      die("the state counts " + std::to_string(count_) + " records, the positions " +
          std::to_string(positions()));
  }

  std::int64_t count() const { return count_; }

  // False: there is no input, and none was asked for.
  bool step(bool makes_input) {
    auto records = consumer_.poll(at_once).value();
    if (records.empty() && !makes_input) return false;
    if (records.empty()) {
      make_input();
      records = consumer_.poll(at_once).value();
    }
    Transaction transaction = producers_[turn_++ % 2].begin().value();
    std::int64_t made = 0;
    for (const RecordView& record : records) {
      const std::string value = made_of(record.partition(), record.offset());
      transaction.send({.topic = "a", .value = value, .partition = record.partition()}).value();
      transaction.send({.topic = "b", .value = value, .partition = 0}).value();
      ++made;
    }
    transaction.send_offsets(records.next_offsets(), consumer_.group_metadata()).value();
    transaction.state("pipeline").put("count", std::to_string(count_ + made)).value();
    if (random_.one_in(8)) {
      transaction.abort().value();
      consumer_ = engine_.consumer({.group_id = "pipeline", .max_poll_records = 12}).value();
      consumer_.assign_topic("in").value();
      return true;
    }
    transaction.commit().value();
    count_ += made;
    return true;
  }

 private:
  std::int64_t positions() {
    std::int64_t sum = 0;
    for (PartitionId i = 0; i < partitions; ++i) {
      const auto committed = consumer_.committed({"in", i}).value();
      sum += committed ? committed->offset : 0;
    }
    return sum;
  }
  void make_input() {
    for (PartitionId i = 0; i < partitions; ++i) {
      for (auto left = random_.between(5, 20); left > 0; --left)
        input_.send_sync({.topic = "in", .value = "input", .partition = i}).value();
    }
  }

  const Engine& engine_;
  test::Random random_;
  Producer input_;
  Consumer consumer_;
  std::vector<TransactionalProducer> producers_{};
  std::size_t turn_ = 0;
  std::int64_t count_ = 0;
};

void create(const std::string& directory) {
  const Engine engine = open(directory, OpenMode::create_if_missing);
  const ConfigMap config{{"segment.bytes", "65536"}};
  engine.admin().create_topic({.name = "in", .partition_count = partitions, .config = config}).value();
  engine.admin().create_topic({.name = "a", .partition_count = partitions, .config = config}).value();
  engine.admin().create_topic({.name = "b", .config = config}).value();
  engine.close().value();
}

std::int64_t last_reported(const std::string& path) {
  std::ifstream report(path);
  std::int64_t last = 0;
  for (std::string line; std::getline(report, line) && !report.eof();) last = std::stoll(line);
  return last;
}

[[noreturn]] void run(const std::string& directory, const std::string& report_path, std::uint64_t seed) {
  const Engine engine = open(directory, OpenMode::read_write);
  Pipeline pipeline(engine, seed);
  // INV-4: a kill takes nothing that was committed at either level.
  if (pipeline.count() < last_reported(report_path))
    die("a commit of " + std::to_string(last_reported(report_path)) + " records had returned, " +
        std::to_string(pipeline.count()) + " are there");
  const int report = ::open(report_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (report < 0) die("cannot open the report");
  const std::jthread checkpoints([&engine](const std::stop_token& stop) {
    while (!stop.stop_requested()) detail::EngineImpl::of(engine)->checkpointer->checkpoint().value();
  });
  say("ready\n");
  for (;;) {
    pipeline.step(true);
    const std::string line = std::to_string(pipeline.count()) + "\n";
    if (::write(report, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      die("cannot write the report");
  }
}

// A run without kills would have left the same: each record of the input once, in its order, and counted.
void finish(const std::string& directory) {
  const Engine engine = open(directory, OpenMode::read_write);
  Pipeline pipeline(engine, 1);
  while (pipeline.step(false)) {
  }
  Follower outputs(engine);
  while (outputs.read(at_once)) {
  }
  std::int64_t sum = 0;
  for (PartitionId i = 0; i < partitions; ++i) {
    const Offset end = engine.reader({"in", i}).value().log_end_offset();
    sum += end;
    for (const char* topic : {"a", "b"}) {
      if (outputs.next(topic, i) != end)
        die(std::string(topic) + " has " + std::to_string(outputs.next(topic, i)) + " records of partition " +
            std::to_string(i) + ", the input " + std::to_string(end));
    }
  }
  if (count_in_state(engine) != sum)
    die("the state counts " + std::to_string(count_in_state(engine)) + ", the input has " +
        std::to_string(sum));
  engine.close().value();
  say(std::to_string(sum) + "\n");
}

void watch(const std::string& directory) {
  const Engine engine = open(directory, OpenMode::read_only);
  Follower outputs(engine);
  say("ready\n");
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  while (::poll(&input, 1, 0) == 0) outputs.read(std::chrono::milliseconds(5));
  while (outputs.read(at_once)) {
  }
  std::int64_t seen = 0;
  for (PartitionId i = 0; i < partitions; ++i) seen += outputs.next("b", i);
  say(std::to_string(seen) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) die("usage: pipeline DIR create|run|finish|watch [REPORT SEED]");
  const std::string directory = argv[1];
  const std::string mode = argv[2];
  try {
    if (mode == "create") create(directory);
    if (mode == "run" && argc == 5) run(directory, argv[3], std::stoull(argv[4]));
    if (mode == "finish") finish(directory);
    if (mode == "watch") watch(directory);
  } catch (const std::exception& failure) {
    die(failure.what());
  }
}
