// The records that a share consumer has been given and not finished with, and its answers for them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/share_consumer.hpp>
#include <seriatim/types.hpp>

#include "group/share/share_window.hpp"

namespace seriatim::consumer {

/// Of one partition. One thread at a time.
class ShareHand {
 public:
  /// Records of a poll, in offset order.
  void add(Offset offset, std::int16_t delivery_count) { held_.push_back({offset, delivery_count}); }
  /// Takes the memory for so many more: adding them cannot fail then.
  void reserve(std::size_t more) { held_.reserve(held_.size() + more); }
  /// They leave the hand, unanswered ones.
  void drop(const group::OffsetRun& offsets) {
    std::erase_if(held_, [&](const Held& held) {
      return held.answer == no_answer && held.offset >= offsets.first && held.offset <= offsets.last;
    });
  }

  bool empty() const noexcept { return held_.empty(); }
  /// The first record that waits for its first answer; one that was renewed does not.
  std::optional<Offset> first_unanswered() const noexcept {
    const Held* const found = unanswered();
    return found == nullptr ? std::nullopt : std::optional(found->offset);
  }
  bool has_answers() const noexcept { return !answered_.empty(); }

  /// @return false: it is not in hand.
  bool answer(Offset offset, AcknowledgeType type) {
    Held* const held = find(offset);
    if (held == nullptr) return false;
    if (held->answer == no_answer) answered_.push_back(offset);
    held->answer = static_cast<std::uint8_t>(type);
    return true;
  }
  void accept_all() {
    for (Held& held : held_) {
      if (held.answer == no_answer) answered_.push_back(held.offset);
      held.answer = static_cast<std::uint8_t>(AcknowledgeType::accept);
    }
  }

  /// The answers, as runs in offset order.
  std::vector<group::Acknowledgement> answers();
  /// The offsets of `answers`, in order; until that is called again.
  const std::vector<Offset>& answered() const noexcept { return answered_; }
  /// They are stored: what was answered for leaves the hand, but for what was renewed.
  void settle();
  /// They are refused: what was answered for leaves the hand, and is delivered again.
  void drop_answered();

  /// Records that were renewed and are to be given again, in offset order.
  std::vector<group::OffsetRun> renewed() const;
  /// It was given again: its answers are waited for.
  void give_renewed() noexcept {
    for (Held& held : held_) held.is_renewed = false;
  }
  std::int16_t delivery_count(Offset offset) const noexcept {
    const Held* const held = find(offset);
    return held == nullptr ? std::int16_t{0} : held->delivery_count;
  }
  void clear() noexcept {
    held_.clear();
    answered_.clear();
  }

 private:
  static constexpr std::uint8_t no_answer = 0;
  struct Held {
    Offset offset = 0;
    std::int16_t delivery_count = 0;
    std::uint8_t answer = no_answer;
    bool is_renewed = false;
  };

  const Held* unanswered() const noexcept {
    const auto found = std::find_if(held_.begin(), held_.end(), [](const Held& held) {
      return held.answer == no_answer && !held.is_renewed;
    });
    return found == held_.end() ? nullptr : &*found;
  }
  const Held* find(Offset offset) const noexcept {
    const auto found = std::lower_bound(held_.begin(), held_.end(), offset,
                                        [](const Held& held, Offset at) { return held.offset < at; });
    return found == held_.end() || found->offset != offset ? nullptr : &*found;
  }
  Held* find(Offset offset) noexcept { return const_cast<Held*>(std::as_const(*this).find(offset)); }
  /// Calls `keep` with each answered record, and takes out those of which it says no.
  template <class Keep>
  void filter_answered(const Keep& keep);

  std::vector<Held> held_;        ///< Sorted.
  std::vector<Offset> answered_;  ///< The ones with an answer, in the order of the answers.
};

}  // namespace seriatim::consumer
