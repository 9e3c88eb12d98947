// `Consumer`: the public handle, and `Engine::consumer`. Every function enters, so that use by two threads at
// once is an answer, not damage.
#include <seriatim/consumer.hpp>

#include <utility>

#include <seriatim/exception.hpp>

#include "base/moved_from.hpp"
#include "consumer/consumer_impl.hpp"

namespace seriatim {
inline namespace v0 {

using detail::ConsumerImpl;

namespace {

auto enter_consumer(const std::unique_ptr<ConsumerImpl>& impl) -> decltype(impl->enter()) {
  if (!impl) return base::moved_from("Consumer");
  return impl->enter();
}

}  // namespace

Result<Consumer> Engine::consumer(ConsumerOptions options) const try {
  if (!impl_) return base::moved_from("Engine");
  return ConsumerImpl::create(impl_, std::move(options));
} catch (...) {
  return current_error();
}

Consumer::Consumer(std::unique_ptr<ConsumerImpl> impl) noexcept : impl_(std::move(impl)) {}
Consumer::Consumer(Consumer&&) noexcept = default;
Consumer& Consumer::operator=(Consumer&&) noexcept = default;
Consumer::~Consumer() = default;

Result<> Consumer::assign(std::span<const TopicPartition> partitions) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->assign(partitions) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::assign_topic(std::string_view topic) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->assign_topic(topic) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

std::vector<TopicPartition> Consumer::assignment() const {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->assignment() : std::vector<TopicPartition>();
}

Result<ConsumerRecords> Consumer::poll(std::chrono::milliseconds timeout) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->poll(timeout) : Result<ConsumerRecords>(entry.error());
} catch (...) {
  return current_error();
}

Result<Offset> Consumer::position(const TopicPartition& topic_partition) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->position(topic_partition) : Result<Offset>(entry.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::seek(const TopicPartition& topic_partition, Offset offset) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->seek(topic_partition, offset) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::seek_to_beginning(std::span<const TopicPartition> partitions) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->seek_to(partitions, ConsumerImpl::Pending::beginning) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::seek_to_end(std::span<const TopicPartition> partitions) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->seek_to(partitions, ConsumerImpl::Pending::end) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::seek_to_time(Timestamp time) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->seek_to_time(time) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

Result<std::map<TopicPartition, std::optional<OffsetAndTimestamp>>> Consumer::offsets_for_times(
    const std::map<TopicPartition, Timestamp>& times) const try {
  auto entry = enter_consumer(impl_);
  if (!entry) return entry.error();
  return impl_->offsets_for_times(times);
} catch (...) {
  return current_error();
}

Result<Offset> Consumer::beginning_offset(const TopicPartition& topic_partition) const try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->beginning_offset(topic_partition) : Result<Offset>(entry.error());
} catch (...) {
  return current_error();
}

Result<Offset> Consumer::end_offset(const TopicPartition& topic_partition) const try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->end_offset(topic_partition) : Result<Offset>(entry.error());
} catch (...) {
  return current_error();
}

Result<std::int64_t> Consumer::lag(const TopicPartition& topic_partition) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->lag(topic_partition) : Result<std::int64_t>(entry.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::pause(std::span<const TopicPartition> partitions) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->set_paused(partitions, true) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::resume(std::span<const TopicPartition> partitions) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->set_paused(partitions, false) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

std::vector<TopicPartition> Consumer::paused() const {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->paused() : std::vector<TopicPartition>();
}

Result<> Consumer::commit_sync() try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->commit_positions() : Result<>(entry.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::commit_sync(const TopicPartitionOffsets& offsets) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->commit(offsets) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

ConsumerGroupMetadata Consumer::group_metadata() const {
  return {.group_id = impl_ ? impl_->options.group_id : std::string()};
}

Result<std::optional<OffsetAndMetadata>> Consumer::committed(const TopicPartition& topic_partition) const
    try {
  auto entry = enter_consumer(impl_);
  if (!entry) return entry.error();
  return impl_->committed(topic_partition);
} catch (...) {
  return current_error();
}

void Consumer::wakeup() noexcept {
  if (impl_) impl_->slot->interrupt();
}

int Consumer::event_fd() noexcept { return impl_ ? impl_->event_fd() : -1; }

void Consumer::close() noexcept {
  if (impl_) impl_->close();
}

}  // namespace v0
}  // namespace seriatim
