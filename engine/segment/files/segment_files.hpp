// The parts that every segment needs from below: the file system, the bounded cache of descriptors, and the
// rules of one partition's segments. Plain data, handed down; nothing here is global.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "os/file/fd_cache.hpp"
#include "os/vfs.hpp"
#include "segment/files/prefaulter.hpp"
#include "segment/files/space_keeper.hpp"

namespace seriatim::segment {

/// Kafka's limit: positions in an offset index are 31 bits. Batches beyond it in a longer file are not
/// readable.
inline constexpr std::uint64_t segment_bytes_max = std::numeric_limits<std::int32_t>::max();

/// Limits of the segments of one partition: the part of the topic configuration that this layer needs.
struct SegmentLimits {
  std::uint64_t segment_bytes = 1ULL << 30;   ///< Kafka segment.bytes.
  std::uint64_t index_bytes = 10ULL << 20;    ///< Kafka segment.index.bytes, of each index.
  std::uint64_t index_interval_bytes = 4096;  ///< Kafka index.interval.bytes.
  bool mapped_writes = true;                  ///< False: append with pwrite (WriteMode::written).
};

/// Where segments live and how they are reached. Outlives every segment made from it.
struct SegmentContext {
  os::Vfs& vfs;
  os::FdCache& files;
  Prefaulter* prefaulter = nullptr;  ///< nullptr: appenders populate what they need themselves.
  SpaceKeeper* keeper = nullptr;     ///< nullptr: appenders take the last block, too.
};

}  // namespace seriatim::segment
