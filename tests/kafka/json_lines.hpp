// The lines that the Kafka oracle's `read` prints, made by our side: one per batch, one per record, one for
// the end. Field by field and letter by letter the same, so that a test compares them as they are.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

#include "format/batch/control_record.hpp"
#include "format/batch_header.hpp"

namespace seriatim::kafka_test {

/// A record with the values a reader must see.
struct RecordLine {
  Offset offset = 0;
  std::int64_t timestamp_ms = -1;
  Sequence sequence = -1;
  BytesView key{};
  BytesView value{};
  std::span<const HeaderView> headers{};
  std::optional<format::ControlRecord> control{};
};

std::string batch_line(const format::BatchHeader& header, std::uint64_t position, bool crc_is_valid);
std::string record_line(const RecordLine& record);
std::string end_line(std::uint64_t position);
std::string fault_line(std::uint64_t position, std::string_view message);

}  // namespace seriatim::kafka_test
