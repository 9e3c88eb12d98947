// perf fsync: what a durable commit costs, and how many of them share one sync of the disk.
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <stdlib.h>

#include "base/saturate.hpp"
#include "base/text.hpp"
#include "disk_usage.hpp"
#include "interrupt.hpp"
#include "perf/perf_commands.hpp"
#include "perf/perf_report.hpp"
#include "perf/scratch_file.hpp"
#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

// As many bytes as one commit of one record adds to the journal: frame header, place, batch header, record.
constexpr std::size_t frame_bytes = 24 + 44 + 61 + 8;
// As long as a journal file by default.
constexpr std::uint64_t floor_file_bytes = std::uint64_t{8} << 20;

/// A data directory that is gone when the measurement ends.
class ScratchDirectory {
 public:
  static Result<ScratchDirectory> make(const std::filesystem::path& parent) {
    std::string path = (parent / "seriatim-perf-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) {
      const std::error_code failure(errno, std::generic_category());
      return Error(failure.value() == ENOENT ? Errc::not_found : Errc::io_error,
                   "creating a directory in " + parent.string() + " failed: " + failure.message() +
                       ". Choose another directory",
                   failure.value());
    }
    return ScratchDirectory(path);
  }
  ScratchDirectory(ScratchDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;  // what is left has a name that says whose it is
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  explicit ScratchDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

struct CommitRow {
  std::string name{};
  std::uint64_t producers = 0;  ///< 0: no engine.
  std::uint64_t commits = 0;
  std::uint64_t syncs = 0;
  std::chrono::nanoseconds elapsed{0};
  LatencyHistogram latency{};

  double per_second(std::uint64_t count) const {
    const double seconds = std::chrono::duration<double>(elapsed).count();
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
  }
  double commits_per_sync() const {
    return syncs > 0 ? static_cast<double>(commits) / static_cast<double>(syncs) : 0;
  }
};

struct CommitLoad {
  std::size_t value_bytes = 0;
  std::chrono::nanoseconds duration{0};
};

Result<> write_before(ScratchFile& file, std::uint64_t bytes) {
  const std::vector<std::byte> zeros(64 * 1024);
  for (std::uint64_t position = 0; position < bytes; position += zeros.size()) {
    const Result<> written = file.write_at(position, zeros);
    if (!written.ok()) return written;
  }
  return file.sync_data();
}

// The floor below which no commit on this disk can be, done one after another.
Result<CommitRow> measure_floor(const std::filesystem::path& directory, const CommitLoad& load) {
  Result<ScratchFile> file = ScratchFile::make(directory);
  if (!file.ok()) return file.error();
  const Result<> prepared = write_before(*file, floor_file_bytes);
  if (!prepared.ok()) return prepared.error();
  const std::vector<std::byte> frame(frame_bytes + load.value_bytes, std::byte{0x5a});
  CommitRow row{.name = "pwrite + fdatasync"};
  const auto start = SteadyClock::now();
  auto now = start;
  for (std::uint64_t position = 0; now - start < load.duration && !is_interrupted(); ++row.commits) {
    if (position + frame.size() > floor_file_bytes) position = 0;
    const auto before = now;
    const Result<> written = file->write_at(position, frame);
    if (!written.ok()) return written.error();
    const Result<> synced = file->sync_data();
    if (!synced.ok()) return synced.error();
    position += frame.size();
    now = SteadyClock::now();
    row.latency.record(now - before);
  }
  row.syncs = row.commits;
  row.elapsed = now - start;
  return row;
}

struct CommitThread {
  PartitionId partition = 0;
  LatencyHistogram latency{};
  std::optional<Error> failure{};
};

void commit_until(Producer& producer, const CommitLoad& load, const std::atomic<bool>& stop,
                  CommitThread& mine) {
  const std::string value(load.value_bytes, 'v');
  const auto start = SteadyClock::now();
  auto now = start;
  while (now - start < load.duration && !stop.load(std::memory_order_relaxed) && !is_interrupted()) {
    const auto before = now;
    const auto stored = producer.send_sync({.topic = "commits", .value = value, .partition = mine.partition});
    if (!stored.ok()) {
      mine.failure = stored.error();
      return;
    }
    now = SteadyClock::now();
    mine.latency.record(now - before);
  }
}

// Each producer on a partition of its own, one record a commit, acks all.
Result<CommitRow> measure_commits(const Engine& engine, std::size_t producers, const CommitLoad& load) {
  Result<Producer> producer = engine.producer({.acks = Acks::all});
  if (!producer.ok()) return producer.error();
  std::vector<CommitThread> threads(producers);
  for (std::size_t i = 0; i < producers; ++i) {
    threads[i].partition = static_cast<PartitionId>(i);
    // The first commit of a partition makes its files.
    const auto first =
        producer->send_sync({.topic = "commits", .value = "first", .partition = threads[i].partition});
    if (!first.ok()) return first.error();
  }
  CommitRow row{.name = "acks all, " + count_of(producers, "producer"), .producers = producers};
  std::atomic<bool> stop{false};
  const std::uint64_t syncs_before = engine.metrics().syncs;
  const auto start = SteadyClock::now();
  {
    std::vector<std::jthread> running;
    for (CommitThread& mine : threads) {
      running.emplace_back([&] {
        commit_until(*producer, load, stop, mine);
        if (mine.failure) stop.store(true, std::memory_order_relaxed);
      });
    }
  }
  row.elapsed = SteadyClock::now() - start;
  row.syncs = engine.metrics().syncs - syncs_before;
  for (const CommitThread& mine : threads) {
    if (mine.failure) return *mine.failure;
    row.latency.merge(mine.latency);
  }
  row.commits = row.latency.count();
  return row;
}

Result<> measure_engine(const std::filesystem::path& directory, const CommitLoad& load,
                        std::vector<CommitRow>& rows) {
  constexpr std::size_t producer_counts[] = {1, 8, 64};
  const Result<ScratchDirectory> scratch = ScratchDirectory::make(directory);
  if (!scratch.ok()) return scratch.error();
  const Result<Engine> engine = Engine::open(scratch->path() / "data");
  if (!engine.ok()) return engine.error();
  const auto created = engine->admin().create_topic({.name = "commits", .partition_count = 64});
  if (!created.ok()) return created.error();
  for (const std::size_t producers : producer_counts) {
    if (is_interrupted()) break;
    Result<CommitRow> row = measure_commits(*engine, producers, load);
    if (!row.ok()) return row.error();
    rows.push_back(std::move(*row));
  }
  return engine->close();
}

void print(Context& context, const std::string& file_system, const std::vector<CommitRow>& rows) {
  const double floor = rows[0].per_second(rows[0].commits);
  const auto ratio = [floor](const CommitRow& row) {
    return floor > 0 ? row.per_second(row.commits) / floor : 0;
  };
  if (context.format() == OutputFormat::json || context.format() == OutputFormat::jsonl) {
    Json measured = Json::array();
    for (const CommitRow& row : rows) {
      measured.push_back({{"name", row.name},
                          {"producers", row.producers},
                          {"seconds", std::chrono::duration<double>(row.elapsed).count()},
                          {"commits", row.commits},
                          {"syncs", row.syncs},
                          {"commits_per_second", row.per_second(row.commits)},
                          {"syncs_per_second", row.per_second(row.syncs)},
                          {"commits_per_sync", row.commits_per_sync()},
                          {"ratio_to_floor", ratio(row)},
                          {"latency_ns", percentiles(row.latency)}});
    }
    print_json(context.out, context.format(), {{"file_system", file_system}, {"measurements", measured}});
    return;
  }
  context.out.write("file system " + file_system + "\n");
  for (const CommitRow& row : rows) {
    context.out.write("  " + row.name + ": " + fixed(row.per_second(row.commits), 0) + " commits/s   " +
                      fixed(row.per_second(row.syncs), 0) + " syncs/s   " + fixed(row.commits_per_sync(), 2) +
                      " commits a sync   " + fixed(ratio(row), 2) +
                      " x the floor\n    commit: " + percentile_line(row.latency) + "\n");
  }
  if (file_system == "tmpfs")
    context.out.write(
        "- this is memory, not storage: nothing here survives a power cut, whatever the acks\n");
}

}  // namespace

Result<ExitCode> perf_fsync(Context& context, const FsyncArguments& arguments) {
  const Result<std::int64_t> duration_ms = base::parse_duration_ms(arguments.duration);
  if (!duration_ms.ok()) return duration_ms.error();
  const Result<std::int64_t> size = base::parse_size(arguments.size);
  if (!size.ok()) return size.error();
  constexpr std::int64_t largest =
      128 * 1024;  // Above, batches are not copied into the journal at some point.
  if (*size < 1 || *size > largest)
    return Error(Errc::invalid_argument, "--size " + arguments.size + " is outside 1 .. 128KiB");
  if (*duration_ms < 1)
    return Error(Errc::invalid_argument, "--duration " + arguments.duration + " is no time at all");
  const Result<FileSystemRoom> room = room_of(arguments.directory);
  if (!room.ok()) return room.error();
  const CommitLoad load{.value_bytes = static_cast<std::size_t>(*size),
                        .duration = std::chrono::nanoseconds(base::ns_of_ms(*duration_ms))};
  const Result<CommitRow> floor = measure_floor(arguments.directory, load);
  if (!floor.ok()) return floor.error();
  std::vector<CommitRow> rows{*floor};
  const Result<> measured = measure_engine(arguments.directory, load, rows);
  if (!measured.ok()) return measured.error();
  print(context, room->type, rows);
  return ExitCode::ok;
}

}  // namespace seriatim::cli
