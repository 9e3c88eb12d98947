#include "consumer/share/share_hand.hpp"

namespace seriatim::consumer {

std::vector<group::Acknowledgement> ShareHand::answers() {
  if (!std::is_sorted(answered_.begin(), answered_.end())) std::sort(answered_.begin(), answered_.end());
  std::vector<group::Acknowledgement> runs;
  // Both are sorted, and all that was answered for is in hand: one walk meets each.
  const Held* held = answered_.empty() ? nullptr : find(answered_.front());
  for (const Offset offset : answered_) {
    while (held->offset < offset) ++held;
    const auto type = static_cast<group::Acknowledging>(held->answer);
    const bool goes_on = !runs.empty() && runs.back().type == type && runs.back().offsets.last + 1 == offset;
    if (goes_on) {
      runs.back().offsets.last = offset;
    } else {
      runs.push_back({{offset, offset}, type});
    }
  }
  return runs;
}

// Single answers mostly come in order: the first ones in hand.
template <class Keep>
void ShareHand::filter_answered(const Keep& keep) {
  std::size_t left = answered_.size();
  const auto leaves = [&](Held& held) {
    if (held.answer == no_answer) return false;
    --left;
    return !keep(held);
  };
  auto to = held_.begin();
  auto from = held_.begin();
  for (; from != held_.end() && left > 0; ++from) {
    if (leaves(*from)) continue;
    if (to != from) *to = *from;
    ++to;
  }
  held_.erase(to, from);
  answered_.clear();
}

void ShareHand::settle() {
  filter_answered([](Held& held) {
    const bool is_renewed = held.answer == static_cast<std::uint8_t>(AcknowledgeType::renew);
    held.answer = no_answer;
    held.is_renewed = is_renewed;
    return is_renewed;
  });
}

void ShareHand::drop_answered() {
  filter_answered([](const Held&) { return false; });
}

std::vector<group::OffsetRun> ShareHand::renewed() const {
  std::vector<group::OffsetRun> runs;
  for (const Held& held : held_) {
    if (!held.is_renewed) continue;
    if (!runs.empty() && runs.back().last + 1 == held.offset) {
      runs.back().last = held.offset;
    } else {
      runs.push_back({held.offset, held.offset});
    }
  }
  return runs;
}

}  // namespace seriatim::consumer
