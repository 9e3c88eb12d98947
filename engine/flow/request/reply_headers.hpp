// Headers of requests and replies as bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <seriatim/error.hpp>
#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// The requester, and its request: 8 bytes each.
struct CorrelationId {
  std::uint64_t requester = 0;
  std::uint64_t number = 0;
  bool operator==(const CorrelationId&) const = default;
};

std::string encode_correlation(const CorrelationId& id);
/// nullopt: it is none of ours.
std::optional<CorrelationId> decode_correlation(BytesView bytes);

std::string encode_reply_partition(PartitionId partition);
/// nullopt: these are not 4 bytes, or it is negative.
std::optional<PartitionId> decode_reply_partition(BytesView bytes);

std::string encode_reply_error(const Error& error);
/// The error of a reply, as its requester gets it.
Error decode_reply_error(BytesView bytes);

bool is_reply_header(std::string_view name);

}  // namespace seriatim::flow
