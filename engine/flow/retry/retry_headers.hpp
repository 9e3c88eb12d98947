// Where a record of the retry topic comes from, and its history, as headers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

#include "flow/header_list.hpp"

namespace seriatim::flow {

/// With which the names of all of them begin.
inline constexpr std::string_view retry_prefix = "__retry.";

struct RetryOrigin {
  std::string topic{};
  PartitionId partition = -1;
  Offset offset = -1;
  Timestamp timestamp{};
  std::uint32_t attempts = 0;  ///< That failed.
  std::optional<Timestamp> first_failure{};
  std::string error{};  ///< Of the last one.
  /// Its number among the records of its key; nothing: none waits behind it.
  std::optional<std::uint64_t> sequence{};
};

void add_origin(HeaderList& headers, const RetryOrigin& origin);
/// Of a record of the retry topic; nothing: it is not one of ours.
std::optional<RetryOrigin> decode_origin(const RecordView& record);
/// Of a record that is polled for the first time.
RetryOrigin origin_of(const RecordView& record);

}  // namespace seriatim::flow
