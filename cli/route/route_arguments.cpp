// Words that several commands of `route` take.
#include <algorithm>

#include "route/route_commands.hpp"
#include "suggestion.hpp"

namespace seriatim::cli {

Positional router_positional(std::string& name, bool is_required) {
  return {
      .name = "NAME", .help = "Which router (RouterOptions::name)", .target = &name, .required = is_required};
}

Positional routing_key_positional(std::string& routing_key) {
  return {
      .name = "KEY", .help = "Routing key of the message: words, with dots between", .target = &routing_key};
}

Option message_headers_option(std::vector<std::string>& headers) {
  return {.names = "-H,--header",
          .value_name = "K=V",
          .help = "Header of the message; may be repeated",
          .target = &headers};
}

Option message_priority_option(std::optional<std::int64_t>& priority) {
  return {.names = "--priority",
          .value_name = "N",
          .help = "Priority of the message (default: 0, the lowest)",
          .target = IntegerTarget{&priority, 0, 255}};
}

Result<NamedHeaders> parse_named_headers(const std::vector<std::string>& words) {
  NamedHeaders headers;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == 0 || word.empty())
      return Error(Errc::invalid_argument, "-H " + word + " has no name; write -H NAME=VALUE or -H NAME");
    const bool has_value = equals != std::string::npos;
    headers.emplace_back(word.substr(0, equals),
                         has_value ? std::optional(word.substr(equals + 1)) : std::nullopt);
  }
  return headers;
}

std::vector<HeaderView> views_of(const NamedHeaders& headers) {
  std::vector<HeaderView> views;
  for (const auto& [name, value] : headers) views.push_back({name, value ? BytesView(*value) : BytesView()});
  return views;
}

Result<> check_router_known(const Engine& engine, const std::string& name) {
  const auto names = list_routers(engine);
  if (!names.ok()) return names.error();
  if (std::binary_search(names->begin(), names->end(), name)) return {};
  std::string text = "there is no router " + name + " in " + engine.directory().string() + ".";
  if (const auto guess = nearest(name, *names)) text += " Did you mean " + *guess + "?";
  return Error(Errc::not_found, text + " seriatim route bind makes one, route list shows those there are");
}

}  // namespace seriatim::cli
