// perf disk: what the disk itself does in sequence, and what that means for the settings.
#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

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

constexpr std::size_t append_bytes = 64 * 1024;
constexpr std::size_t commit_bytes = 4 * 1024;
constexpr int syncs_max = 500;
constexpr std::chrono::seconds sync_time_max{2};
// No medium that keeps data without power answers faster; what does, has not written yet.
constexpr std::chrono::microseconds honest_sync{15};

struct Rate {
  std::string name{};
  std::optional<double> bytes_per_second{};
  std::string note{};
};

struct SyncLatency {
  std::string name{};
  LatencyHistogram latency{};
};

struct DiskReport {
  std::string file_system{};
  std::uint64_t size = 0;
  std::vector<Rate> rates{};
  std::vector<SyncLatency> syncs{};
};

// Letters that differ, so that a disk that compresses or shares equal blocks cannot flatter itself much.
std::vector<std::byte> make_block(std::size_t size) {
  std::vector<std::byte> block(size);
  std::uint64_t state = 0x9E3779B97F4A7C15ULL;
  for (std::byte& byte : block) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<std::byte>(state);
  }
  return block;
}

Result<Rate> measure_rate(std::string name, std::uint64_t bytes, const std::function<Result<>()>& work) {
  const auto start = SteadyClock::now();
  const Result<> done = work();
  if (!done.ok()) return done.error();
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  return Rate{.name = std::move(name), .bytes_per_second = static_cast<double>(bytes) / seconds};
}

Result<> append_all(ScratchFile& file, std::uint64_t size, std::span<const std::byte> block) {
  for (std::uint64_t position = 0; position < size; position += block.size()) {
    if (is_interrupted()) return Error(Errc::wakeup, "stopped");
    const Result<> written = file.write_at(position, block);
    if (!written.ok()) return written;
  }
  return file.sync_data();
}

// Appends through one path, each into a file of its own, the sync at the end included.
Result<> measure_appends(const std::filesystem::path& directory, DiskReport& report) {
  const std::vector<std::byte> block = make_block(append_bytes);
  Result<ScratchFile> growing = ScratchFile::make(directory);
  if (!growing.ok()) return growing.error();
  for (const char* const name : {"append: pwrite, growing file", "append: pwrite, file written before"}) {
    const Result<Rate> rate =
        measure_rate(name, report.size, [&] { return append_all(*growing, report.size, block); });
    if (!rate.ok()) return rate.error();
    report.rates.push_back(*rate);
  }
  Result<ScratchFile> reserved = ScratchFile::make(directory);
  if (!reserved.ok()) return reserved.error();
  const std::string name = "append: stores into a map, blocks reserved";
  const Result<> allocated = reserved->allocate(report.size);
  if (!allocated.ok()) {
    report.rates.push_back({.name = name, .note = allocated.error().message()});
    return {};
  }
  const Result<Rate> rate = measure_rate(name, report.size, [&] {
    const Result<> stored = reserved->store_all(report.size, block);
    return stored.ok() ? reserved->sync_data() : stored;
  });
  if (!rate.ok()) return rate.error();
  report.rates.push_back(*rate);
  return {};
}

Result<> measure_reads(const std::filesystem::path& directory, DiskReport& report) {
  const std::vector<std::byte> block = make_block(append_bytes);
  std::vector<std::byte> buffer(256 * 1024);
  Result<ScratchFile> file = ScratchFile::make(directory);
  if (!file.ok()) return file.error();
  const Result<> written = append_all(*file, report.size, block);
  if (!written.ok()) return written;
  for (const bool cold : {true, false}) {
    const Result<Rate> rate = measure_rate(cold ? "read: cold" : "read: hot", report.size,
                                           [&] { return file->read_all(report.size, buffer, cold); });
    if (!rate.ok()) return rate.error();
    report.rates.push_back(*rate);
  }
  return {};
}

// One append of 4 KiB and a sync, again and again. The file is written once before if `prepared`.
Result<SyncLatency> measure_syncs(const std::filesystem::path& directory, std::string name, bool prepared) {
  const std::vector<std::byte> block = make_block(commit_bytes);
  Result<ScratchFile> file = ScratchFile::make(directory);
  if (!file.ok()) return file.error();
  if (prepared) {
    const Result<> written = append_all(*file, std::uint64_t{commit_bytes} * syncs_max, block);
    if (!written.ok()) return written.error();
  }
  SyncLatency result{.name = std::move(name)};
  const auto start = SteadyClock::now();
  for (int i = 0; i < syncs_max && SteadyClock::now() - start < sync_time_max && !is_interrupted(); ++i) {
    const auto before = SteadyClock::now();
    const Result<> written = file->write_at(static_cast<std::uint64_t>(i) * commit_bytes, block);
    if (!written.ok()) return written.error();
    const Result<> synced = file->sync_data();
    if (!synced.ok()) return synced.error();
    result.latency.record(SteadyClock::now() - before);
  }
  return result;
}

double rate_of(const DiskReport& report, std::string_view name) {
  const auto found = std::find_if(report.rates.begin(), report.rates.end(),
                                  [&](const Rate& rate) { return rate.name == name; });
  return found == report.rates.end() ? 0 : found->bytes_per_second.value_or(0);
}

std::vector<std::string> conclusions(const DiskReport& report) {
  std::vector<std::string> lines;
  const auto growing = report.syncs[0].latency.percentile(50);
  const auto prepared = report.syncs[1].latency.percentile(50);
  if (report.file_system == "tmpfs") {
    lines.emplace_back("this is memory, not storage: nothing here survives a power cut, whatever the acks");
  } else if (std::min(growing, prepared) < honest_sync) {
    lines.push_back("a sync returns after " + readable_duration(std::min(growing, prepared)) +
                    ", faster than any medium can write: something below promises what it does not keep; "
                    "acks=all may not survive a power cut here");
  }
  const double commits = growing.count() > 0 ? 1e9 / static_cast<double>(growing.count()) : 0;
  lines.push_back("acks=all: one producer that waits for each acknowledgement gets about " +
                  fixed(commits, 0) +
                  " commits/s; producers that commit at the same time share a sync, and linger gathers "
                  "records into fewer");
  const double p99 = static_cast<double>(report.syncs[0].latency.percentile(99).count());
  if (growing.count() > 0 && p99 > 10 * static_cast<double>(growing.count())) {
    lines.push_back(
        "the slowest hundredth of syncs takes over " + fixed(p99 / static_cast<double>(growing.count()), 0) +
        " times the median: the disk is shared or short of queue; expect it in the tail of acks=all");
  }
  const double mapped = rate_of(report, "append: stores into a map, blocks reserved");
  const double written = rate_of(report, "append: pwrite, growing file");
  if (mapped == 0) {
    lines.emplace_back(
        "this file system cannot reserve blocks: the engine appends with pwrite here (WriteMode::written)");
  } else {
    lines.push_back("large appends: " + std::string(mapped >= written ? "stores into a map" : "pwrite") +
                    " is ahead here (" + readable_size(mapped) + "/s mapped, " + readable_size(written) +
                    "/s written); for small records the map saves a system call each");
  }
  const double cold = rate_of(report, "read: cold");
  if (cold > 0) {
    lines.push_back("recovery and replay from a cold cache read about " + readable_size(cold) +
                    "/s: a minute covers " + readable_size(cold * 60));
  }
  return lines;
}

void print(Context& context, const DiskReport& report) {
  const std::vector<std::string> meaning = conclusions(report);
  if (context.format() == OutputFormat::json || context.format() == OutputFormat::jsonl) {
    Json rates = Json::array();
    for (const Rate& rate : report.rates) {
      rates.push_back(
          {{"name", rate.name},
           {"bytes_per_second", rate.bytes_per_second ? Json(*rate.bytes_per_second) : Json(nullptr)},
           {"note", rate.note}});
    }
    Json syncs = Json::array();
    for (const SyncLatency& sync : report.syncs) {
      syncs.push_back(
          {{"name", sync.name}, {"count", sync.latency.count()}, {"latency_ns", percentiles(sync.latency)}});
    }
    print_json(context.out, context.format(),
               {{"file_system", report.file_system},
                {"size", report.size},
                {"rates", rates},
                {"syncs", syncs},
                {"meaning", meaning}});
    return;
  }
  context.out.write("file system " + report.file_system + ", test file " +
                    readable_size(static_cast<double>(report.size)) + "\n");
  for (const Rate& rate : report.rates) {
    context.out.write("  " + rate.name + ": " +
                      (rate.bytes_per_second ? readable_size(*rate.bytes_per_second) + "/s" : rate.note) +
                      "\n");
  }
  for (const SyncLatency& sync : report.syncs)
    context.out.write("  " + sync.name + ": " + percentile_line(sync.latency) + "\n");
  for (const std::string& line : meaning) context.out.write("- " + line + "\n");
}

}  // namespace

Result<ExitCode> perf_disk(Context& context, const DiskArguments& arguments) {
  const Result<std::int64_t> size = base::parse_size(arguments.size);
  if (!size.ok()) return size.error();
  constexpr std::int64_t smallest = 1 << 20;
  constexpr std::int64_t largest = std::int64_t{64} << 30;
  if (*size < smallest || *size > largest)
    return Error(Errc::invalid_argument, "--size " + arguments.size + " is outside 1MiB .. 64GiB");
  const Result<FileSystemRoom> room = room_of(arguments.directory);
  if (!room.ok()) return room.error();
  DiskReport report{.file_system = room->type,
                    .size = static_cast<std::uint64_t>(*size) / append_bytes * append_bytes};
  const Result<> appended = measure_appends(arguments.directory, report);
  if (!appended.ok()) return appended.error();
  const Result<> read = measure_reads(arguments.directory, report);
  if (!read.ok()) return read.error();
  for (const bool prepared : {false, true}) {
    const Result<SyncLatency> sync =
        measure_syncs(arguments.directory,
                      prepared ? "sync: 4 KiB, file written before" : "sync: 4 KiB, growing file", prepared);
    if (!sync.ok()) return sync.error();
    report.syncs.push_back(*sync);
  }
  print(context, report);
  return ExitCode::ok;
}

}  // namespace seriatim::cli
