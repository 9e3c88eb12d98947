#include "flow/retry/retry_output.hpp"

#include <memory>
#include <utility>

#include <seriatim/exception.hpp>

namespace seriatim {
inline namespace v0 {
namespace {

bool is_against_record(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::invalid_topic:
    case Errc::unknown_topic_or_partition:
    case Errc::record_too_large:
    case Errc::invalid_record:
    case Errc::invalid_timestamp:
    case Errc::policy_violation:
    case Errc::unsupported_codec:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<> RetryOutput::send(const ProducerRecord& record) try {
  if (auto checked = checker_.check(record); !checked) {
    if (!is_against_record(checked.error().code())) engine_failure_ = checked.error();
    return checked;
  }
  const auto copy = [](BytesView bytes) {
    return bytes.is_null() ? std::optional<std::string>() : std::string(bytes.text());
  };
  auto kept = std::make_shared<Owned>();
  kept->topic = record.topic;
  kept->key = copy(record.key);
  kept->value = copy(record.value);
  kept->partition = record.partition;
  kept->timestamp = record.timestamp;
  for (const HeaderView& header : record.headers) kept->headers.emplace_back(header.key, copy(header.value));
  sent_.push_back(std::move(kept));
  return {};
} catch (...) {
  // It says nothing against the record.
  engine_failure_ = current_error();
  return *engine_failure_;
}

}  // namespace v0
}  // namespace seriatim
