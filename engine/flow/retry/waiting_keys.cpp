#include "flow/retry/waiting_keys.hpp"

#include <chrono>
#include <cstddef>
#include <span>
#include <utility>

#include "flow/own_tables.hpp"
#include "flow/stored_fields.hpp"

namespace seriatim::flow {
namespace {

constexpr std::uint8_t waiting_version = 1;

// FNV-1a.
std::uint64_t hash_of(std::string_view bytes) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
  return hash;
}

// Topic, partition and hash. No topic has a zero byte.
std::string place_of_key(const RetryOrigin& origin, BytesView key) {
  FieldWriter out;
  out.bytes = origin.topic;
  out.number(std::uint8_t{0});
  out.number(origin.partition);
  out.number(hash_of(key.text()));
  return std::move(out.bytes);
}

std::string place_in_queue(const std::string& place, std::uint64_t number) {
  FieldWriter out;
  out.bytes = place;
  out.number(number);
  return std::move(out.bytes);
}

std::string encode_waiting(const RetryOrigin& origin, const RecordView& record) {
  FieldWriter out;
  out.bytes.reserve(64 + record.key().size() + record.value().size());
  out.number(waiting_version);
  out.number(origin.offset);
  out.time(origin.timestamp);
  out.text_or_null(record.key());
  out.text_or_null(record.value());
  const auto count = static_cast<std::uint32_t>(record.header_count());
  out.number(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const HeaderView header = record.header(i);
    out.text(header.key);
    out.text_or_null(header.value);
  }
  return std::move(out.bytes);
}

std::optional<WaitingRecord> decode_waiting(std::span<const std::byte> bytes) {
  FieldReader in(bytes);
  if (in.number<std::uint8_t>() != waiting_version) return std::nullopt;
  WaitingRecord waiting;
  waiting.origin.offset = in.number<Offset>();
  waiting.origin.timestamp = Timestamp{std::chrono::milliseconds{in.number<std::int64_t>()}};
  waiting.key = in.text_or_null();
  waiting.value = in.text_or_null();
  for (auto left = in.number<std::uint32_t>(); left > 0 && !in.has_failed(); --left) {
    std::string name = in.text();
    waiting.headers.emplace_back(std::move(name), in.text_or_null());
  }
  if (!in.is_at_end()) return std::nullopt;
  return waiting;
}

Error unreadable_waiting(const std::string& table, const RetryOrigin& origin) {
  return {Errc::corrupt_metadata,
          "a row of the state " + table + " for a key of " + origin.topic + "-" +
              std::to_string(origin.partition) +
              " is missing, or is not one that this version writes; was the directory used by a newer one?"};
}

}  // namespace

WaitingKeys::WaitingKeys(std::string_view group)
    : keys_("__retry_keys:" + std::string(group)), queue_("__retry_queue:" + std::string(group)) {}

Result<std::optional<WaitingKeys::Row>> WaitingKeys::find(Transaction& transaction,
                                                          const std::string& place) const {
  auto bytes = own_table(transaction, keys_).get(place);
  if (!bytes) return bytes.error();
  if (!*bytes) return std::optional<Row>();
  FieldReader in(**bytes);
  const bool is_known = in.number<std::uint8_t>() == waiting_version;
  Row row;
  row.first = in.number<std::uint64_t>();
  row.next = in.number<std::uint64_t>();
  if (!is_known || !in.is_at_end()) {
    return Error(Errc::corrupt_metadata,
                 "a row of the state " + keys_ + " is not one that this version writes; was it a newer one?");
  }
  return std::optional<Row>(row);
}

Result<> WaitingKeys::put(Transaction& transaction, const std::string& place, const Row& row) const {
  FieldWriter out;
  out.number(waiting_version);
  out.number(row.first);
  out.number(row.next);
  return own_table(transaction, keys_).put(place, out.bytes);
}

Result<bool> WaitingKeys::is_waiting(Transaction& transaction, const RetryOrigin& origin,
                                     BytesView key) const {
  auto row = find(transaction, place_of_key(origin, key));
  if (!row) return row.error();
  return row->has_value();
}

Result<> WaitingKeys::lead(Transaction& transaction, const RetryOrigin& origin, BytesView key) const {
  const std::uint64_t number = leading_number(origin);
  return put(transaction, place_of_key(origin, key), {.first = number, .next = number + 1});
}

Result<> WaitingKeys::add(Transaction& transaction, const RetryOrigin& origin,
                          const RecordView& record) const {
  const std::string place = place_of_key(origin, record.key());
  auto row = find(transaction, place);
  if (!row) return row.error();
  if (!*row) return unreadable_waiting(keys_, origin);
  auto added =
      own_table(transaction, queue_).put(place_in_queue(place, (*row)->next), encode_waiting(origin, record));
  if (!added) return added;
  return put(transaction, place, {.first = (*row)->first, .next = (*row)->next + 1});
}

Result<std::optional<WaitingRecord>> WaitingKeys::pass_on(Transaction& transaction, const RetryOrigin& origin,
                                                          BytesView key) const {
  if (!origin.sequence) return std::optional<WaitingRecord>();
  const std::string place = place_of_key(origin, key);
  auto row = find(transaction, place);
  if (!row) return row.error();
  if (!*row || (*row)->first != *origin.sequence) return std::optional<WaitingRecord>();
  const std::uint64_t number = (*row)->first + 1;
  if (number == (*row)->next) {
    auto erased = own_table(transaction, keys_).erase(place);
    if (!erased) return erased.error();
    return std::optional<WaitingRecord>();
  }
  auto bytes = own_table(transaction, queue_).get(place_in_queue(place, number));
  if (!bytes) return bytes.error();
  auto waiting = *bytes ? decode_waiting(**bytes) : std::nullopt;
  if (!waiting) return unreadable_waiting(queue_, origin);
  if (auto erased = own_table(transaction, queue_).erase(place_in_queue(place, number)); !erased)
    return erased.error();
  if (auto moved = put(transaction, place, {.first = number, .next = (*row)->next}); !moved)
    return moved.error();
  waiting->origin.topic = origin.topic;
  waiting->origin.partition = origin.partition;
  waiting->origin.sequence = number;
  return waiting;
}

}  // namespace seriatim::flow
