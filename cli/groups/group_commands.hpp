// group: what groups have committed, how far they are behind, and how that is changed.
#pragma once

#include <string>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>

#include "command.hpp"
#include "context.hpp"

namespace seriatim::cli {

Command group_list_command();
Command group_describe_command();
Command group_members_command();
Command group_lag_command();
Command group_reset_command();
Command group_import_command();
Command group_export_command();
Command group_delete_command();
Command group_delete_offsets_command();

/// Whether the group has committed anything.
/// Errors: those of listing groups.
Result<bool> is_known_group(const Engine& engine, const std::string& group);
/// Whether a share group has this name.
/// Errors: those of listing groups.
Result<bool> is_share_group(const Engine& engine, const std::string& group);
/// group_id_not_found: the group is of another kind, and `command` shows it.
Error other_kind(const std::string& group, const std::string& kind, const std::string& command);
/// not_found, with the nearest name and the command that lists those there are; group_id_not_found: the name
/// is a share group's.
Error unknown_group(const Engine& engine, const std::string& group);
/// Errors: not_found, as unknown_group.
Result<> check_group(const Engine& engine, const std::string& group);

/// The partitions that `topics` ("orders", "orders:0,2-5") name, each once.
/// Errors: unknown_topic_or_partition, with the nearest name; invalid_argument: not of this form.
Result<std::vector<TopicPartition>> select_places(const Engine& engine,
                                                  const std::vector<std::string>& topics);

/// Opens the directory for writing.
/// Errors: locked, with what the application that has it can do instead; as Context::open.
Result<Engine> open_to_change_groups(const Context& context);

std::string place_name(const TopicPartition& at);

}  // namespace seriatim::cli
