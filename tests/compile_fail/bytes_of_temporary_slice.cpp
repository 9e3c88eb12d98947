// must fail: use of deleted function|deleted
#include <seriatim/seriatim.hpp>

std::size_t size(seriatim::FileSlice (*fetch)()) {
#ifdef MISUSE
  const auto bytes = fetch().bytes();
#else
  const auto kept = fetch();
  const auto bytes = kept.bytes();
#endif
  return bytes.size();
}
