// Offsets of groups as kafka-consumer-groups exports and reads them: CSV (RFC 4180) without a heading, of one
// group `topic,partition,offset`, of several `group,topic,partition,offset`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim::cli {

struct CsvOffset {
  TopicPartition at{};
  Offset offset = 0;  ///< As it stands there, below 0 too.
  std::uint64_t line = 0;
  bool operator==(const CsvOffset&) const = default;
};

/// "topic,partition,offset\n", with `group` in front if it is not null. Fields are quoted where they need it.
std::string csv_line(const std::string* group, const TopicPartition& at, Offset offset);

/// The offsets of `group` in a file of either form: of the lines with four fields those that name it, and all
/// with three. Empty lines count for nothing.
/// Errors: invalid_argument, with the line: it has neither form, or an earlier one gives the same partition.
/// not_found: no line is for the group.
Result<std::vector<CsvOffset>> parse_csv_offsets(std::string_view text, std::string_view group);

}  // namespace seriatim::cli
