// must fail: no matching|no default constructor
#include <seriatim/seriatim.hpp>

seriatim::Result<seriatim::Engine> make() {
#ifdef MISUSE
  seriatim::Engine engine;  // an engine without a directory does not exist
#endif
  return seriatim::Engine::open("data");
}
