#include "flow/request/requester_impl.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/exception.hpp>

#include "flow/request/reply_headers.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Keeps deadlines in the range of their clock.
constexpr milliseconds timeout_max = std::chrono::hours(24 * 365);
// The reader goes on behind it: any time will do.
constexpr milliseconds reading_max = std::chrono::minutes(1);

std::uint64_t random_number() {
  std::random_device random;
  return static_cast<std::uint64_t>(random()) << 32U | random();
}

// Replies from the end on: those that are there already answer requests of others.
Result<Consumer> open_replies(const Engine& engine, const RequesterOptions& options) {
  auto replies = engine.consumer();
  if (!replies) return replies;
  auto assigned = options.reply_partition ? replies->assign({{options.reply_topic, *options.reply_partition}})
                                          : replies->assign_topic(options.reply_topic);
  if (assigned) assigned = replies->seek_to_end();
  if (!assigned) return assigned.error();
  for (const TopicPartition& at : replies->assignment()) {
    if (auto end = replies->position(at); !end) return end.error();
  }
  return replies;
}

Result<> check_request(const ProducerRecord& record, milliseconds timeout) {
  if (timeout.count() < 0) {
    return Error(Errc::invalid_argument, "the time-out of a request is " + std::to_string(timeout.count()) +
                                             " ms; give 0 ms or more");
  }
  for (const HeaderView& header : record.headers) {
    if (!flow::is_reply_header(header.key)) continue;
    return Error(Errc::invalid_argument, "header \"" + std::string(header.key) +
                                             "\" of a request is set by the Requester itself; leave it out");
  }
  return {};
}

Error no_reply(const std::string& topic) {
  return {Errc::timed_out,
          "no reply came to topic " + topic +
              " in time; the request was sent, and may be handled or not: send it again only "
              "where that is harmless"};
}

}  // namespace

RequesterImpl::RequesterImpl(RequesterOptions options, Producer producer, Consumer replies,
                             std::uint64_t requester)
    : options_(std::move(options)),
      requester_(requester),
      producer_(std::move(producer)),
      replies_(std::move(replies)) {}

Result<std::shared_ptr<RequesterImpl>> RequesterImpl::open(const Engine& engine, RequesterOptions options) {
  auto producer = engine.producer(options.producer);
  if (!producer) return producer.error();
  auto replies = open_replies(engine, options);
  if (!replies) return replies.error().with_context("the reply topic of a requester");
  return std::make_shared<RequesterImpl>(std::move(options), *std::move(producer), *std::move(replies),
                                         random_number());
}

Result<ReplyFuture> RequesterImpl::request(const ProducerRecord& record, milliseconds timeout) {
  if (auto checked = check_request(record, timeout); !checked) return checked.error();
  auto pending = admit(timeout);
  if (!pending) return pending.error();
  // Gives the request up where it cannot be sent.
  ReplyFuture future(shared_from_this(), *pending);
  auto sent = send(record, (*pending)->number);
  if (!sent) return sent.error();
  const std::lock_guard lock(mutex_);
  ++counts_.requests;
  return future;
}

Result<std::shared_ptr<PendingReply>> RequesterImpl::admit(milliseconds timeout) {
  auto pending = std::make_shared<PendingReply>();
  pending->deadline = steady_clock::now() + std::min(timeout, timeout_max);
  const std::lock_guard lock(mutex_);
  if (pending_.size() >= options_.in_flight_max) {
    return Error(Errc::queue_full, std::to_string(pending_.size()) +
                                       " requests wait for their reply; wait for some, or raise "
                                       "RequesterOptions::in_flight_max");
  }
  pending->number = next_number_++;
  pending_.emplace(pending->number, pending);
  return pending;
}

Result<RecordMetadata> RequesterImpl::send(const ProducerRecord& record, std::uint64_t number) {
  const std::string correlation = flow::encode_correlation({.requester = requester_, .number = number});
  const std::string partition = flow::encode_reply_partition(options_.reply_partition.value_or(0));
  std::vector<HeaderView> headers(record.headers.begin(), record.headers.end());
  headers.push_back({correlation_id_header, correlation});
  headers.push_back({reply_topic_header, options_.reply_topic});
  if (options_.reply_partition) headers.push_back({reply_partition_header, partition});
  ProducerRecord request = record;
  request.headers = headers;
  return producer_.send_sync(request);
}

// Of those that wait one reads for all; when it has what it waited for, another one does.
Result<OwnedRecord> RequesterImpl::wait_for(PendingReply& pending) {
  bool has_looked = false;
  Lock lock(mutex_);
  for (;;) {
    if (pending.outcome) return *pending.outcome;
    const bool is_over = steady_clock::now() >= pending.deadline;
    if (!has_reader_ && !(is_over && has_looked)) {
      has_looked = true;
      if (auto read_some = read(lock, pending.deadline); !read_some) return read_some.error();
    } else if (!is_over) {
      changed_.wait_until(lock, pending.deadline);
    } else {
      pending.outcome = no_reply(options_.reply_topic);
      pending_.erase(pending.number);
      ++counts_.timeouts;
    }
  }
}

Result<> RequesterImpl::read(Lock& lock, steady_clock::time_point deadline) {
  has_reader_ = true;
  lock.unlock();
  auto outcome = [&]() noexcept -> Result<> {
    try {
      return poll_replies(deadline);
    } catch (...) {
      return current_error();
    }
  }();
  lock.lock();
  has_reader_ = false;
  changed_.notify_all();
  return outcome;
}

Result<> RequesterImpl::poll_replies(steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
  const auto records = replies_.poll(std::clamp(left, milliseconds(0), reading_max));
  if (!records) return records.error().with_context("reading replies");
  const std::lock_guard lock(mutex_);
  for (const RecordView& reply : *records) take(reply);
  if (!records->empty()) changed_.notify_all();
  return {};
}

void RequesterImpl::take(const RecordView& reply) {
  const auto header = reply.header(correlation_id_header);
  const auto id = header ? flow::decode_correlation(*header) : std::nullopt;
  if (!id || id->requester != requester_) {
    ++counts_.foreign;
    return;
  }
  const auto found = pending_.find(id->number);
  if (found == pending_.end()) {
    ++counts_.late;
    return;
  }
  // A reply that there is no memory for is an error of its request only.
  found->second->outcome = [&]() noexcept -> Result<OwnedRecord> {
    try {
      const auto error = reply.header(reply_error_header);
      if (error) return flow::decode_reply_error(*error);
      return reply.to_owned();
    } catch (...) {
      return current_error();
    }
  }();
  pending_.erase(found);
  ++counts_.replies;
}

bool RequesterImpl::is_ready(const PendingReply& pending) const noexcept {
  const std::lock_guard lock(mutex_);
  return pending.outcome.has_value() || steady_clock::now() >= pending.deadline;
}

void RequesterImpl::give_up(PendingReply& pending) noexcept {
  const std::lock_guard lock(mutex_);
  pending_.erase(pending.number);
}

RequesterCounts RequesterImpl::counts() const {
  const std::lock_guard lock(mutex_);
  RequesterCounts counts = counts_;
  counts.in_flight = pending_.size();
  return counts;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
