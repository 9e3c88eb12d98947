#include "command_line.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <seriatim/version.hpp>

#include "suggestion.hpp"

namespace seriatim::cli {
namespace {

// Pairs every command with the parser's own object for it.
using Nodes = std::vector<std::pair<const Command*, CLI::App*>>;

CLI::Option* add_target(CLI::App& app, const std::string& names, const std::string& help,
                        const Target& target) {
  struct Visitor {
    CLI::App& app;
    const std::string& names;
    const std::string& help;
    CLI::Option* operator()(bool* flag) const { return app.add_flag(names, *flag, help); }
    CLI::Option* operator()(std::string* value) const { return app.add_option(names, *value, help); }
    CLI::Option* operator()(std::optional<std::string>* value) const {
      return app.add_option(names, *value, help);
    }
    CLI::Option* operator()(std::vector<std::string>* values) const {
      CLI::Option* const option = app.add_option(names, *values, help);
      // An option takes one value each time it is given; only words after the command may be many in a row.
      return names.starts_with("-") ? option->expected(1)->take_all()->allow_extra_args(false) : option;
    }
    CLI::Option* operator()(const IntegerTarget& integer) const {
      return app.add_option(names, *integer.value, help)
          ->check(CLI::Range(integer.smallest, integer.largest));
    }
  };
  return std::visit(Visitor{app, names, help}, target);
}

void describe_value(CLI::Option& option, const std::string& value_name,
                    const std::vector<std::string>& choices) {
  if (!choices.empty()) option.check(CLI::IsMember(choices));
  option.option_text(value_name);
}

std::string footer_of(const Command& command) {
  if (command.examples.empty()) return {};
  std::string text = command.examples.size() == 1 ? "Example:\n" : "Examples:\n";
  for (const std::string& example : command.examples) text += "  " + example + "\n";
  return text;
}

void add_command(CLI::App& app, const Command& command, Nodes& nodes) {
  nodes.emplace_back(&command, &app);
  app.footer(footer_of(command));
  for (const Positional& positional : command.positionals) {
    CLI::Option* const option = add_target(app, positional.name, positional.help, positional.target);
    option->required(positional.required);
    describe_value(*option, " ", positional.choices);
  }
  if (command.words_behind_dashes != nullptr) {
    // Shown in the help; the parser never sees these words, of which it would take brackets off.
    app.add_option_function<std::vector<std::string>>(
           "COMMAND", [](const std::vector<std::string>&) {}, "Behind --: the command to run, and its words")
        ->option_text(" ");
  }
  for (const Option& declared : command.options) {
    CLI::Option* const option = add_target(app, declared.names, declared.help, declared.target);
    if (is_flag(declared)) continue;
    std::string value_name = declared.value_name;
    for (const std::string& choice : declared.choices) value_name += (value_name.empty() ? "" : "|") + choice;
    describe_value(*option, value_name, declared.choices);
  }
  for (const Command& child : command.children) {
    CLI::App* const child_app = app.add_subcommand(child.name, child.summary);
    child_app->fallthrough();
    add_command(*child_app, child, nodes);
  }
}

const Command& selected_command(const Nodes& nodes) {
  const Command* selected = nodes.front().first;
  for (const auto& [command, app] : nodes) {
    // Children come after their parents, so the last one parsed is the deepest.
    if (app->get_parent() != nullptr && app->parsed()) selected = command;
  }
  return *selected;
}

UsageError missing_command(const Command& command, const std::string& path) {
  std::string text = "a command is missing after " + path + ". Choose one of:";
  for (const Command& child : command.children) text += " " + child.name;
  return {text};
}

std::string path_of(const Nodes& nodes) {
  std::string path;
  for (const auto& [command, app] : nodes) {
    if (app->get_parent() == nullptr || app->parsed()) path += (path.empty() ? "" : " ") + command->name;
  }
  return path;
}

// Where the first word stands that is neither an option of `root` nor its value.
std::size_t first_command_word(const Command& root, std::span<const std::string> words) {
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with("-")) {
    const bool takes_value = std::any_of(root.options.begin(), root.options.end(), [&](const Option& option) {
      const auto names = spellings(option);
      return !is_flag(option) && std::find(names.begin(), names.end(), words[at]) != names.end();
    });
    at += takes_value ? 2 : 1;
  }
  return std::min(at, words.size());
}

}  // namespace

ParsedLine parse_command_line(const Command& root, std::span<const std::string> words) {
  // `seriatim help topic create` is what many try first.
  const std::size_t command_at = first_command_word(root, words);
  if (command_at < words.size() && words[command_at] == "help") {
    std::vector<std::string> asked(words.begin(), words.end());
    asked.erase(asked.begin() + static_cast<std::ptrdiff_t>(command_at));
    asked.emplace_back("--help");
    return parse_command_line(root, asked);
  }
  CommandWords followed = follow_words(root, words);
  if (followed.problem) return UsageError{std::move(*followed.problem)};
  std::vector<std::string>* const behind = followed.command->words_behind_dashes;
  if (behind != nullptr) {
    const std::span<const std::string> rest = words.subspan(followed.dashes_at);
    if (!rest.empty()) behind->assign(rest.begin() + 1, rest.end());
    words = words.first(followed.dashes_at);
  }

  CLI::App app(root.summary, root.name);
  app.set_version_flag("--version", std::string("seriatim ") + SERIATIM_VERSION);
  Nodes nodes;
  add_command(app, root, nodes);
  std::vector<std::string> reversed(words.rbegin(),
                                    words.rend());  // The order in which the parser takes them.
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    return Answer{app.help()};
  } catch (const CLI::CallForVersion& version) {
    return Answer{std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    return UsageError{std::string(error.what()) + ". See: " + path_of(nodes) + " --help"};
  }
  const Command& command = selected_command(nodes);
  if (behind != nullptr && behind->empty()) {
    return UsageError{"the command to run is missing: it stands behind --. See: " + path_of(nodes) +
                      " --help"};
  }
  if (!command.run) return missing_command(command, path_of(nodes));
  return &command;
}

}  // namespace seriatim::cli
