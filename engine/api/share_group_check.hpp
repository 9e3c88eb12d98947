// One name is one kind of group.
#pragma once

#include <string_view>

#include <seriatim/result.hpp>

#include "directory/engine_impl.hpp"

namespace seriatim::api {

/// Whether there is a share group of this name: with a setting, a place where it begins, or a member.
Result<bool> has_share_group(const detail::EngineImpl& engine, std::string_view group);

/// Whether a share group may have this name.
/// Errors: invalid_argument: it is no name; group_id_not_found: a consumer group has it. corrupt_metadata.
Result<> check_share_group(const detail::EngineImpl& engine, std::string_view group);

/// Whether a consumer group may have this name.
/// Errors: group_id_not_found: a share group has it. corrupt_metadata.
Result<> check_consumer_group(const detail::EngineImpl& engine, std::string_view group);

}  // namespace seriatim::api
