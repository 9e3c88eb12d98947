// The common part of the `perf` commands: the settings, the data, the pace.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>

#include "command.hpp"

namespace seriatim::cli {

struct PerfArguments {
  std::string topic{};
  std::optional<std::int64_t> partitions{};
  std::optional<std::int64_t> records{};
  std::string duration{};
  std::string record_size = "100";
  std::optional<std::int64_t> batch_records{};
  std::optional<std::int64_t> producers{};
  std::optional<std::int64_t> rate{};
  std::string acks = "leader";
  std::string codec = "none";
  std::string wait = "block";
  bool skip_crc = false;
};

/// How much to do: whichever of the two ends first.
struct PerfLimits {
  std::uint64_t records = 0;
  std::chrono::nanoseconds duration{0};
  std::size_t record_bytes = 0;
};
/// Errors: invalid_argument: a size, count or duration that makes no sense.
Result<PerfLimits> limits_of(const PerfArguments& arguments, std::uint64_t default_records);

/// Creates the topic if it is not there.
Result<TopicDescription> ensure_topic(const Engine& engine, const PerfArguments& arguments);

/// Text that compresses about as well as log lines do, and a window into it that moves with every record.
class PerfData {
 public:
  explicit PerfData(std::size_t record_bytes);
  std::string_view next() noexcept;

 private:
  std::size_t record_bytes_;
  std::string text_;
  std::size_t at_ = 0;
};

/// Says when each operation was meant to start: at a fixed rate, whether or not the one before was slow (so
/// that a stall is counted in full), or at once if no rate is asked for.
class Pace {
 public:
  Pace(std::chrono::steady_clock::time_point start, std::optional<double> operations_per_second);
  /// Waits until the next operation is due and returns when that was.
  std::chrono::steady_clock::time_point await_next();

 private:
  std::chrono::steady_clock::time_point next_;
  std::chrono::nanoseconds interval_{0};
};

}  // namespace seriatim::cli
