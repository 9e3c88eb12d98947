// A reader of a partition that another process writes.
#pragma once

#include <memory>

#include "partition/tail/tailing_log.hpp"
#include "unit/partition/read/reader_fixture.hpp"

namespace seriatim::test {

inline std::shared_ptr<partition::TailingLog> follow(PartitionWorld& world,
                                                     const partition::PartitionRequest& request) {
  return must(partition::TailingLog::open(
      world.environment, {.name = request.name,
                          .directory = request.directory,
                          .may_have_gaps = request.config.cleanup_policy != CleanupPolicy::delete_}));
}

}  // namespace seriatim::test
