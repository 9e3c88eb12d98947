// The numbers and enumerations of the options structs: what they may be, and the check of it where they
// enter.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <seriatim/consumer.hpp>
#include <seriatim/engine.hpp>
#include <seriatim/log_reader.hpp>
#include <seriatim/producer.hpp>
#include <seriatim/result.hpp>
#include <seriatim/share_consumer.hpp>
#include <seriatim/transaction.hpp>

namespace seriatim::directory {

/// A duration, size or count of an options struct. Both limits are inside the range.
template <class Options>
struct OptionRule {
  std::string_view name;  ///< "EngineOptions::checkpoint_interval".
  std::int64_t min;
  std::int64_t max;       ///< The largest std::int64_t: no upper limit.
  std::string_view unit;  ///< "ms", "us", "bytes", or empty.
  std::int64_t (*load)(const Options&);
  void (*store)(Options&, std::int64_t);  ///< Of a value that the field's type holds.
};

/// A value of an enumeration.
struct Choice {
  std::string_view name;
  std::int64_t value;
};

/// An enumeration of an options struct: a number that was cast to it may be none of its values.
template <class Options>
struct ChoiceRule {
  std::string_view name;            ///< "ProducerOptions::acks".
  std::span<const Choice> choices;  ///< The values that this option takes.
  std::int64_t (*load)(const Options&);
  void (*store)(Options&, std::int64_t);  ///< Of a value that the underlying type holds.
};

std::span<const ChoiceRule<EngineOptions>> engine_choice_rules();
std::span<const ChoiceRule<ProducerOptions>> producer_choice_rules();
std::span<const ChoiceRule<ConsumerOptions>> consumer_choice_rules();
std::span<const ChoiceRule<ShareConsumerOptions>> share_consumer_choice_rules();
std::span<const ChoiceRule<LogReaderOptions>> log_reader_choice_rules();
std::span<const ChoiceRule<TransactionalProducerOptions>> transactional_choice_rules();

/// Errors: invalid_argument: `value` is none of them; the message has them all.
Result<> check_choice(std::string_view name, std::int64_t value, std::span<const Choice> choices);

template <class Options>
Result<> check_choices(std::span<const ChoiceRule<Options>> rules, const Options& options) {
  for (const ChoiceRule<Options>& rule : rules) {
    if (auto checked = check_choice(rule.name, rule.load(options), rule.choices); !checked) return checked;
  }
  return {};
}

std::span<const OptionRule<EngineOptions>> engine_option_rules();
std::span<const OptionRule<ProducerOptions>> producer_option_rules();
std::span<const OptionRule<ConsumerOptions>> consumer_option_rules();
std::span<const OptionRule<ShareConsumerOptions>> share_consumer_option_rules();

/// Errors: invalid_argument: `value` is outside; the message has the range.
Result<> check_option(std::string_view name, std::int64_t value, std::pair<std::int64_t, std::int64_t> range,
                      std::string_view unit);

template <class Options>
Result<> check_numbers(std::span<const OptionRule<Options>> rules, const Options& options) {
  for (const OptionRule<Options>& rule : rules) {
    auto checked = check_option(rule.name, rule.load(options), {rule.min, rule.max}, rule.unit);
    if (!checked) return checked;
  }
  return {};
}

/// The numbers and enumerations, and what they say of each other.
Result<> check_options(const EngineOptions& options);

}  // namespace seriatim::directory
