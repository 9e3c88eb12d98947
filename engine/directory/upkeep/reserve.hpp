// DIR/RESERVE: blocks set aside while there are some, and given up on a full disk to what wins space back.
// Without them a disk could be so full that nothing could be deleted: taking a topic out of the catalog
// writes new pages before it frees old ones.
//
// While they are spent, appends that need new blocks are refused, however many are free: a busy producer
// would take them before the deletion that they were given up for. The first append that finds room for the
// whole reserve makes it again and goes on; so does the background thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <seriatim/result.hpp>

#include "base/mutex.hpp"
#include "os/vfs.hpp"
#include "segment/files/space_keeper.hpp"

namespace seriatim::directory {

inline constexpr const char* reserve_file_name = "RESERVE";
/// A checkpoint of 10,000 partitions rewrites their part of data.mdb, 1.5 MB; a deletion writes a few pages,
/// and a block of a directory for each name it gives.
inline constexpr std::uint64_t reserve_bytes = 2ULL << 20;

/// Threads: any.
class Reserve final : public segment::SpaceKeeper {
 public:
  Reserve(os::Vfs& vfs, const std::string& directory);

  /// Makes it, or completes it; cheap once it is there. While anybody spends it, or if it never was, as
  /// before.
  /// Errors: storage_full · as the file system. A file that was there stays, empty: it is owed.
  Result<> make();

  /// Calls `work`; if the disk is full, gives the reserve up and calls it once more. `work` must be one that
  /// can be repeated, and that wins space back or makes it possible.
  template <class Work>
  auto spend_on(Work&& work) -> decltype(work()) {
    auto done = work();
    if (done || done.error().code() != Errc::storage_full) return done;
    const Spending spending(*this);
    if (!spending.has_given()) return done;
    return work();
  }

  /// Gives it up for as long as this lives, if there is one; then it is made again if there is room.
  class Spending {
   public:
    explicit Spending(Reserve& reserve);
    ~Spending();
    Spending(const Spending&) = delete;
    Spending& operator=(const Spending&) = delete;
    /// Whether there may be more room than before.
    bool has_given() const noexcept { return has_given_; }

   private:
    Reserve& reserve_;
    bool has_given_;
  };

  /// For work that cannot be repeated: whether less is free than it may take.
  bool is_needed() const;

  Result<> before_taking() override;
  /// Nothing is given up before those who take are done: they asked when all was whole, and would take what
  /// is given up for somebody else.
  Result<> begin_taking() override;
  void end_taking() noexcept override;

 private:
  bool begin_spending();
  void end_spending();
  Result<> allow_taking() SERIATIM_REQUIRES(mutex_);
  enum class Partly : bool { no, yes };
  /// @param partly  keeps what there is room for, if that is not all.
  Result<> make_locked(Partly partly) SERIATIM_REQUIRES(mutex_);
  Result<> allocate(os::File& file) SERIATIM_REQUIRES(mutex_);
  Result<> allocate_part(os::File& file) SERIATIM_REQUIRES(mutex_);

  os::Vfs& vfs_;
  const std::string directory_;
  const std::string path_;
  base::Mutex mutex_;
  base::ConditionVariable nobody_takes_;
  std::uint32_t takers_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::uint32_t spenders_ SERIATIM_GUARDED_BY(mutex_) = 0;
  bool is_whole_ SERIATIM_GUARDED_BY(mutex_) = false;
  std::atomic<bool> is_owed_{false};  ///< Spent, now or by an earlier run. Written under mutex_.
};

}  // namespace seriatim::directory
