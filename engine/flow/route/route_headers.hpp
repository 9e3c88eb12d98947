// The headers of a record that is routed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <seriatim/flow/router.hpp>
#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// The headers of the message, then the router's own. Points at the message, which has to live longer.
class RouteHeaders {
 public:
  /// @param now  what a time to live is counted from; only asked for with one.
  template <class Clock>
  RouteHeaders(const RoutedMessage& message, const Clock& now)
      : RouteHeaders(message, message.ttl ? expires_at(now(), *message.ttl) : no_timestamp) {}
  RouteHeaders(const RouteHeaders&) = delete;
  RouteHeaders& operator=(const RouteHeaders&) = delete;

  std::span<const HeaderView> view() const noexcept {
    return many_.empty() ? std::span<const HeaderView>(few_).first(count_)
                         : std::span<const HeaderView>(many_);
  }

 private:
  using NumberText = std::array<char, 24>;
  static constexpr std::size_t few_max = 6;  // Without an allocation. Arbitrary.

  RouteHeaders(const RoutedMessage& message, Timestamp expires);
  /// no_timestamp: beyond all time.
  static Timestamp expires_at(Timestamp now, std::chrono::milliseconds ttl) noexcept;
  static std::string_view text_of(std::int64_t number, NumberText& text) noexcept;
  void add(const HeaderView& header);

  NumberText priority_;  // Not set before they are needed.
  NumberText expires_;
  std::array<HeaderView, few_max> few_{};
  std::size_t count_ = 0;
  std::vector<HeaderView> many_{};  ///< All of them, where they are more than few.
};

}  // namespace seriatim::flow
