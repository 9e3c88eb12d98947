// One job of `work`: takes a record, runs the command for it, and answers for it by how that ended.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/share_consumer.hpp>

#include "context.hpp"
#include "work/command_process.hpp"
#include "work/work_board.hpp"

namespace seriatim::cli {

/// The same for every job.
struct WorkPlan {
  std::string topic{};
  std::string group{};
  std::string program{};                   ///< A path.
  std::vector<std::string> words{};        ///< The command as it was written.
  std::vector<std::string> environment{};  ///< Of this process.
  std::int16_t delivery_count_limit = 0;
};

/// Threads: one, except `wake`.
class WorkJob {
 public:
  /// @param consumer  explicit mode, one record a poll, subscribed.
  /// Lifetime: `context`, `plan` and `board` outlive it.
  WorkJob(const Context& context, const WorkPlan& plan, WorkBoard& board, ShareConsumer consumer)
      : context_(context), plan_(plan), board_(board), consumer_(std::move(consumer)) {}

  /// Works until the board says stop. A failure is put on the board, and stops all.
  void run() noexcept;
  /// Ends its waiting for a record.
  void wake() noexcept { consumer_.wakeup(); }

 private:
  Result<> work();
  Result<> handle(const ShareRecord& record);
  CommandStatus wait_for_end(CommandProcess& process, const ShareRecord& record);
  bool renew(const ShareRecord& record);
  Result<> answer(const ShareRecord& record, const CommandStatus& status);
  void note_answer(std::string_view answer, const ShareRecord& record, const CommandStatus& status,
                   std::string_view behind = "") const;

  const Context& context_;
  const WorkPlan& plan_;
  WorkBoard& board_;
  ShareConsumer consumer_;
  bool has_lost_lock_ = false;  ///< Of the record in hand, as a renewal has found out.
};

}  // namespace seriatim::cli
