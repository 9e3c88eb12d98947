#include "flow/dead_letters/dead_letter_headers.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace seriatim::flow {
namespace {

std::optional<std::string> text_or_nothing(BytesView bytes) {
  if (bytes.is_null()) return std::nullopt;
  return std::string(bytes.text());
}

}  // namespace

void add_death(HeaderList& headers, const DeadLetter& letter) {
  headers.text(letter_topic, letter.topic);
  if (letter.record_partition) headers.number(letter_partition, *letter.record_partition);
  if (letter.record_offset) headers.number(letter_offset, *letter.record_offset);
  headers.text(letter_group, letter.group);
  headers.number(letter_attempts, letter.attempts);
  headers.text(letter_message, header_message(letter.error));
  headers.text(letter_error_name, letter.error_name);
  if (letter.record_timestamp) headers.time(letter_timestamp, *letter.record_timestamp);
  if (letter.first_failure) headers.time(letter_first_failure, *letter.first_failure);
  headers.time(letter_time, letter.time);
}

DeadLetter dead_letter_of(const RecordView& record) {
  DeadLetter letter{.partition = record.partition(), .offset = record.offset(), .time = record.timestamp()};
  // Of a share group's letter its timestamp is that of the death.
  if (const auto time = header_time(record.header(letter_time))) letter.time = *time;
  letter.topic = header_text(record.header(letter_topic));
  letter.record_partition = header_number<PartitionId>(record.header(letter_partition));
  letter.record_offset = header_number<Offset>(record.header(letter_offset));
  letter.record_timestamp = header_time(record.header(letter_timestamp));
  letter.group = header_text(record.header(letter_group));
  letter.attempts = header_number<std::uint32_t>(record.header(letter_attempts)).value_or(0);
  letter.error = header_text(record.header(letter_message));
  letter.error_name = header_text(record.header(letter_error_name));
  letter.first_failure = header_time(record.header(letter_first_failure));
  letter.key = text_or_nothing(record.key());
  letter.value = text_or_nothing(record.value());
  for (std::size_t i = 0; i < record.header_count(); ++i) {
    const HeaderView header = record.header(i);
    if (header.key.starts_with(dead_letter_prefix)) continue;
    letter.headers.emplace_back(std::string(header.key), text_or_nothing(header.value));
  }
  return letter;
}

}  // namespace seriatim::flow
