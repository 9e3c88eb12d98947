#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace seriatim::base {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr,
               "seriatim: assertion failed: %s at %s:%d. This is a bug in seriatim; please report it.\n",
               expression, file, line);
  std::abort();
}

}  // namespace seriatim::base
