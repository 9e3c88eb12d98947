// Delayed messages as rows of state tables. The bytes are in docs/data_directory.md.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/error.hpp>
#include <seriatim/flow/delayed_messages.hpp>
#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// The most bytes of a pending row: a state's largest value, less room for the error of a parked one.
inline constexpr std::size_t delayed_row_bytes_max = (std::size_t{1} << 20U) - (std::size_t{2} << 10U);

/// @param has_id_row  the message's id has a row of its own, since it does not say when the message is due.
std::string encode_delayed(const ProducerRecord& record, bool has_id_row);
/// @param at  of the row's key.
/// nullopt: these are no bytes of `encode_delayed`.
std::optional<DelayedMessage> decode_delayed(const DelayedPosition& at, std::span<const std::byte> row);
/// Of bytes of `encode_delayed`.
bool has_id_row(std::span<const std::byte> row) noexcept;
void set_id_row(std::vector<std::byte>& row) noexcept;

/// The row of a parked message: why, before its pending row.
std::string encode_parked(const Error& why, std::span<const std::byte> row);
struct ParkedRow {
  Error why;
  std::span<const std::byte> row;  ///< Of the bytes that were decoded.
};
/// nullopt: these are no bytes of `encode_parked`.
std::optional<ParkedRow> decode_parked(std::span<const std::byte> bytes);
/// With what can be read of its pending row.
std::optional<DelayedMessage> decode_parked_message(const DelayedPosition& at,
                                                    std::span<const std::byte> bytes);

/// The key of a row: eight bytes of the due time, most significant first, and the id.
std::string delayed_key(const DelayedPosition& at);
std::optional<DelayedPosition> decode_delayed_key(std::span<const std::byte> key);
/// The value of an id's row.
std::string encode_due(Timestamp due);
std::optional<Timestamp> decode_due(std::span<const std::byte> bytes);

/// The tables of a name: "__delayed:NAME", "__delayed_parked:NAME", "__delayed_ids:NAME".
std::string delayed_state(std::string_view name);
std::string parked_delayed_state(std::string_view name);
std::string delayed_ids_state(std::string_view name);
Error unreadable_delayed(std::string_view state, std::span<const std::byte> key);

/// `message` as a record to send; `headers` is where its headers are put. Both have to outlive it.
ProducerRecord delayed_record(const DelayedMessage& message, std::vector<HeaderView>& headers);

}  // namespace seriatim::flow
