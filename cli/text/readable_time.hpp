// Times as people read them.
#pragma once

#include <string>

#include <seriatim/types.hpp>

namespace seriatim::cli {

/// "2026-11-22T10:14:07.123Z"; "-" for no_timestamp.
std::string readable_time(Timestamp time);

}  // namespace seriatim::cli
