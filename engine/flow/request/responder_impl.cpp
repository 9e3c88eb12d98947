#include "flow/request/responder_impl.hpp"

#include <string>
#include <utility>
#include <vector>

#include <seriatim/exception.hpp>

#include "flow/request/reply_headers.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// Another try may succeed, or nothing more will: not the fault of this reply.
bool is_of_the_engine(const Error& error) {
  return error.retriable() || error.fatal() || error.requires_abort();
}

BytesView reply_bytes(const std::optional<std::string>& text) {
  return text ? BytesView(*text) : BytesView();
}

Error no_reply_topic() {
  return {Errc::invalid_record, "the request has no header \"" + std::string(reply_topic_header) +
                                    "\" that names a topic, or its \"" + std::string(reply_partition_header) +
                                    "\" is none: nobody can be answered"};
}

}  // namespace

Result<> ResponderImpl::answer(const RecordView& request, ProcessorOutput& output) {
  const auto topic = request.header(reply_topic_header);
  const auto partition = request.header(reply_partition_header);
  if (!topic || topic->empty() || (partition && !flow::decode_reply_partition(*partition)))
    return pass_over(request, no_reply_topic());
  Result<Reply> reply = handle(request);
  auto sent = send(request, output, reply);
  // A reply that no topic takes: the requester learns why.
  if (!sent && !is_of_the_engine(sent.error()) && reply &&
      sent.error().code() != Errc::unknown_topic_or_partition) {
    reply = sent.error().with_context("the reply could not be sent");
    sent = send(request, output, reply);
  }
  if (!sent && is_of_the_engine(sent.error())) return sent.error().with_context("sending a reply");
  if (!sent) return pass_over(request, sent.error());
  answered_.fetch_add(1, std::memory_order_relaxed);
  if (!reply) errors_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

Result<Reply> ResponderImpl::handle(const RecordView& request) noexcept {
  try {
    return handler_(request);
  } catch (...) {
    return current_error();
  }
}

Result<> ResponderImpl::send(const RecordView& request, ProcessorOutput& output,
                             const Result<Reply>& reply) const {
  std::vector<HeaderView> headers;
  const auto correlation = request.header(correlation_id_header);
  if (correlation) headers.push_back({correlation_id_header, *correlation});
  const auto partition = request.header(reply_partition_header);
  ProducerRecord record{.topic = request.header(reply_topic_header)->text(),
                        .partition = partition ? flow::decode_reply_partition(*partition) : std::nullopt};
  std::string error;
  if (reply) {
    record.key = reply_bytes(reply->key);
    record.value = reply_bytes(reply->value);
    for (const auto& [name, value] : reply->headers) {
      if (!flow::is_reply_header(name)) headers.push_back({name, reply_bytes(value)});
    }
  } else {
    error = flow::encode_reply_error(reply.error());
    headers.push_back({reply_error_header, error});
  }
  record.headers = headers;
  return output.send(record);
}

Result<> ResponderImpl::pass_over(const RecordView& request, const Error& error) {
  unanswered_.fetch_add(1, std::memory_order_relaxed);
  if (on_unanswered_) on_unanswered_(request, error);
  return {};
}

ResponderCounts ResponderImpl::counts() const noexcept {
  return {.answered = answered_.load(std::memory_order_relaxed),
          .errors = errors_.load(std::memory_order_relaxed),
          .unanswered = unanswered_.load(std::memory_order_relaxed)};
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
