// A partition as readers of the public API see it, printed as the Kafka oracle's `fetch` prints it.
#pragma once

#include <string>
#include <vector>

#include <seriatim/seriatim.hpp>

namespace seriatim::kafka_test {

/// Prints a line with the partition's offsets, then one for each isolation level and start offset.
/// Errors: invalid_state: LogReader, forward and backward, and Consumer do not see the same.
Result<> print_view(const Engine& engine, const TopicPartition& at, const std::vector<Offset>& starts);

}  // namespace seriatim::kafka_test
