// Half messages as values of a state. The bytes are in docs/data_directory.md.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/error.hpp>
#include <seriatim/flow/half_message.hpp>
#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// A half message as it is stored.
struct StoredHalf {
  HalfMessage message{};
  std::optional<Timestamp> last_check{};
};

std::string encode(const StoredHalf& half);
/// nullopt: these are no bytes of `encode`.
std::optional<StoredHalf> decode_half(std::string_view id, const std::vector<std::byte>& bytes);

std::string encode(HalfDecision decision, Timestamp time);
std::optional<HalfDecision> decode_decision(const std::vector<std::byte>& bytes);

/// The states of a name: "__half:NAME", "__half_decided:NAME".
std::string undecided_state(std::string_view name);
std::string decided_state(std::string_view name);
/// Their names in older directories: "half:NAME", "half_decided:NAME".
std::string older_undecided_state(std::string_view name);
std::string older_decided_state(std::string_view name);
Error unreadable(std::string_view state, std::string_view id);

/// The message that `record` is, without an id.
HalfMessage half_of(const ProducerRecord& record);

}  // namespace seriatim::flow
