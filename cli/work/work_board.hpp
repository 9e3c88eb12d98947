// Between the jobs of `work` and the thread that looks after them.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>

#include <seriatim/error.hpp>
#include <seriatim/share_consumer.hpp>

#include "work/command_process.hpp"

namespace seriatim::cli {

struct WorkCounts {
  std::uint64_t accepted = 0;
  std::uint64_t released = 0;
  std::uint64_t rejected = 0;
  std::uint64_t too_late = 0;  ///< The lock had run out: somebody else has the record, or gets it.
};

/// Threads: any.
class WorkBoard {
 public:
  /// No job starts anything from here on.
  void stop();
  bool is_stopping() const;
  /// The first failure is kept, and stops the work.
  void fail(const Error& error);
  std::optional<Error> failure() const;

  void count(AcknowledgeType answer);
  void count_too_late();
  WorkCounts counts() const;

  /// A job got nothing in a poll.
  void found_nothing();
  void found_a_record();
  /// Whether the last poll of any job got nothing.
  bool seems_empty() const;

  /// Running from here on: gets the signal that was sent to all before, if one was.
  void add(CommandProcess& process);
  void remove(CommandProcess& process);
  /// To all that run, and to those that begin to.
  void send_signal(int signal_number);

 private:
  mutable std::mutex mutex_{};
  bool is_stopping_ = false;
  bool seems_empty_ = false;
  int sent_signal_ = 0;
  std::optional<Error> failure_{};
  WorkCounts counts_{};
  std::set<CommandProcess*> running_{};
};

}  // namespace seriatim::cli
