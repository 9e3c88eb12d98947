// must fail: cannot convert|no viable conversion
#include <seriatim/seriatim.hpp>

bool answer(const seriatim::Result<bool>& result) {
#ifdef MISUSE
  return result;  // its value, or whether it has one?
#else
  return result.ok() && *result;
#endif
}
