// DIR/counters: the numbers of `Metrics` in a mapped file, for another process to look at while this one runs
// and after it died.
//
//   0   8  magic "SERCNTRS"
//   8   4  version, little-endian (1)
//   12  4  number of values n, little-endian: the largest id and one
//   16  8  pid, little-endian
//   24  8  wall clock of the last update in ms, little-endian
//   32  8n values, little-endian, each at the place of its id (counter_ids.hpp)
//
// and the jobs of background work, of which an older writer has none:
//
//   2048    8  magic "SERIJOBS"
//   2056    8  number of jobs m, little-endian
//   2064 168m  one job each:
//       0  24  name, ended by zeros
//      24   8  period in ms; 0: it comes when it is wanted
//      32   8  runs that have begun
//      40   8  runs that have ended
//      48   8  of those, how many failed
//      56   8  wall clock of the last begin in ms; 0: none
//      64   8  wall clock of the last end in ms; 0: none
//      72  96  what failed in the run that ended last, ended by zeros, cut if it is longer; empty: nothing
//
// Where the file is mapped every value is stored with one aligned 8-byte store; together they are no
// consistent cut.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/metrics.hpp>
#include <seriatim/result.hpp>

#include "directory/upkeep/periodic_job.hpp"
#include "os/mapping.hpp"
#include "os/vfs.hpp"

namespace seriatim::directory {

inline constexpr const char* counters_file_name = "counters";

class CountersFile {
 public:
  /// @param is_mapped  values are stored into a map. Else they are written: for file systems where a store
  /// into a block that is allocated may need another one, and meet a full disk as SIGBUS.
  static Result<std::unique_ptr<CountersFile>> create(os::Vfs& vfs, const std::string& directory,
                                                      bool is_mapped = true);
  /// One writer.
  /// Cost: a store per value that has changed, or one write.
  void update(const Metrics& metrics, const std::vector<JobReport>& jobs, std::int64_t wall_ms) noexcept;

 private:
  explicit CountersFile(os::Mapping map) noexcept : map_(std::move(map)) {}
  CountersFile(std::unique_ptr<os::File> file, std::vector<std::byte> image) noexcept
      : file_(std::move(file)), image_(std::move(image)) {}
  std::byte* bytes() noexcept { return file_ == nullptr ? map_.data() : image_.data(); }
  os::Mapping map_;
  // Where they are written:
  std::unique_ptr<os::File> file_;
  std::vector<std::byte> image_;
};

struct PublishedCounters {
  std::int64_t pid = 0;
  std::int64_t updated_ms = 0;
  Metrics metrics{};
  std::vector<JobReport> jobs{};
};

/// The numbers that the last writer published; nullopt if there is no counters file.
/// Errors: unsupported_version, corrupt_metadata, and those of the file system.
Result<std::optional<PublishedCounters>> read_counters(os::Vfs& vfs, const std::string& directory);

}  // namespace seriatim::directory
