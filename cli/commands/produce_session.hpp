// One producer at work for the command: sends, counts, and reports what was acknowledged.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>

#include "context.hpp"
#include "text/record_source.hpp"

namespace seriatim::cli {

struct ProduceSettings {
  std::optional<std::int64_t> partition{};
  std::string codec = "none";
  std::string acks = "all";
  std::string report_path{};
  std::string transactional_id{};       ///< Empty: no transactions.
  std::optional<std::int64_t> every{};  ///< Records in a transaction; nothing: all are one.
};

/// Errors: invalid_argument: settings that contradict each other.
Result<> check(const ProduceSettings& settings);

/// Codec by its word; `none` for anything unknown, which the command line has refused before.
CompressionType codec_of(std::string_view word);
Acks acks_of(std::string_view word);

/// Threads: one at a time.
class ProduceSession {
 public:
  /// Errors: invalid_argument; io_error: the report file cannot be opened.
  static Result<std::unique_ptr<ProduceSession>> open(const Engine& engine, const Context& context,
                                                      const TopicDescription& topic,
                                                      const ProduceSettings& settings);
  ~ProduceSession();
  ProduceSession(const ProduceSession&) = delete;
  ProduceSession& operator=(const ProduceSession&) = delete;

  /// Names the input that records come from next; empty for standard input.
  void begin_input(const std::string& path) { inputs_.push_back(path); }
  /// Sends one record, or answers the error of an earlier one. One that is refused for what it is, is refused
  /// here, so that none behind it was sent.
  /// @param line  of the input, from 1 on; 0: the input is one record.
  Result<> send(const OutgoingRecord& record, std::uint64_t line);
  /// `error` with the place in the input that it belongs to, "FILE: line 3: ".
  Error at_line(const Error& error, std::uint64_t line) const;
  /// The error of the earliest record that is known to have failed. Records fail after later ones were read:
  /// its text names the place in the input that it came from, and the last one behind it that is stored.
  Result<> first_failure();
  /// Waits for everything sent, then reports it. Records of a transaction wait for its end.
  Result<> flush();
  /// Appends what has been acknowledged since the last call to the report file, one write(2) for each run of
  /// offsets.
  Result<> report_acknowledged();
  /// Commits what is open, flush(), and a line on standard error that says what was sent.
  Result<> finish();
  /// The same after an error: what is open is aborted.
  Result<> give_up();
  bool shows_progress() const noexcept { return !context_.options.quiet; }

 private:
  /// A run of acknowledged offsets of one partition, both ends included.
  struct Run {
    PartitionId partition = -1;
    Offset first = -1;
    Offset last = -1;
  };

  ProduceSession(const Context& context, std::string topic) : context_(context), topic_(std::move(topic)) {}
  Result<> open_producer(const Engine& engine, const ProduceSettings& settings);
  Result<> send_in_transaction(const ProducerRecord& record, std::size_t bytes);
  Result<> commit();
  /// Where a record came from: small, for each record that waits holds one.
  struct Origin {
    std::uint64_t line = 0;
    std::uint32_t input = 0;
    std::uint32_t bytes = 0;
    bool is_before(const Origin& other) const {
      return std::pair(input, line) < std::pair(other.input, other.line);
    }
  };
  void on_outcome(const Result<RecordMetadata>& outcome, const Origin& origin);
  void add_acknowledged(const Run& added);
  void forget_pending();
  std::string place_of(const Origin& origin) const;
  Error placed(const Error& error, const Origin& origin) const;
  Result<> write_report(const std::vector<Run>& runs);
  void print_summary() const;

  const Context& context_;
  std::string topic_;
  std::optional<PartitionId> partition_{};
  int report_fd_ = -1;
  std::string report_path_{};
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::size_t checked_from_ = 0;  ///< Bytes from which on a record is asked about before it is sent.
  std::vector<HeaderView> headers_{};
  std::vector<std::string> inputs_{};

  // Written by whichever thread completes a send.
  mutable std::mutex mutex_;
  std::map<PartitionId, Run> open_runs_;
  std::vector<Run> finished_runs_;
  std::optional<Error> failure_;
  Origin failed_{};
  Origin last_stored_{};  ///< The farthest in the input.
  std::uint64_t acknowledged_records_ = 0;
  Run last_run_{};
  std::uint64_t acknowledged_bytes_ = 0;

  // The records of the open transaction, as runs of offsets: acknowledged with its commit.
  std::map<PartitionId, std::vector<Run>> pending_runs_;
  std::size_t pending_records_ = 0;
  std::uint64_t pending_bytes_ = 0;
  std::size_t transaction_records_ = 0;  ///< At which one is committed; 0: at the end.
  std::uint64_t commits_ = 0;
  std::uint64_t aborted_records_ = 0;

  // Last, so that they go first: closing completes sends, and those outcomes need everything above.
  std::optional<Producer> producer_;
  std::optional<TransactionalProducer> transactional_;  ///< One of the two.
  std::optional<Transaction> transaction_;
};

}  // namespace seriatim::cli
