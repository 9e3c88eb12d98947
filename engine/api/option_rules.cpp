#include "api/option_rules.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "journal/journal_options.hpp"

namespace seriatim::api {
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

template <auto field>
struct Field;

template <class Owner, class Member, Member Owner::*field>
struct Field<field> {
  using Options = Owner;
  static std::int64_t load(const Owner& options) {
    if constexpr (std::integral<Member>) {
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

}  // namespace

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
      rule<&ConsumerOptions::max_poll_bytes>("ConsumerOptions::max_poll_bytes", 1, poll_bytes_max, "bytes")};
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

Result<> check_options(const EngineOptions& options) {
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

}  // namespace seriatim::api
