// must fail: use of deleted function|deleted
#include <utility>

#include <seriatim/seriatim.hpp>

seriatim::ConsumerRecords pass(seriatim::ConsumerRecords& records) {
#ifdef MISUSE
  return seriatim::ConsumerRecords(records);
#else
  return seriatim::ConsumerRecords(std::move(records));
#endif
}
