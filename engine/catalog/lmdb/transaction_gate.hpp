// Lets any number of transactions through, or one map change while no transaction is inside: LMDB's map may
// only be replaced when this process has no transaction open. A waiting map change stops new transactions, so
// that a steady stream of readers cannot hold it off for ever (glibc's reader-writer lock would let them).
#pragma once

#include "base/mutex.hpp"

namespace seriatim::catalog {

class TransactionGate {
 public:
  void enter() SERIATIM_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    while (changing_ || changes_waiting_ > 0) moved_.wait(mutex_);
    ++inside_;
  }
  void leave() SERIATIM_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    if (--inside_ == 0) moved_.notify_all();
  }
  void enter_alone() SERIATIM_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    ++changes_waiting_;
    while (changing_ || inside_ > 0) moved_.wait(mutex_);
    --changes_waiting_;
    changing_ = true;
  }
  void leave_alone() SERIATIM_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    changing_ = false;
    moved_.notify_all();
  }

  /// One passage through the gate.
  class Pass {
   public:
    explicit Pass(TransactionGate& gate) : gate_(gate) { gate_.enter(); }
    ~Pass() { gate_.leave(); }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    TransactionGate& gate_;
  };
  class PassAlone {
   public:
    explicit PassAlone(TransactionGate& gate) : gate_(gate) { gate_.enter_alone(); }
    ~PassAlone() { gate_.leave_alone(); }
    PassAlone(const PassAlone&) = delete;
    PassAlone& operator=(const PassAlone&) = delete;

   private:
    TransactionGate& gate_;
  };

 private:
  base::Mutex mutex_;
  base::ConditionVariable moved_;
  int inside_ SERIATIM_GUARDED_BY(mutex_) = 0;
  int changes_waiting_ SERIATIM_GUARDED_BY(mutex_) = 0;
  bool changing_ SERIATIM_GUARDED_BY(mutex_) = false;
};

}  // namespace seriatim::catalog
