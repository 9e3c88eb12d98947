/// @file
/// The language that these headers need. Every public header includes it first, so that an older standard is
/// one error that says so, and not some hundred about concepts and spans.
#pragma once

#if !defined(__cplusplus) || __cplusplus < 202002L
#error \
    "seriatim needs C++20: compile with -std=c++20 or newer (CMake: target_compile_features(... cxx_std_20))"
// No file has this name. Compilers end at once where a file is missing, which #error alone does not do.
#include <seriatim/needs_cplusplus_20>
#endif
