#include "flow/request/reply_headers.hpp"

#include <charconv>

#include <seriatim/flow/request_reply.hpp>

namespace seriatim::flow {
namespace {

constexpr std::size_t correlation_bytes = 16;
constexpr std::size_t partition_bytes = 4;
// Enough for people; it must not make a reply too large. Arbitrary.
constexpr std::size_t error_text_bytes_max = 4'096;

void put_highest_first(std::string& bytes, std::uint64_t value, std::size_t count) {
  for (std::size_t i = count; i > 0; --i) bytes.push_back(static_cast<char>(value >> (8 * (i - 1)) & 0xFFU));
}

std::uint64_t highest_first(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

std::string encode_correlation(const CorrelationId& id) {
  std::string bytes;
  put_highest_first(bytes, id.requester, 8);
  put_highest_first(bytes, id.number, 8);
  return bytes;
}

std::optional<CorrelationId> decode_correlation(BytesView bytes) {
  if (bytes.size() != correlation_bytes) return std::nullopt;
  return CorrelationId{.requester = highest_first(bytes.text().substr(0, 8)),
                       .number = highest_first(bytes.text().substr(8))};
}

std::string encode_reply_partition(PartitionId partition) {
  std::string bytes;
  put_highest_first(bytes, static_cast<std::uint32_t>(partition), partition_bytes);
  return bytes;
}

std::optional<PartitionId> decode_reply_partition(BytesView bytes) {
  if (bytes.size() != partition_bytes) return std::nullopt;
  const auto partition = static_cast<PartitionId>(static_cast<std::uint32_t>(highest_first(bytes.text())));
  if (partition < 0) return std::nullopt;
  return partition;
}

std::string encode_reply_error(const Error& error) {
  return std::to_string(static_cast<std::int32_t>(error.code())) + " " +
         error.message().substr(0, error_text_bytes_max);
}

Error decode_reply_error(BytesView bytes) {
  const std::string_view text = bytes.text();
  std::int32_t code = 0;
  const auto [stopped_at, failure] = std::from_chars(text.data(), text.data() + text.size(), code);
  const auto digits = static_cast<std::size_t>(stopped_at - text.data());
  const bool is_ours = failure == std::errc() && digits < text.size() && text[digits] == ' ' &&
                       name(static_cast<Errc>(code)) != "UNKNOWN";
  if (!is_ours) {
    return {Errc::invalid_record,
            "the responder answered an error that cannot be read: " + std::string(text)};
  }
  return {static_cast<Errc>(code), "the responder answered: " + std::string(text.substr(digits + 1))};
}

bool is_reply_header(std::string_view header) {
  return header == correlation_id_header || header == reply_topic_header ||
         header == reply_partition_header || header == reply_error_header;
}

}  // namespace seriatim::flow
