// `Requester`, `ReplyFuture`, `Responder`: options, handles.
#include <seriatim/flow/request_reply.hpp>

#include <string>
#include <utility>

#include <seriatim/exception.hpp>

#include "flow/request/requester_impl.hpp"
#include "flow/request/responder_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t requests_in_flight_max = 1'000'000;

Result<> check_requester_options(const RequesterOptions& options) {
  if (options.in_flight_max >= 1 && options.in_flight_max <= requests_in_flight_max) return {};
  return Error(Errc::invalid_argument, "RequesterOptions::in_flight_max is " +
                                           std::to_string(options.in_flight_max) + "; it must be 1 to " +
                                           std::to_string(requests_in_flight_max));
}

Error request_moved_from(std::string_view what) {
  return {Errc::closed, "this " + std::string(what) + " was moved from; use the one it was moved to"};
}

}  // namespace

ReplyFuture::ReplyFuture(std::shared_ptr<detail::RequesterImpl> impl,
                         std::shared_ptr<detail::PendingReply> pending) noexcept
    : impl_(std::move(impl)), pending_(std::move(pending)) {}
ReplyFuture::ReplyFuture(ReplyFuture&&) noexcept = default;
ReplyFuture& ReplyFuture::operator=(ReplyFuture&& other) noexcept {
  if (this == &other) return *this;
  give_up();
  impl_ = std::move(other.impl_);
  pending_ = std::move(other.pending_);
  return *this;
}
ReplyFuture::~ReplyFuture() { give_up(); }
void ReplyFuture::give_up() noexcept {
  if (pending_) impl_->give_up(*pending_);
}

bool ReplyFuture::ready() const noexcept { return !pending_ || impl_->is_ready(*pending_); }
Result<OwnedRecord> ReplyFuture::get() try {
  if (!pending_) return request_moved_from("ReplyFuture");
  return impl_->wait_for(*pending_);
} catch (...) {
  return current_error();
}

Requester::Requester(std::shared_ptr<detail::RequesterImpl> impl) noexcept : impl_(std::move(impl)) {}
Requester::Requester(Requester&&) noexcept = default;
Requester& Requester::operator=(Requester&&) noexcept = default;
Requester::~Requester() = default;

Result<Requester> Requester::open(const Engine& engine, RequesterOptions options) try {
  if (auto checked = check_requester_options(options); !checked) return checked.error();
  auto impl = detail::RequesterImpl::open(engine, std::move(options));
  if (!impl) return impl.error();
  return Requester(*std::move(impl));
} catch (...) {
  return current_error();
}

Result<OwnedRecord> Requester::request(const ProducerRecord& record, std::chrono::milliseconds timeout) try {
  auto sent = request_async(record, timeout);
  if (!sent) return sent.error();
  return sent->get();
} catch (...) {
  return current_error();
}
Result<ReplyFuture> Requester::request_async(const ProducerRecord& record,
                                             std::chrono::milliseconds timeout) try {
  if (!impl_) return request_moved_from("Requester");
  return impl_->request(record, timeout);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
RequesterCounts Requester::counts() const {
  if (!impl_) return {};
  return impl_->counts();
}

Responder::Responder(std::unique_ptr<detail::ResponderImpl> impl) noexcept : impl_(std::move(impl)) {}
Responder::Responder(Responder&&) noexcept = default;
Responder& Responder::operator=(Responder&&) noexcept = default;
Responder::~Responder() = default;

Result<Responder> Responder::open(const Engine& engine, ResponderOptions options,
                                  ResponderHandler handler) try {
  if (!handler) return Error(Errc::invalid_argument, "the handler of a Responder is empty; give a function");
  auto impl = std::make_unique<detail::ResponderImpl>(std::move(handler), std::move(options.on_unanswered));
  auto processor =
      Processor::open(engine, std::move(options.processor),
                      [answering = impl.get()](const RecordView& request, ProcessorOutput& output) {
                        return answering->answer(request, output);
                      });
  if (!processor) return processor.error();
  impl->processor.emplace(*std::move(processor));
  return Responder(std::move(impl));
} catch (...) {
  return current_error();
}

Result<> Responder::start() {
  if (!impl_) return request_moved_from("Responder");
  return impl_->processor->start();
}
Result<> Responder::run() {
  if (!impl_) return request_moved_from("Responder");
  return impl_->processor->run();
}
Result<std::size_t> Responder::run_once(std::chrono::milliseconds timeout) {
  if (!impl_) return request_moved_from("Responder");
  return impl_->processor->run_once(timeout);
}
void Responder::stop() noexcept {
  if (impl_) impl_->processor->stop();
}
Result<> Responder::wait() {
  if (!impl_) return request_moved_from("Responder");
  return impl_->processor->wait();
}
ResponderCounts Responder::counts() const {
  if (!impl_) return {};
  return impl_->counts();
}

}  // namespace v0
}  // namespace seriatim
