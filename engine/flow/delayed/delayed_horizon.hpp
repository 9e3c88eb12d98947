// The place where the delivery looks, and the time of the next look. Rows before its floor are gone, as far
// as this object knows: a look does not pass over what was erased there since the last checkpoint.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include <seriatim/flow/delayed_messages.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// The longest that the background sleeps: so soon it notices a jump of the clock, and a message that a
/// transaction of the application's scheduled.
inline constexpr std::chrono::milliseconds delayed_look_every{100};

/// Threads: any; passes one at a time.
class DelayedHorizon {
 public:
  /// A message is pending, for whoever sees what is committed.
  /// @return how long to sleep at most from `now` on; nothing: the delivery comes soon enough anyway.
  std::optional<std::chrono::milliseconds> note(const DelayedPosition& at, Timestamp now);

  /// The next pass looks from the beginning.
  void want_all();
  /// A pass begins.
  /// @return the key to look from.
  std::string begin_pass();
  /// Within a pass: no row that it knows is before `key`.
  void advance(std::string key);
  /// A pass ends that left nothing that is due at `now`.
  /// @param next  the first row that is not.
  /// @return how long to sleep.
  std::chrono::milliseconds end_pass(Timestamp now, std::optional<Timestamp> next);
  /// A pass ends before it was through, or failed.
  void break_pass();

 private:
  std::mutex mutex_;
  std::string floor_{};
  bool is_all_wanted_ = true;
  std::optional<std::string> noted_{};    ///< The least key since the last pass began.
  std::optional<Timestamp> noted_due_{};  ///< The first, since then.
  std::optional<Timestamp> next_look_{};  ///< Nothing: a pass is under way.
};

}  // namespace seriatim::flow
