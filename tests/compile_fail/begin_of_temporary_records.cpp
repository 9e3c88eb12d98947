// must fail: use of deleted function|deleted
#include <seriatim/seriatim.hpp>

const seriatim::RecordView* first(seriatim::ConsumerRecords& kept, seriatim::ConsumerRecords (*poll)()) {
#ifdef MISUSE
  return poll().begin();
#else
  kept = poll();
  return kept.begin();
#endif
}
