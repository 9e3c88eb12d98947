// `Consumer`: the public handle, and `Engine::consumer`. Every function enters, so that use by two threads at
// once is an answer, not damage.
#include <seriatim/consumer.hpp>

#include <memory>
#include <regex>
#include <utility>

#include <seriatim/exception.hpp>

#include "api/share_group_check.hpp"
#include "base/moved_from.hpp"
#include "consumer/consumer_impl.hpp"
#include "format/topic_name.hpp"

namespace seriatim {
inline namespace v0 {

using detail::ConsumerImpl;

namespace {

auto enter_consumer(const std::unique_ptr<ConsumerImpl>& impl) -> decltype(impl->enter()) {
  if (!impl) return base::moved_from("Consumer");
  return impl->enter();
}

Result<group::Subscription> subscription_to(std::vector<std::string> names) {
  if (names.empty()) {
    return Error(Errc::invalid_argument,
                 "subscribe was called with no topics; name some, or call unsubscribe to leave the group");
  }
  for (const std::string& name : names) {
    if (auto checked = format::check_topic_name(name); !checked) return checked.error();
  }
  return group::Subscription{.names = std::move(names)};
}

Result<group::Subscription> subscription_to(const TopicPattern& pattern) try {
  if (pattern.expression.empty())
    return Error(Errc::invalid_argument, "TopicPattern::expression is empty; \".*\" means all topics");
  auto expression = std::make_shared<const std::regex>(pattern.expression, std::regex::optimize);
  return group::Subscription{.matches = [expression](std::string_view name) {
    return std::regex_match(name.begin(), name.end(), *expression);
  }};
} catch (const std::regex_error& error) {
  return Error(Errc::invalid_argument, "TopicPattern::expression \"" + pattern.expression +
                                           "\" is no ECMAScript regular expression: " + error.what());
}

}  // namespace

Result<Consumer> Engine::consumer(ConsumerOptions options) const try {
  if (!impl_) return base::moved_from("Engine");
  if (!options.group_id.empty() && impl_->check_usable()) {
    if (auto checked = api::check_consumer_group(*impl_, options.group_id); !checked) return checked.error();
  }
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
  if (!entry) return entry.error();
  auto found = impl_->engine->topic(topic);
  if (!found) return found.error();
  std::vector<TopicPartition> partitions;
  for (PartitionId i = 0; i < (*found)->partition_count(); ++i) partitions.push_back({std::string(topic), i});
  return impl_->assign(partitions);
} catch (...) {
  return current_error();
}

std::vector<TopicPartition> Consumer::assignment() const {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->assignment() : std::vector<TopicPartition>();
}

Result<> Consumer::subscribe(std::span<const std::string> topics, RebalanceListener listener) try {
  auto entry = enter_consumer(impl_);
  if (!entry) return entry.error();
  auto checked = subscription_to({topics.begin(), topics.end()});
  return checked ? impl_->subscribe(*std::move(checked), std::move(listener)) : Result<>(checked.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::subscribe(std::initializer_list<std::string_view> topics, RebalanceListener listener) try {
  const std::vector<std::string> names(topics.begin(), topics.end());
  return subscribe(std::span<const std::string>(names), std::move(listener));
} catch (...) {
  return current_error();
}

Result<> Consumer::subscribe(const TopicPattern& pattern, RebalanceListener listener) try {
  auto entry = enter_consumer(impl_);
  if (!entry) return entry.error();
  auto checked = subscription_to(pattern);
  return checked ? impl_->subscribe(*std::move(checked), std::move(listener)) : Result<>(checked.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::unsubscribe() try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->unsubscribe(GroupMembership::leave) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

Result<ConsumerRecords> Consumer::poll(std::chrono::milliseconds timeout) try {
  auto entry = enter_consumer(impl_);
  if (!entry) return entry.error();
  auto records = impl_->poll(timeout);
  // Should another thread close it now, that does not commit these.
  if (!impl_->thread.is_in_listener()) impl_->offsets.note_returned(records && !records->empty());
  return records;
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
  return impl_->queries.offsets_for_times(times);
} catch (...) {
  return current_error();
}

Result<Offset> Consumer::beginning_offset(const TopicPartition& topic_partition) const try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->queries.beginning_offset(topic_partition) : Result<Offset>(entry.error());
} catch (...) {
  return current_error();
}

Result<Offset> Consumer::end_offset(const TopicPartition& topic_partition) const try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->queries.end_offset(topic_partition) : Result<Offset>(entry.error());
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
  return entry ? impl_->commit(impl_->positions(ConsumerImpl::Committing::asked)) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::commit_sync(const TopicPartitionOffsets& offsets) try {
  auto entry = enter_consumer(impl_);
  return entry ? impl_->commit(offsets) : Result<>(entry.error());
} catch (...) {
  return current_error();
}

Result<> Consumer::commit_async(OffsetCommitCallback callback) try {
  auto entry = enter_consumer(impl_);
  if (!entry) return entry.error();
  return impl_->offsets.commit_async(impl_->subscription.committer(),
                                     impl_->positions(ConsumerImpl::Committing::asked), std::move(callback));
} catch (...) {
  return current_error();
}

Result<> Consumer::commit_async(const TopicPartitionOffsets& offsets, OffsetCommitCallback callback) try {
  auto entry = enter_consumer(impl_);
  if (!entry) return entry.error();
  return impl_->offsets.commit_async(impl_->subscription.committer(), offsets, std::move(callback));
} catch (...) {
  return current_error();
}

ConsumerGroupMetadata Consumer::group_metadata() const {
  return impl_ ? impl_->subscription.metadata() : ConsumerGroupMetadata();
}

Result<std::optional<OffsetAndMetadata>> Consumer::committed(const TopicPartition& topic_partition) const
    try {
  auto entry = enter_consumer(impl_);
  if (!entry) return entry.error();
  return impl_->offsets.committed(topic_partition);
} catch (...) {
  return current_error();
}

void Consumer::wakeup() noexcept {
  if (impl_) impl_->slot->interrupt();
}

int Consumer::event_fd() noexcept {
  if (!impl_ || impl_->engine->is_read_only() || impl_->thread.is_closed()) return -1;
  return impl_->watch.event_fd();
}

void Consumer::close(GroupMembership membership) noexcept {
  if (impl_) impl_->close(membership);
}

}  // namespace v0
}  // namespace seriatim
