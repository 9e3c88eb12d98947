#include "flow/delayed/delayed_horizon.hpp"

#include <algorithm>
#include <utility>

#include "flow/delayed/delayed_codec.hpp"

namespace seriatim::flow {

std::optional<std::chrono::milliseconds> DelayedHorizon::note(const DelayedPosition& at, Timestamp now) {
  std::string key = delayed_key(at);
  const std::lock_guard lock(mutex_);
  // Of a key behind the floor too: a pass may have looked there already, and be about to raise the floor.
  if (!noted_ || key < *noted_) noted_ = std::move(key);
  if (!noted_due_ || at.due < *noted_due_) noted_due_ = at.due;
  // One under way asks for the first at its end.
  if (!next_look_ || at.due >= *next_look_) return std::nullopt;
  next_look_ = at.due;
  return std::max(at.due - now, std::chrono::milliseconds(0));
}

void DelayedHorizon::want_all() {
  const std::lock_guard lock(mutex_);
  is_all_wanted_ = true;
}

std::string DelayedHorizon::begin_pass() {
  const std::lock_guard lock(mutex_);
  if (is_all_wanted_) floor_.clear();
  if (noted_ && *noted_ < floor_) floor_ = *std::move(noted_);
  is_all_wanted_ = false;
  noted_.reset();
  noted_due_.reset();
  next_look_.reset();
  return floor_;
}

void DelayedHorizon::advance(std::string key) {
  const std::lock_guard lock(mutex_);
  floor_ = std::move(key);
}

std::chrono::milliseconds DelayedHorizon::end_pass(Timestamp now, std::optional<Timestamp> next) {
  const std::lock_guard lock(mutex_);
  Timestamp look = now + delayed_look_every;
  if (next) look = std::min(look, *next);
  if (noted_due_) look = std::min(look, *noted_due_);
  next_look_ = look;
  return std::max(look - now, std::chrono::milliseconds(0));
}

void DelayedHorizon::break_pass() {
  const std::lock_guard lock(mutex_);
  next_look_ = Timestamp{std::chrono::milliseconds{0}};
}

}  // namespace seriatim::flow
