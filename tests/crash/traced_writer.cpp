// The program that syscall_test.py traces: durable sends, each acknowledgement written to standard output
// after its call has returned, and phases between two lines "BEGIN name" and "END name". Everything is
// written with write(2), so that the trace has it in its order.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "directory/engine_impl.hpp"
#include "format/batch/batch_builder.hpp"
#include "os/file/posix_vfs.hpp"

namespace {

using namespace seriatim;
using seriatim::detail::EngineImpl;

constexpr PartitionId partitions = 64;

void say(const std::string& line) {
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(2);
}

template <class Work>
void phase(const std::string& name, const Work& work) {
  say("BEGIN " + name + "\n");
  work();
  say("END " + name + "\n");
}

void send(Producer& producer, PartitionId partition, const std::string& id, const std::string& padding = {}) {
  producer.send_sync({.topic = "t", .value = "<" + id + ">" + padding, .partition = partition}).value();
  say("ACK " + id + "\n");
}

// One after another, and by threads that share syncs.
void send_alone_and_together(Producer& producer) {
  for (int i = 0; i < 20; ++i) send(producer, i % partitions, "alone-" + std::to_string(i));
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&producer, thread] {
      for (int i = 0; i < 20; ++i)
        send(producer, thread, "thread-" + std::to_string(thread) + "-" + std::to_string(i));
    });
  }
}

// Appends to all partitions and a group's position, then waits for all of it.
void commit_everything(const Engine& engine, Consumer& consumer) {
  const auto& impl = EngineImpl::of(engine);
  std::vector<std::pair<partition::PartitionPtr, partition::PartitionAppend>> appended;
  for (PartitionId i = 0; i < partitions; ++i) {
    auto partition = impl->partition("t", i).value();
    format::BatchBuilder builder;
    builder.append({.value = "v", .timestamp_ms = 1}).value();
    auto append = partition->append(builder.frame({}).value(), partition::Durability::durable).value();
    appended.emplace_back(std::move(partition), append);
  }
  consumer.commit_sync({{{"t", 0}, {.offset = 1}}}).value();
  for (const auto& [partition, append] : appended) partition->wait_durable(append).value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  EngineOptions options;
  // Nothing in the background for as long as this runs, but the tick.
  options.maintenance_interval = std::chrono::milliseconds(0);
  options.checkpoint_interval = std::chrono::hours(1);
  const Engine engine = Engine::open(argv[1], options).value();
  engine.admin().create_topic({.name = "t", .partition_count = partitions}).value();
  Producer producer = engine.producer({.acks = Acks::all}).value();
  Consumer durable = engine.consumer({.group_id = "durable", .commit_acks = Acks::all}).value();
  Consumer written = engine.consumer({.group_id = "written", .commit_acks = Acks::leader}).value();
  // The files of every partition, so that the phases make none.
  for (PartitionId i = 0; i < partitions; ++i)
    producer.send_sync({.topic = "t", .value = "warm", .partition = i}).value();
  phase("sends", [&] { send_alone_and_together(producer); });
  phase("large", [&] { send(producer, 1, "large", std::string(std::size_t{400} << 10, 'x')); });
  phase("commit", [&] { commit_everything(engine, durable); });
  phase("leader", [&] {
    for (Offset i = 1; i <= 10; ++i) written.commit_sync({{{"t", 0}, {.offset = i}}}).value();
  });
  phase("checkpoint", [&] { EngineImpl::of(engine)->checkpointer->checkpoint().value(); });
  engine.close().value();
  return 0;
}
