// Behind `Responder`: the handler of its processor.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include <seriatim/flow/processor.hpp>
#include <seriatim/flow/request_reply.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Threads: any.
class ResponderImpl {
 public:
  ResponderImpl(ResponderHandler handler, std::function<void(const RecordView&, const Error&)> on_unanswered)
      : handler_(std::move(handler)), on_unanswered_(std::move(on_unanswered)) {}

  /// Handles a request and sends its reply.
  /// Errors: of what may succeed later, or ends the processor.
  Result<> answer(const RecordView& request, ProcessorOutput& output);
  ResponderCounts counts() const noexcept;

  std::optional<Processor> processor{};

 private:
  Result<Reply> handle(const RecordView& request) noexcept;
  Result<> send(const RecordView& request, ProcessorOutput& output, const Result<Reply>& reply) const;
  Result<> pass_over(const RecordView& request, const Error& error);

  const ResponderHandler handler_;
  const std::function<void(const RecordView&, const Error&)> on_unanswered_;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> errors_{0};
  std::atomic<std::uint64_t> unanswered_{0};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
