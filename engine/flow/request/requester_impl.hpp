// Behind `Requester`: the requests that wait, and the one thread among their waiters that reads replies.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include <seriatim/consumer.hpp>
#include <seriatim/flow/request_reply.hpp>
#include <seriatim/producer.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

struct PendingReply {
  std::uint64_t number = 0;
  std::chrono::steady_clock::time_point deadline{};
  std::optional<Result<OwnedRecord>> outcome{};  ///< Under the mutex of the requester.
};

/// Threads: any.
class RequesterImpl : public std::enable_shared_from_this<RequesterImpl> {
 public:
  /// @param options  in their ranges.
  static Result<std::shared_ptr<RequesterImpl>> open(const Engine& engine, RequesterOptions options);
  /// @param replies  assigned, at the end of the reply topic.
  RequesterImpl(RequesterOptions options, Producer producer, Consumer replies, std::uint64_t requester);

  // As Requester and ReplyFuture.
  Result<ReplyFuture> request(const ProducerRecord& record, std::chrono::milliseconds timeout);
  Result<OwnedRecord> wait_for(PendingReply& pending);
  bool is_ready(const PendingReply& pending) const noexcept;
  void give_up(PendingReply& pending) noexcept;
  RequesterCounts counts() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  Result<std::shared_ptr<PendingReply>> admit(std::chrono::milliseconds timeout);
  Result<RecordMetadata> send(const ProducerRecord& record, std::uint64_t number);
  /// Is the reader for a moment. Lets go of the lock meanwhile.
  Result<> read(Lock& lock, std::chrono::steady_clock::time_point deadline);
  Result<> poll_replies(std::chrono::steady_clock::time_point deadline);
  void take(const RecordView& reply);

  const RequesterOptions options_;
  const std::uint64_t requester_;
  Producer producer_;
  Consumer replies_;  ///< Of the reader.

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool has_reader_ = false;
  std::map<std::uint64_t, std::shared_ptr<PendingReply>> pending_{};
  std::uint64_t next_number_ = 0;
  RequesterCounts counts_{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
