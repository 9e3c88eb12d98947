// Both: where doctest's header is precompiled it was read before, and does not conclude the first from the
// second.
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
