// The process that mixed_kill_test.py kills: threads that append at both levels to many partitions, and one
// that commits positions; each acknowledgement is written down after its call has returned.
//
//   mixed_writer DIR PARTITIONS FIRST_NUMBER REPORT   writes until it is killed
//   mixed_writer DIR PARTITIONS                       opens for writing, prints "group partition offset",
//                                                     closes
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <seriatim/seriatim.hpp>

namespace {

using namespace seriatim;

constexpr int threads_max = 4;
const std::string groups[] = {"durable", "written"};

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "mixed_writer: %s\n", what.c_str());
  std::_Exit(1);
}

// One write call: a line is there whole or, if the kill came into it, without its end.
void note(int report, const std::string& line) {
  if (::write(report, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    die("cannot write the report");
}

struct Work {
  const Engine& engine;
  int report = -1;
  PartitionId partitions = 0;
  std::int64_t first_number = 0;
};

// Every partition belongs to one thread, so that its numbers ascend. Levels alternate, batches too.
void append_for_ever(const Work& work, int thread) {
  auto durable = work.engine.producer({.acks = Acks::all}).value();
  auto fast = work.engine.producer({.acks = Acks::leader}).value();
  for (std::int64_t i = 0;; ++i) {
    const auto mine = work.partitions / threads_max;
    const auto partition = static_cast<PartitionId>(thread + threads_max * static_cast<int>(i % mine));
    const bool is_durable = (i * 7 + thread) % 3 == 0;
    const std::string value = std::to_string(work.first_number + i) + ":" +
                              std::string(static_cast<std::size_t>(i * 37 % 900), 'x');
    const auto stored =
        (is_durable ? durable : fast).send_sync({.topic = "t", .value = value, .partition = partition});
    if (!stored) die(stored.error().message());
    note(work.report, std::string(is_durable ? "A " : "L ") + std::to_string(partition) + " " +
                          std::to_string(stored->offset) + " " + std::to_string(work.first_number + i) +
                          "\n");
  }
}

// Commits where the logs end, of all partitions at once, at both levels in turn.
void commit_for_ever(const Work& work) {
  std::vector<Consumer> consumers;
  consumers.push_back(work.engine.consumer({.group_id = groups[0], .commit_acks = Acks::all}).value());
  consumers.push_back(work.engine.consumer({.group_id = groups[1], .commit_acks = Acks::leader}).value());
  for (Consumer& consumer : consumers) consumer.assign_topic("t").value();
  for (std::size_t turn = 0;; turn = 1 - turn) {
    TopicPartitionOffsets positions;
    for (PartitionId i = 0; i < work.partitions; ++i)
      positions[{"t", i}] = {.offset = work.engine.reader({"t", i}).value().log_end_offset()};
    if (const auto committed = consumers[turn].commit_sync(positions); !committed)
      die(committed.error().message());
    std::string lines;
    for (const auto& [at, position] : positions)
      lines += "C " + groups[turn] + " " + std::to_string(at.partition) + " " +
               std::to_string(position.offset) + "\n";
    note(work.report, lines);
  }
}

int print_positions(const std::string& directory) {
  auto engine = Engine::open(directory, {.mode = OpenMode::read_write}).value();
  for (const std::string& group : groups) {
    for (const GroupOffset& position : engine.admin().group_offsets(group).value())
      std::printf("%s %d %lld\n", group.c_str(), position.topic_partition.partition,
                  static_cast<long long>(position.committed.offset));
  }
  engine.close().value();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) die("usage: mixed_writer DIR PARTITIONS [FIRST_NUMBER REPORT]");
  const auto partitions = static_cast<PartitionId>(std::atoi(argv[2]));
  if (argc == 3) return print_positions(argv[1]);
  // Small journal files, so that kills meet their change; checkpoints beside commits.
  const Engine engine = Engine::open(argv[1], {.mode = OpenMode::read_write,
                                               .checkpoint_interval = std::chrono::milliseconds(30),
                                               .journal_max_bytes = 1 << 20,
                                               .journal_file_bytes = 64 << 10})
                            .value();
  const int report = ::open(argv[4], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (report < 0) die("cannot open the report");
  const Work work{engine, report, partitions, std::atoll(argv[3])};
  std::puts("ready");
  std::fflush(stdout);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < threads_max; ++thread)
    threads.emplace_back([&work, thread] { append_for_ever(work, thread); });
  commit_for_ever(work);
}
