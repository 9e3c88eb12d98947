// Another process that has an engine open for writing and appends what it is told to: for tests of reading
// beside a writer. The catalog may be open only once in a process, so the test itself opens the directory
// read-only.
#pragma once

#include <unistd.h>

#include <array>
#include <string>

#include "support/child_process.hpp"
#include "unit/api/reading_fixture.hpp"

namespace seriatim::test {

class WriterProcess {
 public:
  /// Forks: to be made before the test opens an engine. The topic is "t"; batches go round its partitions.
  explicit WriterProcess(PartitionId partitions = 1, ConfigMap config = {})
      : commands_(make_pipe()),
        child_([&](const ChildProcess::Voice& voice) { serve(voice, partitions, config); }) {
    ::close(commands_[0]);
    CHECK(child_.hear(1) == "!");
  }
  ~WriterProcess() { ::close(commands_[1]); }
  WriterProcess(const WriterProcess&) = delete;
  WriterProcess& operator=(const WriterProcess&) = delete;

  std::string directory() const { return temp_ / "data"; }

  void append(const Wanted& batch) {
    append_later(1, batch);
    finish_append();
  }
  /// Begins to append; finish_append waits until it has.
  void append_later(int batches, const Wanted& batch) {
    tell({.batches = batches, .records = batch.records, .timestamp_ms = batch.timestamp_ms});
  }
  void finish_append() { CHECK(child_.hear(1) == "!"); }
  void delete_topic() {
    tell({});
    CHECK(child_.hear(1) == "!");
  }

 private:
  struct Command {
    int batches = 0;  ///< 0: delete the topic.
    int records = 0;
    std::int64_t timestamp_ms = 0;
  };

  static std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    return ends;
  }
  void tell(const Command& command) {
    REQUIRE(::write(commands_[1], &command, sizeof(command)) == sizeof(command));
  }

  void serve(const ChildProcess::Voice& voice, PartitionId partitions, const ConfigMap& config) const {
    ::close(commands_[1]);
    auto engine = open_engine(directory());
    create_topic(engine, "t", partitions, config);
    voice.say("!");
    int turn = 0;
    for (Command command; ::read(commands_[0], &command, sizeof(command)) == sizeof(command);
         voice.say("!")) {
      if (command.batches == 0) must(engine.admin().delete_topic("t"));
      for (int i = 0; i < command.batches; ++i) {
        append_batch(engine, {"t", turn++ % partitions},
                     {.records = command.records, .timestamp_ms = command.timestamp_ms});
      }
    }
  }

  TempDir temp_;
  std::array<int, 2> commands_;
  ChildProcess child_;
};

}  // namespace seriatim::test
