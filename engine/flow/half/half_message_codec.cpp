#include "flow/half/half_message_codec.hpp"

#include <cstdint>
#include <utility>

#include "flow/stored_fields.hpp"

namespace seriatim::flow {
namespace {

constexpr std::uint8_t half_version = 1;

}  // namespace

std::string encode(const StoredHalf& half) {
  const HalfMessage& message = half.message;
  FieldWriter out;
  out.number(half_version);
  out.number(static_cast<std::uint8_t>(message.is_parked));
  out.number(message.checks);
  out.time(message.prepare_time);
  out.time(half.last_check);
  out.time(message.timestamp);
  out.number(message.partition.value_or(PartitionId{-1}));
  out.text(message.topic);
  out.text_or_null(message.key);
  out.text_or_null(message.value);
  out.number(static_cast<std::uint32_t>(message.headers.size()));
  for (const auto& [name, value] : message.headers) {
    out.text(name);
    out.text_or_null(value);
  }
  return std::move(out.bytes);
}

std::optional<StoredHalf> decode_half(std::string_view id, const std::vector<std::byte>& bytes) {
  FieldReader in(bytes);
  if (in.number<std::uint8_t>() != half_version) return std::nullopt;
  StoredHalf half;
  HalfMessage& message = half.message;
  message.id = id;
  message.is_parked = in.number<std::uint8_t>() != 0;
  message.checks = in.number<std::uint32_t>();
  message.prepare_time = in.time().value_or(Timestamp{});
  half.last_check = in.time();
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
  return half;
}

std::string encode(HalfDecision decision, Timestamp time) {
  FieldWriter out;
  out.number(half_version);
  out.number(static_cast<std::uint8_t>(decision));
  out.time(time);
  return std::move(out.bytes);
}

std::optional<HalfDecision> decode_decision(const std::vector<std::byte>& bytes) {
  FieldReader in(bytes);
  if (in.number<std::uint8_t>() != half_version) return std::nullopt;
  const auto decision = in.number<std::uint8_t>();
  in.time();
  if (!in.is_at_end() || decision > static_cast<std::uint8_t>(HalfDecision::rolled_back)) return std::nullopt;
  return static_cast<HalfDecision>(decision);
}

std::string undecided_state(std::string_view name) { return "__half:" + std::string(name); }
std::string decided_state(std::string_view name) { return "__half_decided:" + std::string(name); }
std::string older_undecided_state(std::string_view name) { return "half:" + std::string(name); }
std::string older_decided_state(std::string_view name) { return "half_decided:" + std::string(name); }

Error unreadable(std::string_view state, std::string_view id) {
  return {Errc::corrupt_metadata,
          "half message " + std::string(id) + ", state " + std::string(state) +
              ": its bytes are not those of a half message; `seriatim state get` shows them. Leave states "
              "whose names begin with \"__half\" to half messages"};
}

HalfMessage half_of(const ProducerRecord& record) {
  const auto copy_of = [](BytesView bytes) {
    return bytes.is_null() ? std::optional<std::string>() : std::optional<std::string>(bytes.text());
  };
  HalfMessage message{.topic = std::string(record.topic),
                      .partition = record.partition,
                      .key = copy_of(record.key),
                      .value = copy_of(record.value),
                      .timestamp = record.timestamp};
  for (const HeaderView& header : record.headers)
    message.headers.emplace_back(std::string(header.key), copy_of(header.value));
  return message;
}

}  // namespace seriatim::flow
