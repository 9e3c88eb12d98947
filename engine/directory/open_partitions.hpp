// A look at what is open, without a list of it.
#pragma once

#include <seriatim/result.hpp>

#include "directory/engine_impl.hpp"

namespace seriatim::directory {

// `look` at each partition that is open for writing, until it fails. Takes no memory, as a list of them
// would.
template <class Look>
Result<> for_each_open(const detail::EngineImpl& engine, const Look& look) {
  if (engine.is_read_only()) return {};
  const auto all = engine.topics.load();
  for (const auto& [name, topic] : *all) {
    for (const auto& slot : topic->partitions) {
      const auto log = slot->if_open();
      if (log == nullptr) continue;
      if (auto done = look(static_cast<partition::Partition&>(*log)); !done) return done;
    }
  }
  return {};
}

}  // namespace seriatim::directory
