#include "work/command_status.hpp"

#include <cstring>

#include <sys/wait.h>

namespace seriatim::cli {
namespace {

constexpr int exit_status_of_reject = 100;

}  // namespace

CommandStatus command_status(int wait_status) noexcept {
  if (WIFSIGNALED(wait_status)) return {.signal = WTERMSIG(wait_status)};
  return {.exit_status = WEXITSTATUS(wait_status)};
}

AcknowledgeType answer_of(const CommandStatus& status) noexcept {
  if (status.signal != 0) return AcknowledgeType::release;
  if (status.exit_status == 0) return AcknowledgeType::accept;
  return status.exit_status == exit_status_of_reject ? AcknowledgeType::reject : AcknowledgeType::release;
}

std::string describe_status(const CommandStatus& status) {
  if (status.signal == 0) return "exit status " + std::to_string(status.exit_status);
  const char* const name = ::sigdescr_np(status.signal);
  return "signal " + std::to_string(status.signal) +
         (name == nullptr ? std::string() : " (" + std::string(name) + ")");
}

}  // namespace seriatim::cli
