// SIGINT and SIGTERM ask the command to stop; it finishes what it has in hand and leaves cleanly.
#pragma once

#include <chrono>

namespace seriatim::cli {

/// Installs the handlers and ignores SIGPIPE (a closed reader is an error of write). Called once, before
/// other threads exist.
void catch_interrupts() noexcept;
/// Whether a signal asked to stop.
/// Threads: any.
bool is_interrupted() noexcept;
/// The signal that asked, 0 if none did.
int interrupting_signal() noexcept;
/// Readable from the moment on when a signal asked to stop: for poll(2) next to an input. -1 if it could not
/// be made.
int interrupt_fd() noexcept;

/// From here on a second signal does not kill: whoever calls this counts them and sees to an end.
void catch_every_interrupt() noexcept;
/// How many signals asked to stop.
/// Threads: any.
int interrupt_count() noexcept;
/// Waits for the next signal that asks to stop, for `timeout` at the most. `interrupt_fd` is not readable
/// afterwards.
/// Threads: one, which nobody else waits beside.
void wait_for_interrupt(std::chrono::milliseconds timeout) noexcept;

}  // namespace seriatim::cli
