// Reads a .log file with the format layer alone and prints what it finds as JSON lines.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

#include <seriatim/result.hpp>

namespace seriatim::kafka_test {

/// The memory that the records of one batch may take, decompressed.
inline constexpr std::size_t section_bytes_max = std::size_t{1} << 30;

/// Prints every batch and record of the file at `path`, then how the walk ended.
/// @return false if it ended at a fault; a torn tail is a normal end, as it is for Kafka.
/// Errors: not_found, io_error: the file cannot be read.
Result<bool> dump_segment(const std::string& path, std::ostream& out);

}  // namespace seriatim::kafka_test
