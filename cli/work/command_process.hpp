// A process that runs a command, with the bytes that it is to read.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "work/command_status.hpp"

namespace seriatim::cli {

struct CommandStart {
  std::string program{};             ///< A path.
  std::vector<std::string> words{};  ///< As the program gets them, its name first.
  std::vector<std::string> environment{};
  BytesView input{};  ///< Its standard input; null: it is empty. Looked at by `start` only.
};

/// One run of a program, in this process's group, with its standard output and error.
///
/// The input is in a file in memory, which the program may leave unread: no pipe can fill up or break.
/// Threads: any.
class CommandProcess {
 public:
  /// Errors: not_found and others, with errno: the program cannot be started. out_of_memory: the input has no
  /// room.
  static Result<std::unique_ptr<CommandProcess>> start(const CommandStart& start);
  /// Waits for its end.
  ~CommandProcess();
  CommandProcess(const CommandProcess&) = delete;
  CommandProcess& operator=(const CommandProcess&) = delete;

  /// Waits for its end until `time` at the most. nullopt: it still runs.
  std::optional<CommandStatus> wait_until(std::chrono::steady_clock::time_point time);
  /// Sends a signal, unless it has ended.
  void send_signal(int signal_number);

 private:
  CommandProcess() = default;
  void run(const CommandStart& start, int input_fd);
  void wait_for_end();

  std::mutex mutex_{};
  std::condition_variable changed_{};
  pid_t pid_ = -1;
  std::optional<int> start_errno_{};  ///< Set once it is known whether it was started; 0: it was.
  std::optional<CommandStatus> ended_{};
  std::thread waiter_{};
};

}  // namespace seriatim::cli
