#include "flow/retry/retry_headers.hpp"

#include <utility>

namespace seriatim::flow {
namespace {

constexpr std::string_view origin_topic = "__retry.topic";
constexpr std::string_view origin_partition = "__retry.partition";
constexpr std::string_view origin_offset = "__retry.offset";
constexpr std::string_view origin_timestamp = "__retry.timestamp";
constexpr std::string_view origin_attempts = "__retry.attempts";
constexpr std::string_view origin_first_failure = "__retry.first.time";
constexpr std::string_view origin_message = "__retry.message";
constexpr std::string_view origin_sequence = "__retry.sequence";

}  // namespace

void add_origin(HeaderList& headers, const RetryOrigin& origin) {
  headers.text(origin_topic, origin.topic);
  headers.number(origin_partition, origin.partition);
  headers.number(origin_offset, origin.offset);
  headers.time(origin_timestamp, origin.timestamp);
  headers.number(origin_attempts, origin.attempts);
  if (origin.first_failure) headers.time(origin_first_failure, *origin.first_failure);
  if (origin.attempts > 0) headers.text(origin_message, header_message(origin.error));
  if (origin.sequence) headers.number(origin_sequence, *origin.sequence);
}

std::optional<RetryOrigin> decode_origin(const RecordView& record) {
  const auto partition = header_number<PartitionId>(record.header(origin_partition));
  const auto offset = header_number<Offset>(record.header(origin_offset));
  const auto timestamp = header_time(record.header(origin_timestamp));
  const auto attempts = header_number<std::uint32_t>(record.header(origin_attempts));
  std::string topic = header_text(record.header(origin_topic));
  if (topic.empty() || !partition || *partition < 0 || !offset || !timestamp || !attempts)
    return std::nullopt;
  return RetryOrigin{.topic = std::move(topic),
                     .partition = *partition,
                     .offset = *offset,
                     .timestamp = *timestamp,
                     .attempts = *attempts,
                     .first_failure = header_time(record.header(origin_first_failure)),
                     .error = header_text(record.header(origin_message)),
                     .sequence = header_number<std::uint64_t>(record.header(origin_sequence))};
}

RetryOrigin origin_of(const RecordView& record) {
  return {.topic = std::string(record.topic()),
          .partition = record.partition(),
          .offset = record.offset(),
          .timestamp = record.timestamp()};
}

}  // namespace seriatim::flow
