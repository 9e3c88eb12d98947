// Recovering what a crash left, with the ordinary engine, and looking at all of it.
#pragma once

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "base/clock.hpp"
#include "crash/power_model.hpp"
#include "directory/background.hpp"
#include "directory/engine_impl.hpp"
#include "os/file/posix_vfs.hpp"
#include "support/power_disk.hpp"

namespace seriatim::test {

/// Something is not as it must be; the message says what.
struct CrashFault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline const std::vector<std::string> power_groups{"g", "h"};

/// Small files, so that a state costs little, and nothing that happens by itself.
inline EngineOptions power_options() {
  return {.maintenance_interval = std::chrono::milliseconds(0),
          .checkpoint_interval = std::chrono::hours(24),
          .journal_max_bytes = std::uint64_t{1} << 30,
          .journal_file_bytes = 64U << 10,
          .journal_bypass_bytes = 2048};
}

/// Its clock stands still: background work is done when the test asks for it.
inline const base::ManualClock& power_clock() {
  static const base::ManualClock clock(1'700'000'000'000);
  return clock;
}

inline Engine open_power_engine(const std::string& directory, os::Vfs& vfs,
                                const base::Clock& clock = power_clock()) {
  return ::seriatim::detail::EngineImpl::handle(
      needed(::seriatim::detail::EngineImpl::open(directory, power_options(), vfs, clock)));
}

inline ModelRecords read_power_records(const Engine& engine, const TopicPartition& at) {
  ModelRecords records;
  const LogReader reader = needed(engine.reader(at));
  for (Offset next = reader.log_start_offset(); next < reader.log_end_offset();) {
    const ConsumerRecords read = needed(reader.read(next, 1000));
    if (read.empty()) break;
    for (const RecordView& record : read) {
      const OwnedRecord owned = record.to_owned();
      records[owned.offset] = {owned.key.value_or(""), owned.value.value_or("")};
      next = owned.offset + 1;
    }
  }
  return records;
}

/// Everything that the engine shows. INV-1 and INV-2 hold, and no partition says that it is damaged.
inline Contents contents_of(const Engine& engine) {
  Contents contents;
  for (const std::string& topic : needed(engine.admin().list_topics())) {
    auto& partitions = contents[topic];
    for (const auto& shown : needed(engine.admin().describe_topic(topic)).partitions) {
      const std::string name = topic + "-" + std::to_string(shown.partition);
      if (shown.damage) throw CrashFault(name + " is damaged: " + *shown.damage);
      const bool is_ordered = 0 <= shown.log_start_offset && shown.log_start_offset <= shown.high_watermark &&
                              shown.high_watermark <= shown.log_end_offset &&
                              shown.durable_offset <= shown.log_end_offset;
      if (!is_ordered) throw CrashFault(name + ": offsets out of order (INV-1)");
      partitions.push_back({.start = shown.log_start_offset,
                            .end = shown.log_end_offset,
                            .records = read_power_records(engine, {topic, shown.partition})});
    }
  }
  for (const std::string& group : power_groups) {
    for (const auto& offset : needed(engine.admin().group_offsets(group))) {
      const auto& at = offset.topic_partition;
      contents.at(at.topic).at(static_cast<std::size_t>(at.partition)).positions[group] =
          offset.committed.offset;
    }
  }
  return contents;
}

inline void check_findings(const VerifyReport& report) {
  for (const Finding& finding : report.findings) {
    if (finding.severity == Severity::damage)
      throw CrashFault("verify: " + finding.path + " @ " + std::to_string(finding.position) + ": " +
                       finding.what);
  }
}
inline void check_verified(const Engine& engine) { check_findings(needed(engine.admin().verify())); }

/// Before anybody has opened it: what the open heals is no damage.
inline void check_nothing_damaged(const std::string& directory) {
  auto report = verify(directory);
  // It was not born yet.
  if (!report && report.error().code() == Errc::not_a_data_directory) return;
  check_findings(needed(std::move(report)));
}

}  // namespace seriatim::test
