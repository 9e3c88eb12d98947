#include "consumer/share/share_hand.hpp"

#include <doctest/doctest.h>

namespace seriatim::consumer {
namespace {

ShareHand hand_of(Offset from, Offset to) {
  ShareHand hand;
  for (Offset offset = from; offset <= to; ++offset) hand.add(offset, 1);
  return hand;
}

}  // namespace

TEST_CASE("answers come as runs in offset order, whatever their own order was") {
  ShareHand hand = hand_of(0, 5);
  for (const Offset offset : {4, 1, 2, 0}) CHECK(hand.answer(offset, AcknowledgeType::accept));
  CHECK(hand.answer(2, AcknowledgeType::release));
  CHECK_FALSE(hand.answer(9, AcknowledgeType::accept));
  const auto answers = hand.answers();
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].offsets == group::OffsetRun{0, 1});
  CHECK(answers[1].offsets == group::OffsetRun{2, 2});
  CHECK(answers[1].type == group::Acknowledging::release);
  CHECK(answers[2].offsets == group::OffsetRun{4, 4});
  CHECK(hand.first_unanswered() == 3);
  hand.settle();
  CHECK_FALSE(hand.has_answers());
  CHECK_FALSE(hand.answer(1, AcknowledgeType::accept));
  CHECK(hand.answer(3, AcknowledgeType::accept));
  CHECK(hand.answer(5, AcknowledgeType::accept));
  hand.drop_answered();
  CHECK(hand.empty());
}

TEST_CASE("a renewed record stays in hand, waits for no answer, and may be given again") {
  ShareHand hand = hand_of(7, 9);
  hand.accept_all();
  CHECK(hand.answer(8, AcknowledgeType::renew));
  hand.settle();
  CHECK_FALSE(hand.first_unanswered());
  CHECK(hand.renewed() == std::vector<group::OffsetRun>{{8, 8}});
  CHECK(hand.delivery_count(8) == 1);
  hand.give_renewed();
  CHECK(hand.renewed().empty());
  CHECK(hand.first_unanswered() == 8);
}

}  // namespace seriatim::consumer
