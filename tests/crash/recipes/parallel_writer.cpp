// The process that parallel_kill_test.py kills: it appends records, and handles them in parallel by key.
//
//   parallel_writer DIR run EFFECTS SEED     works until it is killed
//   parallel_writer DIR finish EFFECTS SEED  handles what is left, and says how many records there are
//
// The key of a record follows from its offset. EFFECTS gets a line for each thing that happens, by one write:
//   run                              a process has begun
//   kept PARTITION FIRST END         it has found these committed as finished
//   did PARTITION OFFSET             a handler has handled the record
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <functional>
#include <utility>

#include <seriatim/seriatim.hpp>

#include "flow/parallel/finished_ranges.hpp"
#include "support/random.hpp"

namespace {

using namespace seriatim;
using namespace std::chrono_literals;

constexpr PartitionId partitions = 2;

void write_whole(int file, const std::string& line) {
  if (::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(2);
}

std::string key_of(Offset offset) { return "key" + std::to_string(offset * offset % 11); }

std::string at(PartitionId partition, Offset offset) {
  return std::to_string(partition) + " " + std::to_string(offset);
}

void tell_kept(const Engine& engine, int effects) {
  const Consumer consumer = engine.consumer({.group_id = "g"}).value();
  for (PartitionId i = 0; i < partitions; ++i) {
    const auto committed = consumer.committed({"t", i}).value();
    if (!committed) continue;
    write_whole(effects, "kept " + at(i, 0) + " " + std::to_string(committed->offset) + "\n");
    for (const detail::OffsetRange& range : detail::decode_finished(*committed).ranges)
      write_whole(effects, "kept " + at(i, range.first) + " " + std::to_string(range.end) + "\n");
  }
}

ParallelConsumer begin_handling(const Engine& engine, int effects, std::uint64_t seed, bool is_last) {
  ParallelConsumerOptions options{.group_id = "g", .topics = {"t"}, .workers = 4, .acks = Acks::leader};
  options.commit_interval = 1ms;
  options.backoff = {.initial = 1ms, .max = 5ms};
  options.on_failure = [](const ParallelFailure&) { return OnFailure::retry; };
  options.consumer.max_poll_records = 50;
  auto consumer =
      ParallelConsumer::open(engine, std::move(options), [=](const RecordView& record) -> Result<> {
        const std::uint64_t chance =
            std::hash<std::string>()(std::to_string(seed) + at(record.partition(), record.offset()));
        // One key of a run is slow, and some records fail again and again: others finish before them.
        if (!is_last && chance % 23 == 0) return Error(Errc::timed_out, "not in this run");
        if (!is_last && chance % 7 == 0) std::this_thread::sleep_for(500us);
        write_whole(effects, "did " + at(record.partition(), record.offset()) + "\n");
        return {};
      });
  ParallelConsumer handling = std::move(consumer).value();
  handling.start().value();
  return handling;
}

void append_for_ever(const Engine& engine, std::uint64_t seed) {
  test::Random random(seed);
  Producer producer = engine.producer({.acks = Acks::leader}).value();
  Offset next[partitions];
  const Consumer asks = engine.consumer().value();
  for (PartitionId i = 0; i < partitions; ++i) next[i] = asks.end_offset({"t", i}).value();
  for (;;) {
    for (std::int64_t count = random.between(1, 30); count > 0; --count) {
      const auto to = static_cast<PartitionId>(random.between(0, partitions - 1));
      const std::string key = key_of(next[to]);
      const auto sent = producer.send_sync({.topic = "t", .key = key, .value = "v", .partition = to}).value();
      if (sent.offset != next[to]++) std::_Exit(3);
    }
    std::this_thread::sleep_for(1ms);
  }
}

void finish(const Engine& engine, int effects, std::uint64_t seed) {
  ParallelConsumer handling = begin_handling(engine, effects, seed, true);
  const Consumer asks = engine.consumer({.group_id = "g"}).value();
  for (PartitionId i = 0; i < partitions; ++i) {
    const Offset end = asks.end_offset({"t", i}).value();
    for (;;) {
      const auto committed = asks.committed({"t", i}).value();
      if (end == 0 || (committed && committed->offset == end)) break;
      std::this_thread::sleep_for(1ms);
    }
    std::printf("%lld\n", static_cast<long long>(end));
  }
  handling.stop();
  handling.wait().value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 64;
  const Engine engine =
      Engine::open(argv[1], {.journal_max_bytes = 1 << 20, .journal_file_bytes = 64 << 10}).value();
  engine.admin().create_topic({.name = "t", .partition_count = partitions, .if_not_exists = true}).value();
  const int effects = ::open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::uint64_t seed = std::stoull(argv[4]);
  write_whole(effects, "run\n");
  tell_kept(engine, effects);
  if (std::string(argv[2]) == "finish") {
    finish(engine, effects, seed);
    return 0;
  }
  const ParallelConsumer handling = begin_handling(engine, effects, seed, false);
  write_whole(STDOUT_FILENO, "ready\n");
  append_for_ever(engine, seed);
}
