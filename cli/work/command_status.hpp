// How a command ended, and the answer for its record that this is.
#pragma once

#include <string>

#include <seriatim/share_consumer.hpp>

namespace seriatim::cli {

struct CommandStatus {
  int exit_status = 0;  ///< 0..255, if no signal ended it; -1: it is not known.
  int signal = 0;       ///< The signal that ended it; 0: none.
  bool operator==(const CommandStatus&) const = default;
};

/// Of what waitpid says of a process that has ended.
CommandStatus command_status(int wait_status) noexcept;

/// 0 accepts, 100 rejects, all else releases; a signal releases.
AcknowledgeType answer_of(const CommandStatus& status) noexcept;

/// "exit status 3", "signal 9 (Killed)".
std::string describe_status(const CommandStatus& status);

}  // namespace seriatim::cli
