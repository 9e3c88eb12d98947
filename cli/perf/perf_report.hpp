// The results of a measurement, for people and for programs.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "context.hpp"
#include "perf/latency_histogram.hpp"

namespace seriatim::cli {

struct Measurement {
  std::string what{};        ///< "produce", and the settings that shaped it.
  std::string latency_of{};  ///< The span of one latency.
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  ///< Keys and values, not what surrounds them on the disk.
  std::chrono::nanoseconds elapsed{0};
  LatencyHistogram latency{};
};

void print(Context& context, const Measurement& measurement);
/// Percentiles in nanoseconds: p50, p90, p99, p99_9, p99_99, max, mean.
Json percentiles(const LatencyHistogram& latency);
/// "p50 11 us  p90 18 us ..."
std::string percentile_line(const LatencyHistogram& latency);

}  // namespace seriatim::cli
