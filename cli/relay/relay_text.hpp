// How far a relay is, for people.
#pragma once

#include <string>

#include <seriatim/flow/relay.hpp>

namespace seriatim::cli {

/// "1200 records  1.2 MiB  300 left  600 records/s  600.0 KiB/s  ETA 1.5 s".
std::string relay_line(const RelayProgress& progress);
/// "relayed 1200 records, 1.2 MiB, in 3 batches; 300 left"; with what was not relayed, where there is some.
std::string relay_summary(const RelayProgress& progress);

}  // namespace seriatim::cli
