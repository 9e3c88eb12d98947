// `ParallelConsumer`: options and the handle.
#include <seriatim/flow/parallel_consumer.hpp>

#include <cmath>
#include <string>
#include <utility>

#include <seriatim/exception.hpp>

#include "flow/parallel/parallel_consumer_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t parallel_workers_max = 1'000;       // arbitrary; each is a thread
constexpr std::size_t parallel_records_max = 10'000'000;  // arbitrary; each has 56 bytes of memory
constexpr double parallel_multiplier_max = 1'000;         // arbitrary

Error out_of_range(const std::string& option, const std::string& value, const std::string& range) {
  return {Errc::invalid_argument,
          "ParallelConsumerOptions::" + option + " is " + value + "; it must be " + range};
}

Result<> check_parallel_group(const ParallelConsumerOptions& options) {
  if (options.group_id.empty()) {
    return Error(Errc::invalid_argument,
                 "ParallelConsumerOptions::group_id is empty; name the group under which positions are "
                 "stored");
  }
  if (options.topics.empty() == options.pattern.expression.empty()) {
    return Error(Errc::invalid_argument,
                 "ParallelConsumerOptions has " +
                     std::string(options.topics.empty() ? "neither topics nor" : "topics and") +
                     " a pattern; give one of the two");
  }
  if (!options.consumer.group_id.empty() || options.consumer.auto_commit) {
    return Error(Errc::invalid_argument,
                 "ParallelConsumerOptions::consumer has a group_id or auto_commit; the parallel consumer "
                 "commits, under ParallelConsumerOptions::group_id: leave them as they are");
  }
  if (options.acks != Acks::all && options.acks != Acks::leader) {
    return Error(Errc::invalid_argument,
                 "ParallelConsumerOptions::acks is neither all nor leader, and promises nothing; choose one "
                 "of them");
  }
  return {};
}

Result<> check_parallel_times(const ParallelConsumerOptions& options) {
  struct Named {
    const char* name;
    std::chrono::milliseconds time;
  };
  for (const Named& named :
       {Named{"commit_interval", options.commit_interval}, Named{"stop_timeout", options.stop_timeout},
        Named{"revoke_timeout", options.revoke_timeout}, Named{"backoff.initial", options.backoff.initial},
        Named{"backoff.max", options.backoff.max}}) {
    if (named.time.count() < 0)
      return out_of_range(named.name, std::to_string(named.time.count()) + " ms", "0 ms or more");
  }
  const double multiplier = options.backoff.multiplier;
  if (!(multiplier >= 1 && multiplier <= parallel_multiplier_max))
    return out_of_range("backoff.multiplier", std::to_string(multiplier), "1 to 1000");
  if (!(options.backoff.jitter >= 0 && options.backoff.jitter <= 1))
    return out_of_range("backoff.jitter", std::to_string(options.backoff.jitter), "0 to 1");
  return {};
}

Result<> check_parallel_options(const ParallelConsumerOptions& options) {
  if (auto checked = check_parallel_group(options); !checked) return checked;
  if (auto checked = check_parallel_times(options); !checked) return checked;
  const auto order = static_cast<unsigned>(options.order);
  if (order > static_cast<unsigned>(ParallelOrder::none))
    return out_of_range("order", std::to_string(order), "per_key (0), per_partition (1) or none (2)");
  if (options.workers == 0 || options.workers > parallel_workers_max) {
    return out_of_range("workers", std::to_string(options.workers),
                        "1 to " + std::to_string(parallel_workers_max));
  }
  if (options.max_in_flight_records == 0 || options.max_in_flight_records > parallel_records_max) {
    return out_of_range("max_in_flight_records", std::to_string(options.max_in_flight_records),
                        "1 to " + std::to_string(parallel_records_max));
  }
  if (options.max_in_flight_bytes == 0) return out_of_range("max_in_flight_bytes", "0", "1 or more");
  if (options.commit_records == 0) return out_of_range("commit_records", "0", "1 or more");
  return {};
}

Error moved_from_parallel_consumer() {
  return {Errc::closed, "this ParallelConsumer was moved from; use the one it was moved to"};
}

}  // namespace

ParallelConsumer::ParallelConsumer(std::unique_ptr<detail::ParallelConsumerImpl> impl) noexcept
    : impl_(std::move(impl)) {}
ParallelConsumer::ParallelConsumer(ParallelConsumer&&) noexcept = default;
ParallelConsumer& ParallelConsumer::operator=(ParallelConsumer&&) noexcept = default;
ParallelConsumer::~ParallelConsumer() = default;

Result<ParallelConsumer> ParallelConsumer::open(const Engine& engine, ParallelConsumerOptions options,
                                                ParallelHandler handler) try {
  if (auto checked = check_parallel_options(options); !checked) return checked.error();
  if (!handler)
    return Error(Errc::invalid_argument, "ParallelConsumer::open was called without a handler; give one");
  return ParallelConsumer(
      std::make_unique<detail::ParallelConsumerImpl>(engine, std::move(options), std::move(handler)));
} catch (...) {
  return current_error();
}

Result<> ParallelConsumer::start() try {
  return impl_ ? impl_->start() : Result<>(moved_from_parallel_consumer());
} catch (...) {
  return current_error();
}

Result<> ParallelConsumer::run() try {
  return impl_ ? impl_->run() : Result<>(moved_from_parallel_consumer());
} catch (...) {
  return current_error();
}

void ParallelConsumer::stop() noexcept {
  if (impl_) impl_->stop(detail::ParallelPhase::draining);
}

void ParallelConsumer::stop_now() noexcept {
  if (impl_) impl_->stop(detail::ParallelPhase::dropping);
}

Result<> ParallelConsumer::wait() try {
  return impl_ ? impl_->wait() : Result<>(moved_from_parallel_consumer());
} catch (...) {
  return current_error();
}

ParallelStatus ParallelConsumer::status() const { return impl_ ? impl_->status() : ParallelStatus(); }

}  // namespace v0
}  // namespace seriatim
