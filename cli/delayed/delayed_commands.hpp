// delayed: messages that wait for their time.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <seriatim/engine.hpp>
#include <seriatim/flow/delayed_messages.hpp>
#include <seriatim/result.hpp>

#include "command.hpp"
#include "context.hpp"

namespace seriatim::cli {

Command delayed_list_command();
Command delayed_count_command();
Command delayed_schedule_command();
Command delayed_cancel_command();
Command delayed_reschedule_command();
Command delayed_retry_command();
Command delayed_run_command();

/// When a message is due, of --in and --at.
struct DueOptions {
  std::optional<std::string> delay{};
  std::optional<std::string> time{};
};
/// Both options.
std::vector<Option> due_options(DueOptions& options);
/// Errors: invalid_argument: not one of the two is given; no duration or time.
Result<DueTime> due_of(const DueOptions& options);

/// not_found, with the nearest name: nobody ever delayed messages under `name`.
Result<> check_known_delayed(const Engine& engine, const std::string& name);
/// Opens the directory for writing and the name in it, lets `change` change something, and closes.
/// @param delivers  in the background, meanwhile.
Result<> change_delayed(const Context& context, const std::string& name, bool delivers,
                        const std::function<Result<>(const Engine&, DelayedMessages&)>& change);

Positional delayed_name_positional(std::string& name, bool is_required = true);
Positional delayed_id_positional(std::string& id);

}  // namespace seriatim::cli
