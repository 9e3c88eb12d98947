// Keeps the last blocks of a disk for the work that wins space back.
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
  /// The same for whoever takes many blocks in one call, which ends with end_taking() if this has answered
  /// ok: what is kept is not given to anybody in between. Between the question and the call blocks that were
  /// given up for somebody else would be taken.
  virtual Result<> begin_taking() { return before_taking(); }
  virtual void end_taking() noexcept {}
};

/// begin_taking() and end_taking() around a call.
class Taking {
 public:
  /// @param keeper  nullptr: nobody is asked.
  explicit Taking(SpaceKeeper* keeper) : keeper_(keeper) {
    if (keeper_ != nullptr) allowed_ = keeper_->begin_taking();
  }
  ~Taking() {
    if (keeper_ != nullptr && allowed_) keeper_->end_taking();
  }
  Taking(const Taking&) = delete;
  Taking& operator=(const Taking&) = delete;
  const Result<>& allowed() const noexcept { return allowed_; }

 private:
  SpaceKeeper* keeper_;
  Result<> allowed_{};
};

}  // namespace seriatim::segment
