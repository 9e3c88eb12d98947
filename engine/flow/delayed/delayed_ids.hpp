// Ids that are made here say when their message is due, so that no row has to. Other ids have one.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// Threads: any.
class DelayedIds {
 public:
  /// Different from every other's, by chance.
  DelayedIds();
  /// 32 hexadecimal digits: 12 of the due time, 10 of this object's own, 10 of a number that counts up.
  std::string make(Timestamp due);

 private:
  std::string own_;
  std::atomic<std::uint64_t> next_{0};
};

/// The due time that a made id says; nullopt if it is none.
std::optional<Timestamp> made_due(std::string_view id);

/// Errors: invalid_argument.
Result<> check_delayed_id(std::string_view id);
/// Errors: invalid_argument: before 1970, or behind the year 9999.
Result<> check_due(Timestamp due);

}  // namespace seriatim::flow
