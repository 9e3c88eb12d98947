// The one table of topic settings: dotted name, field, range, text form, description. Everything that reads,
// prints, checks or documents a topic setting goes through it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/topic_config.hpp>

namespace seriatim::catalog {

/// The description of one setting for a user.
struct ConfigDescription {
  std::string_view name{};         ///< "segment.bytes"
  std::string_view type{};         ///< "size", "duration", "count", "ratio", "choice" or "list"
  std::string allowed{};           ///< "1024 .. 2147483647", the choices, or in words
  std::string default_text{};      ///< as config_text() prints it
  std::string_view description{};  ///< one line
};

/// Sets the field called `name` from text: Kafka's plain numbers, or sizes and times with units (64MiB, 7d).
/// Errors: invalid_config for an unknown name (the message has the nearest known one), text that is not of
/// the field's type, or a value out of range; `config` is unchanged then.
Result<void> set_config(TopicConfig& config, std::string_view name, std::string_view value);

/// The value of the field called `name` in the form Kafka prints it: plain numbers, Kafka's spellings.
/// Errors: invalid_config for an unknown name.
Result<std::string> config_text(const TopicConfig& config, std::string_view name);

/// All settings in the order of the public struct.
std::vector<ConfigDescription> list_configs();

/// The defaults with `overrides` applied.
/// Errors: as set_config, for the first override that is refused.
Result<TopicConfig> resolve_config(const std::map<std::string, std::string>& overrides);

}  // namespace seriatim::catalog
