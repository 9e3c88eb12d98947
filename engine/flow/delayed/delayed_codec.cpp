#include "flow/delayed/delayed_codec.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

#include "flow/stored_fields.hpp"

namespace seriatim::flow {
namespace {

constexpr std::uint8_t delayed_version = 1;
constexpr std::uint8_t id_row_flag = 1;
constexpr std::size_t flags_at = 1;
constexpr std::size_t due_bytes = 8;
// Of an error's text: with it a row stays within a state's largest value.
constexpr std::size_t error_bytes_max = 1'024;

std::string_view due_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string encode_delayed(const ProducerRecord& record, bool has_id_row) {
  FieldWriter out;
  out.bytes.reserve(64 + record.topic.size() + record.key.size() + record.value.size());
  out.number(delayed_version);
  out.number(has_id_row ? id_row_flag : std::uint8_t{0});
  out.time(record.timestamp);
  out.number(record.partition.value_or(PartitionId{-1}));
  out.text(record.topic);
  out.text_or_null(record.key);
  out.text_or_null(record.value);
  out.number(static_cast<std::uint32_t>(record.headers.size()));
  for (const HeaderView& header : record.headers) {
    out.text(header.key);
    out.text_or_null(header.value);
  }
  return std::move(out.bytes);
}

std::optional<DelayedMessage> decode_delayed(const DelayedPosition& at, std::span<const std::byte> row) {
  FieldReader in(row);
  if (in.number<std::uint8_t>() != delayed_version) return std::nullopt;
  if (in.number<std::uint8_t>() > id_row_flag) return std::nullopt;
  DelayedMessage message{.id = at.id, .due = at.due};
  message.timestamp = in.time();
  const auto partition = in.number<PartitionId>();
  if (partition >= 0) message.partition = partition;
  message.topic = in.text();
  message.key = in.text_or_null();
  message.value = in.text_or_null();
  for (auto left = in.number<std::uint32_t>(); left > 0 && !in.has_failed(); --left) {
    std::string name = in.text();
    message.headers.emplace_back(std::move(name), in.text_or_null());
  }
  if (!in.is_at_end()) return std::nullopt;
  return message;
}

bool has_id_row(std::span<const std::byte> row) noexcept {
  return row.size() > flags_at && (static_cast<std::uint8_t>(row[flags_at]) & id_row_flag) != 0;
}

void set_id_row(std::vector<std::byte>& row) noexcept {
  if (row.size() > flags_at) row[flags_at] |= std::byte{id_row_flag};
}

std::string encode_parked(const Error& why, std::span<const std::byte> row) {
  FieldWriter out;
  out.number(delayed_version);
  out.number(static_cast<std::int32_t>(why.code()));
  out.text(std::string_view(why.message()).substr(0, error_bytes_max));
  out.bytes += due_text(row);
  return std::move(out.bytes);
}

std::optional<ParkedRow> decode_parked(std::span<const std::byte> bytes) {
  FieldReader in(bytes);
  if (in.number<std::uint8_t>() != delayed_version) return std::nullopt;
  const auto code = static_cast<Errc>(in.number<std::int32_t>());
  std::string text = in.text();
  if (in.has_failed()) return std::nullopt;
  return ParkedRow{.why = Error(code, std::move(text)), .row = in.rest()};
}

std::optional<DelayedMessage> decode_parked_message(const DelayedPosition& at,
                                                    std::span<const std::byte> bytes) {
  auto parked = decode_parked(bytes);
  if (!parked) return std::nullopt;
  auto message = decode_delayed(at, parked->row).value_or(DelayedMessage{.id = at.id, .due = at.due});
  message.parked_for = std::move(parked->why);
  return message;
}

std::string delayed_key(const DelayedPosition& at) { return encode_due(at.due) + at.id; }

std::optional<DelayedPosition> decode_delayed_key(std::span<const std::byte> key) {
  if (key.size() <= due_bytes) return std::nullopt;
  auto due = decode_due(key.first(due_bytes));
  if (!due) return std::nullopt;
  return DelayedPosition{.due = *due, .id = std::string(due_text(key.subspan(due_bytes)))};
}

// Due times are not negative, so that the order of the bytes is that of the times.
std::string encode_due(Timestamp due) {
  std::string bytes(due_bytes, '\0');
  auto ms = static_cast<std::uint64_t>(due.time_since_epoch().count());
  for (std::size_t i = due_bytes; i > 0; --i, ms >>= 8U) bytes[i - 1] = static_cast<char>(ms & 0xFFU);
  return bytes;
}

std::optional<Timestamp> decode_due(std::span<const std::byte> bytes) {
  if (bytes.size() != due_bytes) return std::nullopt;
  std::uint64_t ms = 0;
  for (const std::byte byte : bytes) ms = ms << 8U | static_cast<std::uint8_t>(byte);
  return Timestamp{std::chrono::milliseconds{static_cast<std::int64_t>(ms)}};
}

std::string delayed_state(std::string_view name) { return "__delayed:" + std::string(name); }
std::string parked_delayed_state(std::string_view name) { return "__delayed_parked:" + std::string(name); }
std::string delayed_ids_state(std::string_view name) { return "__delayed_ids:" + std::string(name); }

Error unreadable_delayed(std::string_view state, std::span<const std::byte> key) {
  const auto at = decode_delayed_key(key);
  return {Errc::corrupt_metadata, "a row of " + std::to_string(key.size()) + " bytes of key" +
                                      (at ? ", id " + at->id : std::string()) + ", of state " +
                                      std::string(state) +
                                      " is none of a delayed message; `seriatim state get` shows it"};
}

ProducerRecord delayed_record(const DelayedMessage& message, std::vector<HeaderView>& headers) {
  const auto view_of = [](const std::optional<std::string>& text) {
    return text ? BytesView(*text) : BytesView();
  };
  headers.clear();
  for (const auto& [name, value] : message.headers) headers.push_back({name, view_of(value)});
  return {.topic = message.topic,
          .key = view_of(message.key),
          .value = view_of(message.value),
          .partition = message.partition,
          .timestamp = message.timestamp,
          .headers = headers};
}

}  // namespace seriatim::flow
