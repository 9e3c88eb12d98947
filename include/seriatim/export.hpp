/// @file
/// Visibility of the public symbols. The library is built with hidden visibility; only what is marked
/// with SERIATIM_API is exported.
#pragma once

#include <seriatim/language.hpp>

#if defined(__GNUC__)
#define SERIATIM_API __attribute__((visibility("default")))
#else
#define SERIATIM_API
#endif
