#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <sstream>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps.hpp"
#include "text/quantity.hpp"

extern char** environ;

namespace demo {
namespace {

using namespace seriatim;
using Clock = std::chrono::steady_clock;

// Enough that every partition has many batches, and the kill falls somewhere in the middle of one.
constexpr std::size_t promises_before_kill = 400;

// The promises to the killed writer: per partition, the end of its acknowledged records.
using Promises = std::array<Offset, event_partitions>;

// The writing process and the pipe on which it tells what was acknowledged.
class WriterProcess {
 public:
  static Result<WriterProcess> start(const std::filesystem::path& directory) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0)
      return Error(Errc::io_error, std::string("pipe failed: ") + std::strerror(errno), errno);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    std::string program = "seriatim-demo";
    std::string word = "--writer-process";
    std::string path = directory.string();
    std::array<char*, 4> words{program.data(), word.data(), path.data(), nullptr};
    pid_t pid = 0;
    const int failed = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (failed != 0) {
      ::close(ends[0]);
      return Error(Errc::io_error, std::string("starting the writer failed: ") + std::strerror(failed),
                   failed);
    }
    return WriterProcess(pid, ends[0]);
  }

  /// Reads what was promised until there are `count` promises, kills, and reads what was promised until the
  /// end.
  Result<std::string> kill_after(std::size_t count) {
    std::string promises;
    std::array<char, 4096> piece{};
    bool killed = false;
    std::size_t lines = 0;
    while (true) {
      const ssize_t got = ::read(pipe_, piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      for (ssize_t i = 0; i < got; ++i) lines += piece[static_cast<std::size_t>(i)] == '\n' ? 1 : 0;
      promises.append(piece.data(), static_cast<std::size_t>(got));
      if (lines >= count && !killed) {
        ::kill(pid_, SIGKILL);
        killed = true;
      }
    }
    ::close(pipe_);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    if (!killed || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
      return differs("the writer ended by itself after " + std::to_string(lines) +
                     " acknowledgements, before it could be killed");
    }
    return promises;
  }

 private:
  WriterProcess(pid_t pid, int pipe) : pid_(pid), pipe_(pipe) {}
  pid_t pid_;
  int pipe_;
};

Promises read_promises(const std::string& text) {
  Promises promises{};
  std::istringstream lines(
      text.substr(0, text.rfind('\n') + 1));  // A line that the kill cut was not promised.
  for (PartitionId partition = 0, first = 0, last = 0; lines >> partition >> first >> last;) {
    promises.at(static_cast<std::size_t>(partition)) = last + 1;
  }
  return promises;
}

Result<Offset> check_partition(const Engine& engine, PartitionId partition, Offset promised) {
  const Result<LogReader> reader = engine.reader({crash_topic, partition});
  if (!reader.ok()) return reader.error();
  const Offset end = reader->high_watermark();
  if (end < promised) {
    return differs("partition " + std::to_string(partition) + " was promised up to offset " +
                   std::to_string(promised) + " and holds " + std::to_string(end));
  }
  for (Offset at = 0; at < end;) {
    const Result<ConsumerRecords> records = reader->read(at, 1'000);
    if (!records.ok()) return records.error();
    if (records->empty())
      return differs("partition " + std::to_string(partition) + " has a hole at offset " +
                     std::to_string(at));
    for (const RecordView& record : *records) {
      if (record.offset() != at || record.value().text() != crash_text(partition, at)) {
        return differs("partition " + std::to_string(partition) + " does not hold at offset " +
                       std::to_string(at) + " what was written there");
      }
      ++at;
    }
  }
  return end;
}

}  // namespace

Result<> crash_and_recover(const std::filesystem::path& directory) {
  {
    const Result<Engine> engine = Engine::open(directory, {.mode = OpenMode::read_write});
    if (!engine.ok()) return engine.error();
    const auto created =
        engine->admin().create_topic({.name = crash_topic, .partition_count = event_partitions});
    if (!created.ok()) return created.error();
    const Result<> closed = engine->close();
    if (!closed.ok()) return closed;
  }
  Result<WriterProcess> writer = WriterProcess::start(directory);
  if (!writer.ok()) return writer.error();
  const Result<std::string> told = writer->kill_after(promises_before_kill);
  if (!told.ok()) return told.error();
  const Promises promises = read_promises(*told);

  const auto start = Clock::now();
  const Result<Engine> engine = Engine::open(directory, {.mode = OpenMode::read_write});
  if (!engine.ok()) return engine.error();
  const auto recovered_in = Clock::now() - start;
  Offset promised = 0;
  Offset held = 0;
  for (PartitionId partition = 0; partition < event_partitions; ++partition) {
    const Offset wanted = promises.at(static_cast<std::size_t>(partition));
    const Result<Offset> end = check_partition(*engine, partition, wanted);
    if (!end.ok()) return end.error();
    promised += wanted;
    held += *end;
  }
  std::printf(
      "   killed with kill -9 after %lld acknowledged records; open again in %s: %lld records, all as "
      "written, none of the promised missing\n",
      static_cast<long long>(promised), cli::readable_duration(recovered_in).c_str(),
      static_cast<long long>(held));
  return engine->close();
}

}  // namespace demo
