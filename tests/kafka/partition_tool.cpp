// Our partition as a counterpart of the oracle: the same batches and the same configuration must give the
// same directory. Goes through the partition layer and nothing above it, so that batches of producers and
// transactions can be fed in as Kafka wrote them.
#include <algorithm>
#include <charconv>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "catalog/records/topic_config_rules.hpp"
#include "format/batch/batch_check.hpp"
#include "os/file/fd_cache.hpp"
#include "os/file/posix_vfs.hpp"
#include "partition/compaction/compaction.hpp"
#include "partition/partition.hpp"

namespace {

namespace fs = std::filesystem;
namespace base = seriatim::base;
namespace format = seriatim::format;
namespace os = seriatim::os;
namespace partition = seriatim::partition;
using seriatim::Errc;
using seriatim::Error;
using seriatim::Offset;
using seriatim::Result;

constexpr int exit_failed = 2;
constexpr std::string_view usage =
    "usage: partition_tool replay FROM TO [name=value]...  appends every batch of FROM's .log files to a new "
    "partition TO\n"
    "       partition_tool recover DIR [name=value]...      opens DIR as after a crash, and closes it\n"
    "       partition_tool compact DIR [name=value]...      opens DIR, compacts it once, and closes it\n"
    "Names are topic configurations, or now=MS, the clock (0 if not given).\n";

/// The words of the command line behind the directories.
struct Settings {
  std::int64_t now_ms = 0;
  seriatim::TopicConfig config{};
};

Result<Settings> parse_settings(const std::vector<std::string>& pairs) {
  Settings settings;
  std::map<std::string, std::string> overrides;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos) {
      return Error(Errc::invalid_argument, "'" + pair + "' is not of the form name=value");
    }
    overrides[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  if (const auto now = overrides.find("now"); now != overrides.end()) {
    const std::string& text = now->second;
    const char* end = text.data() + text.size();
    if (std::from_chars(text.data(), end, settings.now_ms).ptr != end) {
      return Error(Errc::invalid_argument, "now=" + text + " is not a number of milliseconds");
    }
    overrides.erase(now);
  }
  auto config = seriatim::catalog::resolve_config(overrides);
  if (!config) return config.error();
  settings.config = *config;
  return settings;
}

/// Everything a partition needs from an engine.
class Workbench {
 public:
  explicit Workbench(const Settings& settings) : settings_(settings), clock_(settings.now_ms) {}

  Result<partition::PartitionPtr> open(const fs::path& directory,
                                       const partition::PartitionCheckpoint& checkpoint = {}) {
    partition::PartitionRequest request;
    request.checkpoint = checkpoint;
    request.name = {directory.filename().string(), 0};
    request.directory = directory.string();
    request.config = settings_.config;
    return partition::Partition::open(environment_, request);
  }

 private:
  Settings settings_;
  base::ManualClock clock_;
  os::FdCache files_{os::posix_vfs(), os::FdCache::default_capacity()};
  seriatim::segment::MapCache maps_;
  partition::StorageHealth health_;
  partition::PartitionCounters counters_;
  partition::PartitionEnvironment environment_{
      .files = {os::posix_vfs(), files_},
      .maps = maps_,
      .clock = clock_,
      .health = health_,
      .counters = counters_,
      .report = [](bool, std::string_view line) { std::cerr << "partition_tool: " << line << '\n'; }};
};

/// Beside the directory: what a catalog would keep. Where batches are missing, recovery has to know that they
/// were not lost.
fs::path checkpoint_path(const fs::path& directory) { return directory.string() + ".checkpoint"; }

partition::PartitionCheckpoint stored_checkpoint(const fs::path& directory) {
  partition::PartitionCheckpoint checkpoint;
  std::ifstream(checkpoint_path(directory)) >> checkpoint.recovery_point_offset >>
      checkpoint.recovery_segment_base >> checkpoint.recovery_position >> checkpoint.compacted_to_offset;
  return checkpoint;
}

Result<> close(partition::Partition& opened) {
  if (const auto damage = opened.damage()) {
    return Error(Errc::corrupt_record, opened.directory() + " is damaged: " + *damage);
  }
  const Offset end = opened.log_end_offset();
  const auto closed = opened.close();
  if (!closed) return closed.error();
  std::ofstream(checkpoint_path(opened.directory()))
      << closed->recovery_point_offset << ' ' << closed->recovery_segment_base << ' '
      << closed->recovery_position << ' ' << closed->compacted_to_offset << '\n';
  std::cout << "{\"log_end_offset\":" << end << "}\n";
  return {};
}

Result<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Errc::not_found, "cannot open '" + path.string() + "' for reading");
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return Error(Errc::io_error, "reading '" + path.string() + "' failed: check the disk");
  return content;
}

Result<> append_all(partition::Partition& to, const fs::path& log) {
  auto content = read_file(log);
  if (!content) return content.error();
  std::span<std::byte> rest{reinterpret_cast<std::byte*>(content->data()), content->size()};
  while (!rest.empty()) {
    const format::BatchFault fault = format::check_batch(rest, to.log_end_offset());
    if (fault != format::BatchFault::none) {
      return Error(Errc::corrupt_record, log.string() + ": " + std::string(format::describe(fault)));
    }
    const format::BatchHeader header = format::read_batch_header(rest.data());
    const auto appended = to.append({.bytes = rest.first(header.size_bytes()), .header = header});
    if (!appended) return appended.error();
    rest = rest.subspan(header.size_bytes());
  }
  return {};
}

Result<> replay(const fs::path& from, const fs::path& to, const Settings& settings) {
  std::vector<fs::path> logs;
  for (const auto& entry : fs::directory_iterator(from)) {
    if (entry.path().extension() == ".log") logs.push_back(entry.path());
  }
  std::ranges::sort(logs);
  Workbench bench(settings);
  auto opened = bench.open(to);
  if (!opened) return opened.error();
  for (const fs::path& log : logs) {
    if (auto appended = append_all(**opened, log); !appended) return appended.error();
  }
  return close(**opened);
}

Result<> recover(const fs::path& directory, const Settings& settings) {
  Workbench bench(settings);
  auto opened = bench.open(directory);
  if (!opened) return opened.error();
  return close(**opened);
}

Result<> compact(const fs::path& directory, const Settings& settings) {
  Workbench bench(settings);
  auto opened = bench.open(directory, stored_checkpoint(directory));
  if (!opened) return opened.error();
  // In place of an engine's catalog: compaction stays below the recovery point that is stored there.
  if (auto synced = (*opened)->sync(); !synced) return synced.error();
  (*opened)->checkpoint_stored((*opened)->checkpoint());
  const auto done = partition::compact(**opened, {.force = true});
  if (!done) return done.error();
  if (!done->ran)
    return Error(Errc::invalid_state, "compaction found nothing to do in " + directory.string());
  return close(**opened);
}

Result<> run(const std::string& command, const std::vector<std::string>& words) {
  const std::size_t directories = command == "replay" ? 2 : 1;
  if (words.size() < directories) return Error(Errc::invalid_argument, std::string(usage));
  const auto settings =
      parse_settings({words.begin() + static_cast<std::ptrdiff_t>(directories), words.end()});
  if (!settings) return settings.error();
  if (command == "replay") return replay(words[0], words[1], *settings);
  if (command == "recover") return recover(words[0], *settings);
  if (command == "compact") return compact(words[0], *settings);
  return Error(Errc::invalid_argument, std::string(usage));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + std::min(argc, 2), argv + argc);
    const auto done = run(argc > 1 ? argv[1] : "", words);
    std::cout.flush();
    if (done && std::cout) return 0;
    std::cerr << "partition_tool: " << (done ? "standard output cannot be written" : done.error().message())
              << '\n';
  } catch (const std::exception& problem) {
    std::cerr << "partition_tool: " << problem.what() << '\n';
  }
  return exit_failed;
}
