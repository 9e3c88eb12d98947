// `Processor`: options and the handle.
#include <seriatim/flow/processor.hpp>

#include <string>
#include <utility>

#include <seriatim/exception.hpp>

#include "flow/processor/processor_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t workers_max = 1'000;  // arbitrary; each is a thread

Result<> check_processor_groups(const ProcessorOptions& options) {
  if (options.group_id.empty()) {
    return Error(Errc::invalid_argument,
                 "ProcessorOptions::group_id is empty; name the group under which positions are stored");
  }
  if (options.topics.empty() == options.pattern.expression.empty()) {
    return Error(Errc::invalid_argument,
                 "ProcessorOptions has " +
                     std::string(options.topics.empty() ? "neither topics nor" : "topics and") +
                     " a pattern; give one of the two");
  }
  const ConsumerOptions& consumer = options.consumer;
  if (!consumer.group_id.empty() || consumer.auto_commit) {
    return Error(Errc::invalid_argument,
                 "ProcessorOptions::consumer has a group_id or auto_commit; the processor commits, under "
                 "ProcessorOptions::group_id: leave them as they are");
  }
  return {};
}

Result<> check_processor_options(const ProcessorOptions& options) {
  if (auto checked = check_processor_groups(options); !checked) return checked;
  const auto delivery = static_cast<unsigned>(options.delivery);
  if (delivery > static_cast<unsigned>(Delivery::exactly_once)) {
    return Error(Errc::invalid_argument, "ProcessorOptions::delivery is " + std::to_string(delivery) +
                                             "; it must be at_most_once (0), at_least_once (1) or "
                                             "exactly_once (2)");
  }
  if (options.workers == 0 || options.workers > workers_max) {
    return Error(Errc::invalid_argument, "ProcessorOptions::workers is " + std::to_string(options.workers) +
                                             "; it must be 1 to " + std::to_string(workers_max));
  }
  if (options.acks != Acks::all && options.acks != Acks::leader) {
    return Error(
        Errc::invalid_argument,
        "ProcessorOptions::acks is neither all nor leader, and promises nothing; choose one of them");
  }
  if (options.retry_backoff.count() < 0) {
    return Error(Errc::invalid_argument, "ProcessorOptions::retry_backoff is " +
                                             std::to_string(options.retry_backoff.count()) +
                                             " ms; it must be 0 ms or more");
  }
  return {};
}

Error moved_from_processor() {
  return {Errc::closed, "this Processor was moved from; use the one it was moved to"};
}

}  // namespace

Processor::Processor(std::unique_ptr<detail::ProcessorImpl> impl) noexcept : impl_(std::move(impl)) {}
Processor::Processor(Processor&&) noexcept = default;
Processor& Processor::operator=(Processor&&) noexcept = default;
Processor::~Processor() = default;

Result<Processor> Processor::open(const Engine& engine, ProcessorOptions options,
                                  ProcessorHandler handler) try {
  if (auto checked = check_processor_options(options); !checked) return checked.error();
  if (!handler)
    return Error(Errc::invalid_argument, "Processor::open was called without a handler; give one");
  return Processor(std::make_unique<detail::ProcessorImpl>(engine, std::move(options), std::move(handler)));
} catch (...) {
  return current_error();
}

Result<> Processor::start() try {
  return impl_ ? impl_->start() : Result<>(moved_from_processor());
} catch (...) {
  return current_error();
}

Result<> Processor::run() try {
  return impl_ ? impl_->run() : Result<>(moved_from_processor());
} catch (...) {
  return current_error();
}

Result<std::size_t> Processor::run_once(std::chrono::milliseconds timeout) try {
  return impl_ ? impl_->run_once(timeout) : Result<std::size_t>(moved_from_processor());
} catch (...) {
  return current_error();
}

void Processor::stop() noexcept {
  if (impl_) impl_->stop();
}

Result<> Processor::wait() try {
  return impl_ ? impl_->wait() : Result<>(moved_from_processor());
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
