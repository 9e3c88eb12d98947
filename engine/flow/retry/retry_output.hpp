// The outputs of a handler, kept until it has ended well.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/flow/retry_consumer.hpp>
#include <seriatim/record.hpp>

namespace seriatim {
inline namespace v0 {

struct RetryOutput::Owned {
  std::string topic{};
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  std::optional<PartitionId> partition{};
  std::optional<Timestamp> timestamp{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
};

}  // namespace v0
}  // namespace seriatim
