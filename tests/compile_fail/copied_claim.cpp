// must fail: use of deleted function|deleted
#include <utility>

#include <seriatim/seriatim.hpp>

seriatim::Claim pass(seriatim::Claim& claim) {
#ifdef MISUSE
  return seriatim::Claim(claim);
#else
  return seriatim::Claim(std::move(claim));
#endif
}
