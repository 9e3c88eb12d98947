// must fail: use of deleted function|deleted
#include <seriatim/seriatim.hpp>

const seriatim::RecordView* first(seriatim::ConsumerRecords& kept, seriatim::ConsumerRecords (*poll)()) {
#ifdef MISUSE
  return &poll()[0];
#else
  kept = poll();
  return &kept[0];
#endif
}
