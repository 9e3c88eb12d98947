// `Relay`: options and the handle.
#include <seriatim/flow/relay.hpp>

#include <string>
#include <utility>

#include <seriatim/exception.hpp>

#include "flow/relay/relay_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t relay_name_bytes_max = 200;
constexpr std::size_t relay_batch_records_max = 1'000'000;           // of ConsumerOptions::max_poll_records
constexpr std::size_t relay_batch_bytes_max = std::size_t{1} << 30;  // of ConsumerOptions::max_poll_bytes

Error relay_out_of_range(const std::string& option, const std::string& value, const std::string& range) {
  return {Errc::invalid_argument, "RelayOptions::" + option + " is " + value + "; it must be " + range};
}

Result<> check_relay_topics(const RelayOptions& options) {
  if (options.from.empty() || options.to.empty()) {
    return Error(
        Errc::invalid_argument,
        "RelayOptions::" + std::string(options.from.empty() ? "from" : "to") + " is empty; name the topic");
  }
  if (options.from == options.to || options.from == options.dead_letter_topic) {
    return Error(Errc::invalid_argument,
                 "RelayOptions: topic " + options.from +
                     " is the source and where its records go to: that would never end; name another topic");
  }
  return {};
}

Result<> check_relay_options(const RelayOptions& options) {
  if (auto checked = check_relay_topics(options); !checked) return checked;
  if (options.name.size() > relay_name_bytes_max || options.name.find('\0') != std::string::npos) {
    return Error(Errc::invalid_argument,
                 "the relay's name has " + std::to_string(options.name.size()) + " bytes; it must be 1 to " +
                     std::to_string(relay_name_bytes_max) +
                     ", none of them zero: give RelayOptions::name, the same after every restart");
  }
  if (options.acks != Acks::all && options.acks != Acks::leader) {
    return Error(Errc::invalid_argument,
                 "RelayOptions::acks is neither all nor leader, and promises nothing; choose one of them");
  }
  if (options.batch_records == 0 || options.batch_records > relay_batch_records_max) {
    return relay_out_of_range("batch_records", std::to_string(options.batch_records),
                              "1 to " + std::to_string(relay_batch_records_max));
  }
  if (options.batch_bytes == 0 || options.batch_bytes > relay_batch_bytes_max) {
    return relay_out_of_range("batch_bytes", std::to_string(options.batch_bytes),
                              "1 to " + std::to_string(relay_batch_bytes_max));
  }
  if (options.linger.count() < 0)
    return relay_out_of_range("linger", std::to_string(options.linger.count()) + " ms", "0 ms or more");
  return {};
}

Error moved_from_relay() { return {Errc::closed, "this Relay was moved from; use the one it was moved to"}; }

}  // namespace

Relay::Relay(std::unique_ptr<detail::RelayImpl> impl) noexcept : impl_(std::move(impl)) {}
Relay::Relay(Relay&&) noexcept = default;
Relay& Relay::operator=(Relay&&) noexcept = default;
Relay::~Relay() = default;

Result<Relay> Relay::open(const Engine& engine, RelayOptions options) try {
  if (options.name.empty()) options.name = options.from + ":" + options.to;
  if (auto checked = check_relay_options(options); !checked) return checked.error();
  auto impl = detail::RelayImpl::open(engine, std::move(options));
  if (!impl) return impl.error();
  return Relay(*std::move(impl));
} catch (...) {
  return current_error();
}

Result<> Relay::run() try { return impl_ ? impl_->run() : Result<>(moved_from_relay()); } catch (...) {
  return current_error();
}

Result<std::size_t> Relay::run_once(std::chrono::milliseconds timeout) try {
  return impl_ ? impl_->run_once(timeout) : Result<std::size_t>(moved_from_relay());
} catch (...) {
  return current_error();
}

Result<> Relay::start_in_background() try {
  return impl_ ? impl_->start_in_background() : Result<>(moved_from_relay());
} catch (...) {
  return current_error();
}

std::optional<Result<>> Relay::outcome() const { return impl_ ? impl_->outcome() : std::nullopt; }

void Relay::stop() noexcept {
  if (impl_) impl_->stop();
}

RelayProgress Relay::progress() const { return impl_ ? impl_->progress() : RelayProgress(); }

const std::string& Relay::group_id() const noexcept {
  static const std::string none;
  return impl_ ? impl_->group_id() : none;
}

}  // namespace v0
}  // namespace seriatim
