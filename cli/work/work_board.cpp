#include "work/work_board.hpp"

namespace seriatim::cli {

void WorkBoard::stop() {
  const std::lock_guard lock(mutex_);
  is_stopping_ = true;
}

bool WorkBoard::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

void WorkBoard::fail(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = error;
  is_stopping_ = true;
}

std::optional<Error> WorkBoard::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void WorkBoard::count(AcknowledgeType answer) {
  const std::lock_guard lock(mutex_);
  if (answer == AcknowledgeType::accept) ++counts_.accepted;
  if (answer == AcknowledgeType::release) ++counts_.released;
  if (answer == AcknowledgeType::reject) ++counts_.rejected;
}

void WorkBoard::count_too_late() {
  const std::lock_guard lock(mutex_);
  ++counts_.too_late;
}

WorkCounts WorkBoard::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void WorkBoard::found_nothing() {
  const std::lock_guard lock(mutex_);
  seems_empty_ = true;
}

void WorkBoard::found_a_record() {
  const std::lock_guard lock(mutex_);
  seems_empty_ = false;
}

bool WorkBoard::seems_empty() const {
  const std::lock_guard lock(mutex_);
  return seems_empty_;
}

void WorkBoard::add(CommandProcess& process) {
  const std::lock_guard lock(mutex_);
  running_.insert(&process);
  if (sent_signal_ != 0) process.send_signal(sent_signal_);
}

void WorkBoard::remove(CommandProcess& process) {
  const std::lock_guard lock(mutex_);
  running_.erase(&process);
}

void WorkBoard::send_signal(int signal_number) {
  const std::lock_guard lock(mutex_);
  sent_signal_ = signal_number;
  for (CommandProcess* const process : running_) process->send_signal(signal_number);
}

}  // namespace seriatim::cli
