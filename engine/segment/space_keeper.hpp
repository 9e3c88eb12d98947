// Who keeps the last blocks of a disk for what wins space back.
#pragma once

#include <seriatim/result.hpp>

namespace seriatim::segment {

class SpaceKeeper {
 public:
  virtual ~SpaceKeeper() = default;
  /// Whether an appender may take blocks of the disk. Called with the partition's append mutex held: must not
  /// call back.
  /// Errors: storage_full: what is left is kept for deleting. Others of making the reserve anew.
  virtual Result<> before_taking() = 0;
};

}  // namespace seriatim::segment
