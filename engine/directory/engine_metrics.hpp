// The numbers that an engine shows of itself.
#pragma once

#include <seriatim/metrics.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {
struct EngineImpl;
}
}  // namespace v0
}  // namespace seriatim

namespace seriatim::directory {

/// Threads: any.
/// Cost: in proportion to the number of partitions.
Metrics metrics_of(const detail::EngineImpl& engine);

}  // namespace seriatim::directory
