// All commands. One function per file of commands; command_tree.cpp puts them together.
#pragma once

#include "command.hpp"
#include "context.hpp"

namespace seriatim::cli {

/// The whole tree. Its options write into `options` and into arguments that the tree owns.
/// Lifetime: `options` must outlive the tree.
Command make_command_tree(GlobalOptions& options);

Command topic_command();
Command produce_command();
Command consume_command();
Command tail_command();
Command get_command();
Command count_command();
Command status_command();
Command du_command();
Command dump_command();
Command verify_command();
Command repair_command();
Command group_command();
Command relay_command();
Command share_command();
Command work_command();
Command transaction_command();
Command producer_command();
Command state_command();
Command half_command();
Command route_command();
Command delayed_command();
Command dedupe_command();
Command dlq_command();
Command perf_command();
/// @param root  the tree to make the completion of, looked at when the command runs.
Command completion_command(const Command& root);

}  // namespace seriatim::cli
