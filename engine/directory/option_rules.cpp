#include "directory/option_rules.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

#include "journal/journal_options.hpp"

namespace seriatim::directory {
namespace {

constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();
// The catalog, the journal and Kafka keep the time-out of a transaction in 31 bits of milliseconds.
constexpr std::int64_t transaction_timeout_ms_max = std::numeric_limits<std::int32_t>::max();
// Room for a handful of keys, and the largest frame of the largest journal file. Both arbitrary.
constexpr std::int64_t transaction_bytes_min = 4096;
constexpr std::int64_t transaction_bytes_max = journal::journal_file_bytes_max;
// Arbitrary, and far beyond what an open could read in bearable time.
constexpr std::int64_t journal_bytes_max = std::int64_t{1} << 40;
// The journal leaves the file that is being written out of a checkpoint: a bound near its length would ask
// for one without end.
constexpr std::int64_t journal_files_min = 4;
// Kafka has no upper bound. Beyond this no max.message.bytes in use would take the batch.
constexpr std::int64_t batch_bytes_max = std::int64_t{16} << 20;
constexpr std::int64_t day_us = 86'400'000'000;
// The records that a poll decodes before it returns, and the bytes that it may pin; both arbitrary.
constexpr std::int64_t poll_records_max = 1'000'000;
constexpr std::int64_t poll_bytes_max = std::int64_t{1} << 30;

template <class Enum>
constexpr Choice value_of(std::string_view name, Enum value) {
  return {name, static_cast<std::int64_t>(value)};
}

constexpr std::array open_modes{value_of("read_only", OpenMode::read_only),
                                value_of("read_write", OpenMode::read_write),
                                value_of("create_if_missing", OpenMode::create_if_missing)};
constexpr std::array write_modes{value_of("automatic", WriteMode::automatic),
                                 value_of("mapped", WriteMode::mapped),
                                 value_of("written", WriteMode::written)};
constexpr std::array acks{value_of("none", Acks::none), value_of("leader", Acks::leader),
                          value_of("all", Acks::all)};
// A commit that may be lost at once is none.
constexpr std::array acks_of_commits{value_of("leader", Acks::leader), value_of("all", Acks::all)};
// `producer` is a topic's.
constexpr std::array codecs{value_of("uncompressed", CompressionType::uncompressed),
                            value_of("gzip", CompressionType::gzip),
                            value_of("snappy", CompressionType::snappy),
                            value_of("lz4", CompressionType::lz4), value_of("zstd", CompressionType::zstd)};
constexpr std::array when_full{value_of("block", OnFull::block), value_of("fail", OnFull::fail)};
constexpr std::array partitionings{value_of("by_key", Partitioning::by_key),
                                   value_of("sticky", Partitioning::sticky),
                                   value_of("round_robin", Partitioning::round_robin)};
constexpr std::array resets{
    value_of("earliest", AutoOffsetReset::earliest), value_of("latest", AutoOffsetReset::latest),
    value_of("none", AutoOffsetReset::none), value_of("by_duration", AutoOffsetReset::by_duration)};
constexpr std::array assignors{value_of("uniform", Assignor::uniform), value_of("range", Assignor::range),
                               value_of("roundrobin", Assignor::roundrobin),
                               value_of("sticky", Assignor::sticky),
                               value_of("cooperative_sticky", Assignor::cooperative_sticky)};
constexpr std::array wait_strategies{value_of("block", WaitStrategy::block),
                                     value_of("yield", WaitStrategy::yield),
                                     value_of("spin", WaitStrategy::spin)};
constexpr std::array answering_modes{value_of("implicit", ShareAcknowledgementMode::implicit),
                                     value_of("explicit_", ShareAcknowledgementMode::explicit_)};
constexpr std::array acquire_modes{value_of("batch_optimized", ShareAcquireMode::batch_optimized),
                                   value_of("record_limit", ShareAcquireMode::record_limit)};
constexpr std::array visibilities{value_of("published", Visibility::published),
                                  value_of("durable", Visibility::durable)};
constexpr std::array isolation_levels{value_of("read_uncommitted", IsolationLevel::read_uncommitted),
                                      value_of("read_committed", IsolationLevel::read_committed)};

template <auto field>
struct Field;

template <class Owner, class Member, Member Owner::*field>
struct Field<field> {
  using Options = Owner;
  static std::int64_t load(const Owner& options) {
    if constexpr (std::is_enum_v<Member>) {
      return static_cast<std::int64_t>(options.*field);
    } else if constexpr (std::integral<Member>) {
      constexpr auto largest = static_cast<std::uint64_t>(unlimited);
      return static_cast<std::int64_t>(std::min<std::uint64_t>(options.*field, largest));
    } else {
      return static_cast<std::int64_t>((options.*field).count());
    }
  }
  static void store(Owner& options, std::int64_t value) { options.*field = static_cast<Member>(value); }
};

template <auto field>
constexpr OptionRule<typename Field<field>::Options> rule(std::string_view name, std::int64_t min,
                                                          std::int64_t max, std::string_view unit) {
  return {name, min, max, unit, &Field<field>::load, &Field<field>::store};
}

template <auto field>
constexpr ChoiceRule<typename Field<field>::Options> choice(std::string_view name,
                                                            std::span<const Choice> choices) {
  return {name, choices, &Field<field>::load, &Field<field>::store};
}

}  // namespace

std::span<const ChoiceRule<EngineOptions>> engine_choice_rules() {
  static constexpr std::array rules{
      choice<&EngineOptions::mode>("EngineOptions::mode", open_modes),
      choice<&EngineOptions::write_mode>("EngineOptions::write_mode", write_modes)};
  return rules;
}

std::span<const ChoiceRule<ProducerOptions>> producer_choice_rules() {
  static constexpr std::array rules{
      choice<&ProducerOptions::acks>("ProducerOptions::acks", acks),
      choice<&ProducerOptions::compression_type>("ProducerOptions::compression_type", codecs),
      choice<&ProducerOptions::on_full>("ProducerOptions::on_full", when_full),
      choice<&ProducerOptions::partitioning>("ProducerOptions::partitioning", partitionings)};
  return rules;
}

std::span<const ChoiceRule<ConsumerOptions>> consumer_choice_rules() {
  static constexpr std::array rules{
      choice<&ConsumerOptions::auto_offset_reset>("ConsumerOptions::auto_offset_reset", resets),
      choice<&ConsumerOptions::wait_strategy>("ConsumerOptions::wait_strategy", wait_strategies),
      choice<&ConsumerOptions::visibility>("ConsumerOptions::visibility", visibilities),
      choice<&ConsumerOptions::isolation_level>("ConsumerOptions::isolation_level", isolation_levels),
      choice<&ConsumerOptions::commit_acks>("ConsumerOptions::commit_acks", acks_of_commits),
      choice<&ConsumerOptions::assignor>("ConsumerOptions::assignor", assignors)};
  return rules;
}

std::span<const ChoiceRule<ShareConsumerOptions>> share_consumer_choice_rules() {
  using Sharing = ShareConsumerOptions;
  static constexpr std::array rules{
      choice<&Sharing::acknowledgement_mode>("ShareConsumerOptions::acknowledgement_mode", answering_modes),
      choice<&Sharing::acquire_mode>("ShareConsumerOptions::acquire_mode", acquire_modes),
      choice<&Sharing::commit_acks>("ShareConsumerOptions::commit_acks", acks_of_commits)};
  return rules;
}

std::span<const ChoiceRule<LogReaderOptions>> log_reader_choice_rules() {
  static constexpr std::array rules{
      choice<&LogReaderOptions::isolation_level>("LogReaderOptions::isolation_level", isolation_levels)};
  return rules;
}

std::span<const ChoiceRule<TransactionalProducerOptions>> transactional_choice_rules() {
  using Transactional = TransactionalProducerOptions;
  static constexpr std::array rules{
      choice<&Transactional::acks>("TransactionalProducerOptions::acks", acks_of_commits),
      choice<&Transactional::compression_type>("TransactionalProducerOptions::compression_type", codecs),
      choice<&Transactional::partitioning>("TransactionalProducerOptions::partitioning", partitionings)};
  return rules;
}

std::span<const OptionRule<EngineOptions>> engine_option_rules() {
  static constexpr std::array rules{
      rule<&EngineOptions::maintenance_interval>("EngineOptions::maintenance_interval", 0, unlimited, "ms"),
      rule<&EngineOptions::maintenance_bytes_per_second>("EngineOptions::maintenance_bytes_per_second", 0,
                                                         unlimited, "bytes"),
      rule<&EngineOptions::checkpoint_interval>("EngineOptions::checkpoint_interval", 1, unlimited, "ms"),
      rule<&EngineOptions::producer_id_expiration>("EngineOptions::producer_id_expiration", 1, unlimited,
                                                   "ms"),
      rule<&EngineOptions::transaction_max_timeout>("EngineOptions::transaction_max_timeout", 1,
                                                    transaction_timeout_ms_max, "ms"),
      rule<&EngineOptions::transaction_max_bytes>("EngineOptions::transaction_max_bytes",
                                                  transaction_bytes_min, transaction_bytes_max, "bytes"),
      rule<&EngineOptions::transactional_id_expiration>("EngineOptions::transactional_id_expiration", 1,
                                                        unlimited, "ms"),
      rule<&EngineOptions::offsets_retention>("EngineOptions::offsets_retention", -1, unlimited, "ms"),
      rule<&EngineOptions::offsets_retention_check_interval>(
          "EngineOptions::offsets_retention_check_interval", 1, unlimited, "ms"),
      rule<&EngineOptions::journal_max_bytes>("EngineOptions::journal_max_bytes",
                                              journal_files_min * journal::journal_file_bytes_min,
                                              journal_bytes_max, "bytes"),
      rule<&EngineOptions::journal_file_bytes>("EngineOptions::journal_file_bytes",
                                               journal::journal_file_bytes_min,
                                               journal::journal_file_bytes_max, "bytes"),
      rule<&EngineOptions::journal_bypass_bytes>("EngineOptions::journal_bypass_bytes", 0, unlimited,
                                                 "bytes")};
  return rules;
}

std::span<const OptionRule<ProducerOptions>> producer_option_rules() {
  static constexpr std::array rules{
      rule<&ProducerOptions::linger>("ProducerOptions::linger", 0, day_us, "us"),
      rule<&ProducerOptions::batch_size>("ProducerOptions::batch_size", 1, batch_bytes_max, "bytes"),
      rule<&ProducerOptions::buffer_memory>("ProducerOptions::buffer_memory", 1, unlimited, "bytes"),
      rule<&ProducerOptions::max_block>("ProducerOptions::max_block", 0, unlimited, "ms")};
  return rules;
}

std::span<const OptionRule<ConsumerOptions>> consumer_option_rules() {
  static constexpr std::array rules{
      rule<&ConsumerOptions::auto_offset_reset_duration>("ConsumerOptions::auto_offset_reset_duration", 0,
                                                         unlimited, "ms"),
      rule<&ConsumerOptions::max_poll_records>("ConsumerOptions::max_poll_records", 1, poll_records_max, ""),
      rule<&ConsumerOptions::max_poll_bytes>("ConsumerOptions::max_poll_bytes", 1, poll_bytes_max, "bytes"),
      rule<&ConsumerOptions::session_timeout>("ConsumerOptions::session_timeout", 1, unlimited, "ms"),
      rule<&ConsumerOptions::max_poll_interval>("ConsumerOptions::max_poll_interval", 1, unlimited, "ms"),
      rule<&ConsumerOptions::auto_commit_interval>("ConsumerOptions::auto_commit_interval", 0, unlimited,
                                                   "ms")};
  return rules;
}

std::span<const OptionRule<ShareConsumerOptions>> share_consumer_option_rules() {
  using Sharing = ShareConsumerOptions;
  static constexpr std::array rules{
      rule<&Sharing::max_poll_records>("ShareConsumerOptions::max_poll_records", 1, poll_records_max, ""),
      rule<&Sharing::max_poll_bytes>("ShareConsumerOptions::max_poll_bytes", 1, poll_bytes_max, "bytes")};
  return rules;
}

Result<> check_option(std::string_view name, std::int64_t value, std::pair<std::int64_t, std::int64_t> range,
                      std::string_view unit) {
  if (value >= range.first && value <= range.second) return {};
  const std::string unit_text = unit.empty() ? std::string() : " " + std::string(unit);
  const std::string allowed = range.second == unlimited ? std::to_string(range.first) + unit_text + " or more"
                                                        : std::to_string(range.first) + " to " +
                                                              std::to_string(range.second) + unit_text;
  return Error(Errc::invalid_argument,
               std::string(name) + " is " + std::to_string(value) + unit_text + "; it must be " + allowed);
}

Result<> check_choice(std::string_view name, std::int64_t value, std::span<const Choice> choices) {
  std::string all;
  for (const Choice& choice : choices) {
    if (choice.value == value) return {};
    if (!all.empty()) all += &choice == &choices.back() ? " or " : ", ";
    all += std::string(choice.name) + " (" + std::to_string(choice.value) + ")";
  }
  return Error(Errc::invalid_argument,
               std::string(name) + " is " + std::to_string(value) + "; it must be " + all);
}

Result<> check_options(const EngineOptions& options) {
  if (auto checked = check_choices(engine_choice_rules(), options); !checked) return checked;
  if (auto checked = check_numbers(engine_option_rules(), options); !checked) return checked;
  if (options.journal_file_bytes % journal::journal_file_bytes_unit != 0) {
    return Error(Errc::invalid_argument,
                 "EngineOptions::journal_file_bytes is " + std::to_string(options.journal_file_bytes) +
                     "; it must be a multiple of " + std::to_string(journal::journal_file_bytes_unit));
  }
  if (options.journal_max_bytes / journal_files_min >= options.journal_file_bytes) return {};
  return Error(Errc::invalid_argument, "EngineOptions::journal_max_bytes is " +
                                           std::to_string(options.journal_max_bytes) +
                                           "; it must be at least four times journal_file_bytes (" +
                                           std::to_string(options.journal_file_bytes) + ")");
}

}  // namespace seriatim::directory
