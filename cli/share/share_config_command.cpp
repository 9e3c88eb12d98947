// share config: the settings of a share group.
#include <map>
#include <memory>
#include <utility>

#include "share/share_commands.hpp"
#include "share/share_config_text.hpp"

namespace seriatim::cli {
namespace {

struct ShareConfigArguments {
  std::string group{};
  std::vector<std::string> settings{};
};

using SettingChanges = std::map<std::string, std::string, std::less<>>;

Result<SettingChanges> parse_changes(const std::vector<std::string>& settings) {
  SettingChanges changes;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(Errc::invalid_argument,
                   setting +
                       " is not NAME=VALUE, as in share.delivery.count.limit=10. NAME= alone makes a "
                       "setting its default");
    }
    changes[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return changes;
}

Result<ExitCode> show_share_config(Context& context, const ShareConfigArguments& arguments) {
  const Result<Engine> engine = context.open(OpenMode::read_only);
  if (!engine.ok()) return engine.error();
  const Result<ShareGroupDescription> group = describe_share_group(*engine, arguments.group);
  if (!group.ok()) return group.error();
  Table table({{"name"}, {"value"}, {"is_default"}});
  for (const ShareSetting& setting : share_settings(group->config))
    table.add({setting.name, setting.value, setting.is_default});
  table.print(context.out, context.format());
  return ExitCode::ok;
}

Result<ExitCode> configure_share_group(Context& context, const ShareConfigArguments& arguments) {
  if (arguments.settings.empty()) return show_share_config(context, arguments);
  const Result<SettingChanges> changes = parse_changes(arguments.settings);
  if (!changes.ok()) return changes.error();
  const Result<Engine> engine = open_to_change_shares(context);
  if (!engine.ok()) return engine.error();
  const Result<ShareGroups> groups = engine->share_groups();
  if (!groups.ok()) return groups.error();
  const Result<> altered = groups->alter_config(arguments.group, *changes);
  if (!altered.ok()) return explained_share_error(*engine, arguments.group, altered.error());
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  context.note("altered share group " + arguments.group);
  return ExitCode::ok;
}

}  // namespace

Command share_config_command() {
  auto arguments = std::make_shared<ShareConfigArguments>();
  return {.name = "config",
          .summary =
              "Shows the settings of a share group; with NAME=VALUE, changes them, and makes the group "
              "if there is none",
          .positionals = {share_group_positional(arguments->group),
                          {.name = "NAME=VALUE",
                           .help = "Settings; NAME= makes one its default",
                           .target = &arguments->settings,
                           .required = false}},
          .examples = {"seriatim -d data share config billing",
                       "seriatim -d data share config billing share.record.lock.duration.ms=5m "
                       "errors.deadletterqueue.topic.name=billing-dead"},
          .run = [arguments](Context& context) { return configure_share_group(context, *arguments); }};
}

}  // namespace seriatim::cli
