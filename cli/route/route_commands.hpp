// route: bindings of routers, and messages by them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/flow/router.hpp>
#include <seriatim/result.hpp>

#include "command.hpp"

namespace seriatim::cli {

Command route_list_command();
Command route_test_command();

/// A message as words of a command line.
struct RouteMessageArguments {
  std::string name{};
  std::string routing_key{};
  std::vector<std::string> headers{};
  std::optional<std::int64_t> priority{};
};
Positional router_positional(std::string& name, bool is_required = true);
Positional routing_key_positional(std::string& routing_key);
Option message_headers_option(std::vector<std::string>& headers);
Option message_priority_option(std::optional<std::int64_t>& priority);

using NamedHeaders = std::vector<std::pair<std::string, std::optional<std::string>>>;
/// Each NAME=VALUE or NAME.
/// Errors: invalid_argument.
Result<NamedHeaders> parse_named_headers(const std::vector<std::string>& words);
/// Point at `headers`.
std::vector<HeaderView> views_of(const NamedHeaders& headers);

/// Errors: not_found, with the nearest name, where the router never had a binding.
Result<> check_router_known(const Engine& engine, const std::string& name);

}  // namespace seriatim::cli
