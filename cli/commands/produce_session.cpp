#include "commands/produce_session.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "text/quantity.hpp"

namespace seriatim::cli {
namespace {

// Long enough for a chunk of lines to share its batches, short enough that nobody at a terminal notices.
constexpr std::chrono::microseconds linger{2'000};
constexpr std::size_t batch_bytes = 256 * 1024;
constexpr std::chrono::minutes flush_timeout{5};
// The bytes of a batch and of a record without headers beside key and value, generously.
constexpr std::size_t framing_bytes = 256;
// The most that an engine allows by default: lines may come slowly.
constexpr std::chrono::minutes transaction_timeout{15};

}  // namespace

Result<> check(const ProduceSettings& settings) {
  if (settings.acks == "none" && !settings.report_path.empty()) {
    return Error(Errc::invalid_argument,
                 "--acks none promises nothing, so there is nothing for --report-acks to report. Choose "
                 "--acks leader or all");
  }
  if (settings.every && settings.transactional_id.empty()) {
    return Error(
        Errc::invalid_argument,
        "--every " + std::to_string(*settings.every) +
            " says how many records a transaction has, but there is none. Give --transactional-id ID");
  }
  return {};
}

CompressionType codec_of(std::string_view word) {
  if (word == "gzip") return CompressionType::gzip;
  if (word == "snappy") return CompressionType::snappy;
  if (word == "lz4") return CompressionType::lz4;
  if (word == "zstd") return CompressionType::zstd;
  return ProducerOptions{}.compression_type;
}

Acks acks_of(std::string_view word) {
  return word == "none" ? Acks::none : word == "leader" ? Acks::leader : Acks::all;
}

Result<std::unique_ptr<ProduceSession>> ProduceSession::open(const Engine& engine, const Context& context,
                                                             const TopicDescription& topic,
                                                             const ProduceSettings& settings) {
  std::unique_ptr<ProduceSession> session(new ProduceSession(context, topic.name));
  const auto message_bytes_max = static_cast<std::size_t>(topic.config.max_message_bytes);
  session->checked_from_ = message_bytes_max / 2 - std::min(message_bytes_max / 2, framing_bytes);
  const Result<> opened = session->open_producer(engine, settings);
  if (!opened.ok()) return opened.error();
  if (settings.partition) session->partition_ = static_cast<PartitionId>(*settings.partition);
  if (!settings.report_path.empty()) {
    session->report_path_ = settings.report_path;
    session->report_fd_ =
        ::open(settings.report_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (session->report_fd_ < 0) {
      return Error(Errc::io_error,
                   "--report-acks " + settings.report_path + " cannot be opened: " + std::strerror(errno),
                   errno);
    }
  }
  return session;
}

Result<> ProduceSession::open_producer(const Engine& engine, const ProduceSettings& settings) {
  if (!settings.transactional_id.empty()) {
    auto opened = engine.transactional_producer({.transactional_id = settings.transactional_id,
                                                 .acks = acks_of(settings.acks),
                                                 .transaction_timeout = transaction_timeout,
                                                 .compression_type = codec_of(settings.codec)});
    if (!opened.ok()) return opened.error();
    transactional_.emplace(std::move(*opened));
    transaction_records_ = static_cast<std::size_t>(settings.every.value_or(0));
    return {};
  }
  auto opened = engine.producer({.acks = acks_of(settings.acks),
                                 .linger = linger,
                                 .compression_type = codec_of(settings.codec),
                                 .batch_size = batch_bytes});
  if (!opened.ok()) return opened.error();
  producer_.emplace(std::move(*opened));
  return {};
}

ProduceSession::~ProduceSession() {
  if (report_fd_ >= 0) ::close(report_fd_);
}

Error ProduceSession::at_line(const Error& error, std::uint64_t line) const {
  return placed(error, {.line = line, .input = static_cast<std::uint32_t>(inputs_.size() - 1)});
}

std::string ProduceSession::place_of(const Origin& origin) const {
  std::string place = inputs_[origin.input];
  if (origin.line > 0) place += (place.empty() ? "line " : ": line ") + std::to_string(origin.line);
  return place;
}

Error ProduceSession::placed(const Error& error, const Origin& origin) const {
  const std::string place = place_of(origin);
  return place.empty() ? error : error.with_context(place);
}

Result<> ProduceSession::send(const OutgoingRecord& record, std::uint64_t line) {
  const Result<> so_far = first_failure();
  if (!so_far.ok()) return so_far;
  headers_.clear();
  for (const auto& [name, value] : record.headers)
    headers_.push_back({name, value ? BytesView(*value) : BytesView()});
  ProducerRecord outgoing{.topic = topic_,
                          .key = record.key(),
                          .value = record.value(),
                          .partition = partition_ ? partition_ : record.partition,
                          .timestamp = record.timestamp,
                          .headers = headers_};
  const std::size_t bytes = outgoing.key.size() + outgoing.value.size();
  std::size_t header_bytes = 0;
  for (const HeaderView& header : headers_) header_bytes += header.key.size() + header.value.size() + 10;
  const Origin origin{.line = line,
                      .input = static_cast<std::uint32_t>(inputs_.size() - 1),
                      .bytes = static_cast<std::uint32_t>(bytes)};
  // A batch is refused for its size when it is full, and others are on their way by then.
  if (producer_ && bytes + header_bytes >= checked_from_) {
    const Result<> acceptable = producer_->check(outgoing);
    if (!acceptable.ok()) return placed(acceptable.error(), origin);
  }
  const Result<> sent =
      transactional_ ? send_in_transaction(outgoing, bytes)
                     : producer_->send(outgoing, [this, origin](const Result<RecordMetadata>& outcome) {
                         on_outcome(outcome, origin);
                       });
  return sent.ok() ? sent : Result<>(placed(sent.error(), origin));
}

Result<> ProduceSession::send_in_transaction(const ProducerRecord& record, std::size_t bytes) {
  if (!transaction_) {
    Result<Transaction> begun = transactional_->begin();
    if (!begun.ok()) return begun.error();
    transaction_.emplace(std::move(*begun));
  }
  const Result<RecordMetadata> sent = transaction_->send(record);
  if (!sent.ok()) return sent.error();
  std::vector<Run>& runs = pending_runs_[sent->partition];
  if (runs.empty() || runs.back().last + 1 != sent->offset) {
    runs.push_back({sent->partition, sent->offset, sent->offset});
  } else {
    runs.back().last = sent->offset;
  }
  ++pending_records_;
  pending_bytes_ += bytes;
  return pending_records_ == transaction_records_ ? commit() : Result<>();
}

Result<> ProduceSession::commit() {
  if (!transaction_) return {};
  const Result<> committed = transaction_->commit();
  if (!committed.ok()) return committed;
  transaction_.reset();
  ++commits_;
  const std::lock_guard lock(mutex_);
  acknowledged_records_ += pending_records_;
  acknowledged_bytes_ += pending_bytes_;
  for (const auto& [partition, runs] : pending_runs_) {
    for (const Run& run : runs) add_acknowledged(run);
  }
  forget_pending();
  return {};
}

void ProduceSession::forget_pending() {
  pending_runs_.clear();
  pending_records_ = 0;
  pending_bytes_ = 0;
}

void ProduceSession::on_outcome(const Result<RecordMetadata>& outcome, const Origin& origin) {
  const std::lock_guard lock(mutex_);
  if (!outcome.ok()) {
    // Partitions fail in any order.
    if (failure_ && !origin.is_before(failed_)) return;
    failure_ = outcome.error();
    failed_ = origin;
    return;
  }
  ++acknowledged_records_;
  acknowledged_bytes_ += origin.bytes;
  if (last_stored_.is_before(origin)) last_stored_ = origin;
  // Acks::none tells no offsets.
  if (outcome->offset >= 0) add_acknowledged({outcome->partition, outcome->offset, outcome->offset});
}

// With mutex_ held.
void ProduceSession::add_acknowledged(const Run& added) {
  const auto [slot, is_new] = open_runs_.try_emplace(added.partition, added);
  Run& run = slot->second;
  if (!is_new && added.first == run.last + 1) {
    run.last = added.last;
  } else if (!is_new) {
    if (report_fd_ >= 0) finished_runs_.push_back(run);
    run = added;
  }
  last_run_ = run;
}

Result<> ProduceSession::first_failure() {
  const std::lock_guard lock(mutex_);
  if (!failure_) return {};
  const Error failure = placed(*failure_, failed_);
  if (!failed_.is_before(last_stored_)) return failure;
  return Error(failure.code(),
               failure.message() + ". Behind it records are stored, the last from " + place_of(last_stored_) +
                   "; --report-acks tells which",
               failure.sys_errno());
}

Result<> ProduceSession::flush() {
  const Result<> flushed = producer_ ? producer_->flush(flush_timeout) : Result<>();
  // The acknowledged records are reported even if the rest failed.
  const Result<> reported = report_acknowledged();
  if (!flushed.ok()) return flushed;
  if (!reported.ok()) return reported;
  return first_failure();
}

Result<> ProduceSession::report_acknowledged() {
  std::vector<Run> runs;
  {
    const std::lock_guard lock(mutex_);
    runs.swap(finished_runs_);
    for (const auto& [partition, run] : open_runs_) runs.push_back(run);
    open_runs_.clear();
  }
  return report_fd_ < 0 ? Result<>() : write_report(runs);
}

Result<> ProduceSession::write_report(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    const std::string line = topic_ + " " + std::to_string(run.partition) + " " + std::to_string(run.first) +
                             " " + std::to_string(run.last) + "\n";
    // One call a line: a reader of the file, and a kill in between, find whole lines only.
    ssize_t written = -1;
    do {
      written = ::write(report_fd_, line.data(), line.size());
    } while (written < 0 && errno == EINTR);
    if (written == static_cast<ssize_t>(line.size())) continue;
    const int write_errno = written < 0 ? errno : ENOSPC;
    return Error(Errc::io_error,
                 "--report-acks " + report_path_ + " cannot be written: " + std::strerror(write_errno) +
                     ". The records are stored; the report lacks some of them",
                 write_errno);
  }
  return {};
}

Result<> ProduceSession::finish() {
  const Result<> committed = commit();
  if (!committed.ok()) {
    const Result<> given_up = give_up();
    return committed;
  }
  const Result<> flushed = flush();
  print_summary();
  return flushed;
}

Result<> ProduceSession::give_up() {
  // A commit that may have been stored cannot be aborted.
  if (transaction_ && transaction_->abort().ok()) aborted_records_ = pending_records_;
  forget_pending();
  transaction_.reset();
  const Result<> flushed = flush();
  print_summary();
  return flushed;
}

void ProduceSession::print_summary() const {
  const std::lock_guard lock(mutex_);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  const double rate = seconds > 0 ? static_cast<double>(acknowledged_records_) / seconds : 0;
  std::string text = "sent " + count_of(acknowledged_records_, "record") + ", " +
                     readable_size(static_cast<double>(acknowledged_bytes_)) + " in " + fixed(seconds, 3) +
                     " s (" + fixed(rate, 0) + "/s)";
  if (last_run_.last >= 0)
    text +=
        ", last " + topic_ + "-" + std::to_string(last_run_.partition) + "@" + std::to_string(last_run_.last);
  if (transactional_) text += ", " + count_of(commits_, "transaction");
  if (aborted_records_ > 0) text += ", aborted " + count_of(aborted_records_, "record");
  context_.note(text);
}

}  // namespace seriatim::cli
