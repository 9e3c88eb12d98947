// How a catalog is opened.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"

namespace seriatim::catalog {

enum class Access : std::uint8_t {
  read_only,   ///< Beside a live writer in another process, or on a read-only file system. Changes no data.
  read_write,  ///< Under the directory's lock.
};

struct CatalogOptions {
  Access access = Access::read_write;
  /// Required: os::fork_generation. Answers with another number in a forked child, cheaply: asked before
  /// every transaction.
  std::function<std::uint64_t()> process_identity{};
  /// Called before files are opened here or by LMDB, which takes the lowest descriptors that are free: see
  /// os::occupy_standard_descriptors. May be left out where those are known to be open.
  std::function<void()> before_open{};
  /// Called with a descriptor that LMDB has opened and leaves to every program that this one starts: see
  /// os::close_on_exec. May be left out where no program is started.
  std::function<void(int descriptor)> after_open{};
  /// LMDB stores into a map of lock.mdb, readers too. False where such a store may need a block that a full
  /// disk does not have, which is SIGBUS (copy-on-write and network file systems): readers are then not
  /// entered anywhere. The writer waits for readers of its own process; readers of others find out afterwards
  /// whether what they read was still there, and read again.
  bool has_lock_file = true;
  /// Address space to begin with; the map grows by itself. 256 MiB is arbitrary: hundreds of thousands of
  /// partitions.
  std::uint64_t map_bytes = std::uint64_t{256} << 20U;
  /// Opens a catalog some of whose values fail their checksums: for tools that look or repair.
  /// Catalog::damage() lists them; what they said is lost, everything else can be read. An engine must not go
  /// on from such a catalog: a damaged key looks like a topic, or a log start, that never was.
  bool allow_damage = false;
  /// Writes bytes into a file and syncs them: for a writer, which mends a meta page that a failed write or a
  /// flipped bit has spoilt (meta_mend.hpp). Without it such a catalog is refused.
  std::function<Result<void>(const std::string& file, std::uint64_t position, base::ByteSpan bytes)>
      write_synced{};
};

}  // namespace seriatim::catalog
