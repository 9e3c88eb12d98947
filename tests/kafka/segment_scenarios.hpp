// The segments we write for Kafka to read: between them, everything our encoder can produce.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>

#include "segment_writer.hpp"

namespace seriatim::kafka_test {

struct ScenarioEntry {
  std::string_view name;
  Result<> (*write)(SegmentWriter& writer, std::uint64_t seed);
};

const std::vector<ScenarioEntry>& segment_scenarios();

}  // namespace seriatim::kafka_test
