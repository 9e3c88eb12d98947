// dlq: dead letters of consumers and share groups.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/flow/dead_letters.hpp>
#include <seriatim/result.hpp>

#include "command.hpp"
#include "context.hpp"

namespace seriatim::cli {

Command dlq_list_command();
Command dlq_show_command();
Command dlq_replay_command();
Command dlq_purge_command();

/// Which letters a command means, as its options say.
struct LetterOptions {
  std::string topic{};
  std::string error{};
  std::optional<std::string> key{};
  std::optional<std::string> from{};
  std::optional<std::string> until{};
  std::optional<std::int64_t> partition{};
};
std::vector<Option> letter_options(LetterOptions& options);
Positional letter_topic_positional(LetterOptions& options);
/// Errors: invalid_argument: no time.
Result<DeadLetterFilter> letter_filter(const LetterOptions& options);

/// "orders-0@17"; empty, if the letter does not say it.
std::string record_place(const DeadLetter& letter);

}  // namespace seriatim::cli
