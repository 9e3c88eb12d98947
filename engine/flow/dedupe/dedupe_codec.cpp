#include "flow/dedupe/dedupe_codec.hpp"

#include <span>

namespace seriatim::flow {
namespace {

constexpr std::uint8_t dedupe_version = 1;
constexpr std::size_t number_bytes = 8;
constexpr std::size_t row_head_bytes = 1 + 2 * number_bytes + 1;
// Never reached by counting: a number that cannot be counted on from is none of ours.
constexpr std::uint64_t bucket_max = std::uint64_t{1} << 62U;
constexpr std::size_t limits_bytes = 1 + 2 * number_bytes;

void put_number(std::string& bytes, std::uint64_t value) {
  for (std::size_t i = 0; i < number_bytes; ++i, value >>= 8U)
    bytes.push_back(static_cast<char>(value & 0xFFU));
}

std::uint64_t number_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = number_bytes; i > 0; --i)
    value = value << 8U | static_cast<std::uint64_t>(bytes[at + i - 1]);
  return value;
}

std::chrono::milliseconds ms_at(std::span<const std::byte> bytes, std::size_t at) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(number_at(bytes, at))};
}

}  // namespace

std::string encode(const DedupeMark& mark, BytesView result) {
  std::string bytes;
  bytes.reserve(row_head_bytes + result.size());
  bytes.push_back(static_cast<char>(dedupe_version));
  put_number(bytes, mark.bucket);
  put_number(bytes, static_cast<std::uint64_t>(mark.time.time_since_epoch().count()));
  bytes.push_back(result.is_null() ? '\0' : '\1');
  bytes += result.text();
  return bytes;
}

std::optional<DedupeRow> decode_dedupe_row(const std::vector<std::byte>& bytes) {
  if (bytes.size() < row_head_bytes || bytes[0] != std::byte{dedupe_version}) return std::nullopt;
  DedupeRow row;
  row.mark.bucket = number_at(bytes, 1);
  row.mark.time = Timestamp{ms_at(bytes, 1 + number_bytes)};
  const std::byte has_result = bytes[row_head_bytes - 1];
  const std::span<const std::byte> result = std::span(bytes).subspan(row_head_bytes);
  if (row.mark.bucket > bucket_max) return std::nullopt;
  if (has_result > std::byte{1} || (has_result == std::byte{0} && !result.empty())) return std::nullopt;
  if (has_result == std::byte{1}) row.result.emplace(BytesView(result).text());
  return row;
}

std::string encode(const DedupeLimits& limits) {
  std::string bytes;
  bytes.push_back(static_cast<char>(dedupe_version));
  put_number(bytes, static_cast<std::uint64_t>(limits.time.count()));
  put_number(bytes, limits.count);
  return bytes;
}

std::optional<DedupeLimits> decode_dedupe_limits(const std::vector<std::byte>& bytes) {
  if (bytes.size() != limits_bytes || bytes[0] != std::byte{dedupe_version}) return std::nullopt;
  return DedupeLimits{.time = ms_at(bytes, 1), .count = number_at(bytes, 1 + number_bytes)};
}

std::string dedupe_state(std::string_view name) { return "__dedupe:" + std::string(name); }
std::string dedupe_window_state(std::string_view name) { return "__dedupe_window:" + std::string(name); }

Error unreadable_dedupe(std::string_view state, std::string_view key) {
  return {Errc::corrupt_metadata,
          "id " + std::string(key) + ", state " + std::string(state) +
              ": its bytes are not those of a deduplicator, or a newer seriatim wrote them; `seriatim state "
              "get` shows them"};
}

}  // namespace seriatim::flow
