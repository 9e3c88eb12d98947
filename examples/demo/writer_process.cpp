#include <array>
#include <cstdio>

#include <unistd.h>

#include "steps.hpp"

namespace demo {

using namespace seriatim;

std::string crash_text(PartitionId partition, Offset offset) {
  // Sizes that vary, so that the kill finds batches cut at every kind of place.
  std::string text = "partition " + std::to_string(partition) + " record " + std::to_string(offset) + " ";
  text.append(static_cast<std::size_t>(offset * 37 % 900), static_cast<char>('a' + offset % 26));
  return text;
}

namespace {

constexpr Offset batch_records = 20;

Result<> write_for_ever(const std::filesystem::path& directory) {
  const Result<Engine> engine = Engine::open(directory, {.mode = OpenMode::read_write});
  if (!engine.ok()) return engine.error();
  Result<Producer> producer = engine->producer({.acks = Acks::all});
  if (!producer.ok()) return producer.error();
  for (Offset base = 0;; base += batch_records) {
    for (PartitionId partition = 0; partition < event_partitions; ++partition) {
      std::array<std::string, batch_records> texts;
      std::vector<Record> batch;
      for (Offset i = 0; i < batch_records; ++i) {
        std::string& text = texts[static_cast<std::size_t>(i)];
        text = crash_text(partition, base + i);
        batch.push_back({.value = text});
      }
      const Result<AppendResult> stored = producer->append({crash_topic, partition}, batch);
      if (!stored.ok()) return stored.error();
      const std::string promise = std::to_string(partition) + " " + std::to_string(stored->base_offset) +
                                  " " + std::to_string(stored->last_offset) + "\n";
      if (::write(STDOUT_FILENO, promise.data(), promise.size()) != static_cast<ssize_t>(promise.size())) {
        return Error(Errc::io_error, "the parent process no longer listens");
      }
    }
  }
}

}  // namespace

int run_writer_process(const std::filesystem::path& directory) {
  const Result<> written = write_for_ever(directory);
  std::fprintf(stderr, "writer: %s: %s\n", std::string(written.error().name()).c_str(),
               written.error().message().c_str());
  return 1;
}

}  // namespace demo
