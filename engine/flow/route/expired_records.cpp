// Records whose time to live is over.
#include <seriatim/flow/expiry.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <seriatim/admin.hpp>
#include <seriatim/exception.hpp>
#include <seriatim/flow/router.hpp>

#include "flow/letter_headers.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t suffix_bytes_max = 249;  // Of a topic's name.

// A dead letter. Points at its record, and at itself.
class ExpiredLetter {
 public:
  ExpiredLetter(const RecordView& record, const ExpiryOptions& options)
      : topic_(std::string(record.topic()) + options.dead_letter_suffix),
        of_(record.topic()),
        partition_(std::to_string(record.partition())),
        offset_(std::to_string(record.offset())) {
    for (std::size_t i = 0; i < record.header_count(); ++i) {
      const HeaderView header = record.header(i);
      if (header.key != expires_header) headers_.push_back(header);
    }
    headers_.push_back({flow::letter_topic, of_});
    headers_.push_back({flow::letter_partition, partition_});
    headers_.push_back({flow::letter_offset, offset_});
    if (!options.group_id.empty()) headers_.push_back({flow::letter_group, options.group_id});
    headers_.push_back({flow::letter_message, "The record's time to live is over."});
    record_ = {.topic = topic_, .key = record.key(), .value = record.value(), .headers = headers_};
    if (record.timestamp() != no_timestamp) record_.timestamp = record.timestamp();
  }
  ExpiredLetter(const ExpiredLetter&) = delete;
  ExpiredLetter& operator=(const ExpiredLetter&) = delete;

  const ProducerRecord& record() const noexcept { return record_; }
  /// Its headers say where the record is.
  void leave_record_out() noexcept { record_.key = record_.value = BytesView(); }

 private:
  const std::string topic_;
  const std::string of_;
  const std::string partition_;
  const std::string offset_;
  std::vector<HeaderView> headers_{};
  ProducerRecord record_{};
};

Result<> bury_record(const Engine& engine, Transaction& transaction, const RecordView& record,
                     const ExpiryOptions& options) {
  ExpiredLetter letter(record, options);
  auto sent = transaction.send(letter.record());
  if (!sent && sent.error().code() == Errc::unknown_topic_or_partition) {
    const auto created = engine.admin().create_topic({.name = std::string(letter.record().topic)});
    // Somebody else may have been faster.
    if (!created && created.error().code() != Errc::topic_already_exists) return created.error();
    sent = transaction.send(letter.record());
  }
  if (!sent && sent.error().code() == Errc::record_too_large) {
    letter.leave_record_out();
    sent = transaction.send(letter.record());
  }
  if (!sent) return sent.error().with_context("a dead letter to topic " + std::string(letter.record().topic));
  return {};
}

}  // namespace

std::optional<Timestamp> expiry_of(const RecordView& record) noexcept {
  if (record.header_count() == 0) return std::nullopt;
  const auto header = record.header(expires_header);
  if (!header || header->is_null()) return std::nullopt;
  const std::string_view text = header->text();
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Timestamp(std::chrono::milliseconds(ms));
}

bool is_expired(const RecordView& record, Timestamp now) noexcept {
  const auto expiry = expiry_of(record);
  return expiry && *expiry <= now;
}

Result<SplitRecords> bury_expired(const Engine& engine, Transaction& transaction,
                                  const ConsumerRecords& records, Timestamp now,
                                  const ExpiryOptions& options) try {
  const std::size_t suffix_bytes = options.dead_letter_suffix.size();
  if (suffix_bytes == 0 || suffix_bytes > suffix_bytes_max) {
    return Error(Errc::invalid_argument, "ExpiryOptions::dead_letter_suffix has " +
                                             std::to_string(suffix_bytes) + " bytes; it must be 1 to " +
                                             std::to_string(suffix_bytes_max));
  }
  SplitRecords split;
  split.live.reserve(records.count());
  for (const RecordView& record : records) {
    if (!is_expired(record, now)) {
      split.live.push_back(record);
      continue;
    }
    if (auto buried = bury_record(engine, transaction, record, options); !buried) return buried.error();
    ++split.expired;
  }
  return split;
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
