/// @file
/// `Requester` and `Responder`: a call that goes through topics, and its answer.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/export.hpp>
#include <seriatim/flow/processor.hpp>
#include <seriatim/producer.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// Headers of requests and replies. The first three are Spring Kafka's.
inline constexpr std::string_view correlation_id_header = "kafka_correlationId";  ///< 16 bytes, opaque.
inline constexpr std::string_view reply_topic_header = "kafka_replyTopic";        ///< Its name.
/// Optional: 4 bytes, the highest first.
inline constexpr std::string_view reply_partition_header = "kafka_replyPartition";
/// Of a reply that is an error: the number of its Errc, a space and its message.
inline constexpr std::string_view reply_error_header = "seriatim_replyError";

struct RequesterOptions {
  /// Replies go there. It must exist. Any number of requesters may share it: each reads all replies of the
  /// topic, or of its partition, and leaves those that are not its own.
  std::string reply_topic{};
  /// Replies go to this partition, and only that one is read.
  std::optional<PartitionId> reply_partition{};
  /// Requests that wait for their reply at a time, 1 .. 1'000'000.
  std::size_t in_flight_max = 10'000;
  /// Of the producer that sends requests.
  ProducerOptions producer{.acks = Acks::leader};
};

/// The number of replies since `open`.
struct RequesterCounts {
  std::uint64_t requests = 0;   ///< That were sent.
  std::uint64_t replies = 0;    ///< That a request waited for.
  std::uint64_t timeouts = 0;   ///< Requests whose time was over.
  std::uint64_t late = 0;       ///< Replies that came when nobody waited any more, or once more.
  std::uint64_t foreign = 0;    ///< Replies to other requesters, and records that are no replies.
  std::uint64_t in_flight = 0;  ///< Requests that wait now.
};

namespace detail {
class RequesterImpl;
class ResponderImpl;
struct PendingReply;
}  // namespace detail

/// A request that was sent. Destroying it gives the reply up: that is late then.
///
/// Threads: one at a time; different ones at once.
class SERIATIM_API ReplyFuture {
 public:
  ReplyFuture(ReplyFuture&&) noexcept;
  ReplyFuture& operator=(ReplyFuture&&) noexcept;
  ~ReplyFuture();

  /// Whether `get` would return at once. Reads nothing: somebody has to wait for replies.
  bool ready() const noexcept;
  /// Waits until the reply is there, or the time of the request is over. Reads replies meanwhile, for all
  /// requests of this requester, unless another thread does so already. May be called again.
  /// Errors: timed_out: the request was sent, and may be handled or not · the responder's own, with
  /// "the responder answered: " before the message · as Consumer::poll: of the reply topic; the request goes
  /// on waiting, so that this may be called again · closed.
  Result<OwnedRecord> get();

 private:
  friend class detail::RequesterImpl;
  ReplyFuture(std::shared_ptr<detail::RequesterImpl> impl,
              std::shared_ptr<detail::PendingReply> pending) noexcept;
  void give_up() noexcept;
  std::shared_ptr<detail::RequesterImpl> impl_;
  std::shared_ptr<detail::PendingReply> pending_;
};

/// Sends requests and waits for their replies. There is no thread: of those that wait one reads the reply
/// topic for all. Replies that were written before `open` are never looked at: those to requests of an
/// earlier run are ignored.
///
/// @code
///   auto requester = Requester::open(engine, {.reply_topic = "replies"}).value();
///   auto reply = requester.request({.topic = "prices", .value = "apple"}, std::chrono::seconds(1)).value();
/// @endcode
///
/// Threads: any.
class SERIATIM_API Requester {
 public:
  /// Errors: unknown_topic_or_partition: the reply topic, or its partition, is not there ·
  /// invalid_argument · as Engine::producer and Engine::consumer.
  static Result<Requester> open(const Engine& engine, RequesterOptions options);

  Requester(Requester&&) noexcept;
  Requester& operator=(Requester&&) noexcept;
  ~Requester();

  /// Sends a request and waits for its reply.
  /// @param record  its headers may not be named as those above.
  /// @param timeout  from the call on, 0 ms or more; the largest value means for ever.
  /// Errors: invalid_argument · queue_full: `in_flight_max` requests wait · as Producer::send: not sent,
  /// unless the outcome is unknown · as ReplyFuture::get.
  Result<OwnedRecord> request(const ProducerRecord& record, std::chrono::milliseconds timeout);
  /// Sends a request.
  /// Errors: as `request`, but for those of `get`.
  Result<ReplyFuture> request_async(const ProducerRecord& record, std::chrono::milliseconds timeout);
  RequesterCounts counts() const;

 private:
  explicit Requester(std::shared_ptr<detail::RequesterImpl> impl) noexcept;
  std::shared_ptr<detail::RequesterImpl> impl_;
};

/// The answer to a request.
struct Reply {
  std::optional<std::string> value{};
  std::optional<std::string> key{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
};

/// Answers one request. An error, or an exception, goes to the requester as its error.
/// Threads: as ProcessorHandler.
using ResponderHandler = std::function<Result<Reply>(const RecordView& request)>;

struct ResponderOptions {
  /// Reads requests and commits: a Processor with these options. `Delivery::at_least_once`: after a fault a
  /// request may be handled, and answered, once more. `exactly_once`: the reply and the position are one
  /// transaction; requesters see it when that is committed, at the end of a batch.
  ProcessorOptions processor{};
  /// Is told of a request that was passed over: it names no reply topic or one that is not there, or its
  /// reply could not be sent, nor the error. An exception is a failure of its record.
  /// Threads: as ResponderHandler.
  std::function<void(const RecordView& request, const Error& error)> on_unanswered{};
};

struct ResponderCounts {
  std::uint64_t answered = 0;    ///< Replies that were sent, errors too.
  std::uint64_t errors = 0;      ///< Replies among them that are an error.
  std::uint64_t unanswered = 0;  ///< Requests that were passed over.
};

/// Handles the requests of topics as a member of a group, and sends the replies.
///
/// Threads: any.
class SERIATIM_API Responder {
 public:
  /// Begins nothing.
  /// Errors: as Processor::open.
  static Result<Responder> open(const Engine& engine, ResponderOptions options, ResponderHandler handler);

  Responder(Responder&&) noexcept;
  Responder& operator=(Responder&&) noexcept;
  /// As ~Processor.
  ~Responder();

  /// As Processor::start.
  /// Errors: as there.
  Result<> start();
  /// As Processor::run.
  /// Errors: as there.
  Result<> run();
  /// As Processor::run_once.
  /// Errors: as there.
  Result<std::size_t> run_once(std::chrono::milliseconds timeout);
  /// As Processor::stop.
  void stop() noexcept;
  /// As Processor::wait.
  /// Errors: as there.
  Result<> wait();
  ResponderCounts counts() const;

 private:
  explicit Responder(std::unique_ptr<detail::ResponderImpl> impl) noexcept;
  std::unique_ptr<detail::ResponderImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
