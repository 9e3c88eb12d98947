// Lists of partitions and delimiters as people write them (0,2-5), and numbers as they read them. Sizes,
// durations and times are read by base/text.hpp and base/time_text.hpp, as settings are.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim::cli {

/// "0,2-5": sorted, each once.
/// Errors: invalid_argument.
/// Threads: any.
Result<std::vector<PartitionId>> parse_partitions(std::string_view text);
/// A delimiter with C's escapes: \n \t \r \0 \\ \xHH.
/// Errors: invalid_argument.
/// Threads: any.
Result<std::string> parse_delimiter(std::string_view text);

/// "1 record", "2 records"; `noun` is one whose plural ends in s, or `plural` says it.
std::string count_of(std::uint64_t count, const std::string& noun, const std::string& plural = {});
/// `value` with `digits` places after the point.
std::string fixed(double value, int digits);
/// "1.2 MiB".
std::string readable_size(double bytes);
/// "11 us", "2.9 ms", "1.5 s".
std::string readable_duration(std::chrono::nanoseconds duration);

}  // namespace seriatim::cli
