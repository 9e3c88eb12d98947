// `ShareConsumer`: the public handle, and `Engine::share_consumer`.
#include <seriatim/share_consumer.hpp>

#include <memory>
#include <utility>

#include <seriatim/exception.hpp>

#include "api/dead_letters.hpp"
#include "api/share_group_check.hpp"
#include "base/moved_from.hpp"
#include "consumer/share/share_consumer_impl.hpp"
#include "format/topic_name.hpp"

namespace seriatim {
inline namespace v0 {

using detail::ShareConsumerImpl;

namespace {

auto enter_share_consumer(const std::unique_ptr<ShareConsumerImpl>& impl) -> decltype(impl->enter()) {
  if (!impl) return base::moved_from("ShareConsumer");
  return impl->enter();
}

}  // namespace

Result<ShareConsumer> Engine::share_consumer(ShareConsumerOptions options) const try {
  if (!impl_) return base::moved_from("Engine");
  if (auto usable = impl_->check_writable(); !usable) return usable.error();
  if (auto checked = api::check_share_group(*impl_, options.group_id); !checked) return checked.error();
  return ShareConsumerImpl::create(impl_, std::move(options), api::DeadLetters::of(impl_));
} catch (...) {
  return current_error();
}

ShareConsumer::ShareConsumer(std::unique_ptr<ShareConsumerImpl> impl) noexcept : impl_(std::move(impl)) {}
ShareConsumer::ShareConsumer(ShareConsumer&&) noexcept = default;
ShareConsumer& ShareConsumer::operator=(ShareConsumer&&) noexcept = default;
ShareConsumer::~ShareConsumer() = default;

Result<> ShareConsumer::subscribe(std::span<const std::string> topics) try {
  auto entry = enter_share_consumer(impl_);
  if (!entry) return entry.error();
  if (topics.empty()) {
    return Error(Errc::invalid_argument,
                 "subscribe was called with no topics; name some, or call unsubscribe to leave the group");
  }
  for (const std::string& name : topics) {
    if (auto checked = format::check_topic_name(name); !checked) return checked.error();
  }
  return impl_->subscribe({topics.begin(), topics.end()});
} catch (...) {
  return current_error();
}

Result<> ShareConsumer::subscribe(std::initializer_list<std::string_view> topics) try {
  const std::vector<std::string> names(topics.begin(), topics.end());
  return subscribe(std::span<const std::string>(names));
} catch (...) {
  return current_error();
}

Result<> ShareConsumer::unsubscribe() try {
  auto entry = enter_share_consumer(impl_);
  return entry ? impl_->unsubscribe() : Result<>(entry.error());
} catch (...) {
  return current_error();
}

std::vector<std::string> ShareConsumer::subscription() const {
  auto entry = enter_share_consumer(impl_);
  if (!entry) return {};
  return {impl_->topics.begin(), impl_->topics.end()};
}

Result<ShareRecords> ShareConsumer::poll(std::chrono::milliseconds timeout) try {
  auto entry = enter_share_consumer(impl_);
  return entry ? impl_->poll(timeout) : Result<ShareRecords>(entry.error());
} catch (...) {
  return current_error();
}

Result<> ShareConsumer::acknowledge(const RecordView& record, AcknowledgeType type) try {
  auto entry = enter_share_consumer(impl_);
  if (!entry) return entry.error();
  return impl_->acknowledge(record.topic(), record.partition(), record.offset(), type);
} catch (...) {
  return current_error();
}

Result<> ShareConsumer::acknowledge(const TopicPartition& at, Offset offset, AcknowledgeType type) try {
  auto entry = enter_share_consumer(impl_);
  return entry ? impl_->acknowledge(at.topic, at.partition, offset, type) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

Result<> ShareConsumer::commit_sync() try {
  auto entry = enter_share_consumer(impl_);
  if (!entry) return entry.error();
  impl_->accept_implicitly();
  return impl_->commit(impl_->options.commit_acks, ShareConsumerImpl::Told::by_call);
} catch (...) {
  return current_error();
}

Result<> ShareConsumer::commit_async() try {
  auto entry = enter_share_consumer(impl_);
  if (!entry) return entry.error();
  impl_->accept_implicitly();
  return impl_->commit(Acks::leader, ShareConsumerImpl::Told::by_callback_alone);
} catch (...) {
  return current_error();
}

void ShareConsumer::set_acknowledgement_callback(AcknowledgementCallback callback) {
  auto entry = enter_share_consumer(impl_);
  if (entry) impl_->callback = std::move(callback);
}

std::chrono::milliseconds ShareConsumer::acquisition_lock_timeout() const {
  auto entry = enter_share_consumer(impl_);
  return entry ? impl_->config().record_lock_duration : std::chrono::milliseconds(0);
}

void ShareConsumer::wakeup() noexcept {
  if (impl_) impl_->slot->interrupt();
}

Result<> ShareConsumer::close() try {
  auto entry = enter_share_consumer(impl_);
  if (!entry) return entry.error().code() == Errc::closed ? Result<>() : Result<>(entry.error());
  return impl_->close();
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
