#include "relay/relay_text.hpp"

#include <cstdint>
#include <utility>

#include "text/quantity.hpp"

namespace seriatim::cli {

std::string relay_line(const RelayProgress& progress) {
  std::string text = count_of(progress.records, "record") + "  " +
                     readable_size(static_cast<double>(progress.bytes)) + "  " +
                     std::to_string(progress.lag) + " left  " + fixed(progress.records_per_second, 0) +
                     " records/s  " + readable_size(progress.bytes_per_second) + "/s";
  if (progress.time_left && progress.time_left->count() > 0)
    text += "  ETA " + readable_duration(*progress.time_left);
  return text;
}

std::string relay_summary(const RelayProgress& progress) {
  std::string text = "relayed " + count_of(progress.records, "record") + ", " +
                     readable_size(static_cast<double>(progress.bytes)) + ", in " +
                     count_of(progress.batches, "batch", "batches") + "; " + std::to_string(progress.lag) +
                     " left";
  const std::pair<std::uint64_t, const char*> others[] = {{progress.skipped, " skipped"},
                                                          {progress.dead_letters, " to the dead letters"},
                                                          {progress.deleted, " deleted before"}};
  for (const auto& [count, what] : others) {
    if (count > 0) text += ", " + std::to_string(count) + what;
  }
  return text;
}

}  // namespace seriatim::cli
