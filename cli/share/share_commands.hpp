// share: groups that work off single records, their settings and how far they are, and how that is changed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>
#include <seriatim/share_group.hpp>

#include "command.hpp"
#include "context.hpp"

namespace seriatim::cli {

Command share_list_command();
Command share_describe_command();
Command share_offsets_command();
Command share_reset_command();
Command share_config_command();
Command share_delete_command();
Command share_delete_offsets_command();

/// not_found, with the nearest name; group_id_not_found: the name is a consumer group's.
Error unknown_share_group(const Engine& engine, const std::string& group);
/// `error`, or unknown_share_group if it says that there is no such group.
Error explained_share_error(const Engine& engine, const std::string& group, const Error& error);
/// Errors: as unknown_share_group; as ShareGroups::describe.
Result<ShareGroupDescription> describe_share_group(const Engine& engine, const std::string& group);
/// Opens the directory for writing.
/// Errors: locked, with what the application that has it can do instead; as Context::open.
Result<Engine> open_to_change_shares(const Context& context);

/// The lag of all partitions that can be read.
std::int64_t lag_of(const ShareGroupDescription& group);
/// Topics that the group has taken from.
std::vector<std::string> topics_taken_from(const ShareGroupDescription& group);

Positional share_group_positional(std::string& group);

}  // namespace seriatim::cli
