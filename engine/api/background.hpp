// The one thread of background work: pages ahead of appenders, checkpoints, `flush.ms`, retention,
// compaction. None before open, none after close.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace seriatim {
inline namespace v0 {
namespace detail {
struct EngineImpl;
}
}  // namespace v0
}  // namespace seriatim

namespace seriatim::api {

class Background {
 public:
  explicit Background(detail::EngineImpl& engine);
  ~Background();
  /// Ends the thread; work that runs is finished or, if it may be, broken off. Idempotent.
  void stop();
  /// Whether long work should end.
  bool is_stopping() const noexcept { return stopping_.load(std::memory_order_acquire); }
  /// Does the due work now, in the caller's thread: for tests with a clock of their own.
  void run_due(std::int64_t now_ns);

 private:
  void loop();
  void flush_overdue(std::int64_t now_ns);
  void prepare_journal_file(std::int64_t now_ns);
  void tend_journal(std::int64_t now_ns);
  void maintain();

  detail::EngineImpl& engine_;
  std::int64_t next_checkpoint_ns_;
  std::int64_t next_offsets_ns_ = 0;
  std::int64_t next_reserve_ns_ = 0;
  std::int64_t next_journal_ns_ = 0;       ///< Later than now only after a failure.
  std::int64_t next_transactions_ns_ = 0;  ///< Later than now only after a failure.
  std::int64_t next_maintenance_ns_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace seriatim::api
