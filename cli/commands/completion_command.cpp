// completion: a script for the shell, made of the command tree.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command_tree.hpp"
#include "context.hpp"

namespace seriatim::cli {
namespace {

// Calls `visit` for every command with the words that lead to it: "seriatim topic create".
void walk(const Command& command, const std::string& path,
          const std::function<void(const Command&, const std::string&)>& visit) {
  visit(command, path);
  for (const Command& child : command.children) walk(child, path + " " + child.name, visit);
}

// The words that may follow after `path`: commands and options, one a line with its help after a tab.
std::vector<std::pair<std::string, std::string>> words_after(const Command& command) {
  std::vector<std::pair<std::string, std::string>> words;
  for (const Command& child : command.children) words.emplace_back(child.name, child.summary);
  for (const Option& option : command.options) {
    for (const std::string& spelling : spellings(option)) words.emplace_back(spelling, option.help);
  }
  words.emplace_back("--help", "Print help and exit");
  return words;
}

// Single quotes for sh: a quote inside ends, escapes and starts again.
std::string shell_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

std::string choices_text(const Option& option) {
  std::string text;
  for (const std::string& choice : option.choices) text += (text.empty() ? "" : " ") + choice;
  return text;
}

// Bash asks for words only; zsh runs the same function through bashcompinit.
std::string bash_script(const Command& root) {
  std::string words;
  std::string values;
  std::string globals;
  for (const auto& [word, help] : words_after(Command{.options = root.options})) globals += " " + word;
  walk(root, root.name, [&](const Command& command, const std::string& path) {
    std::string line;
    for (const auto& [word, help] : words_after(command)) line += (line.empty() ? "" : " ") + word;
    words += "    " + shell_quoted(path) +
             ") words=" + shell_quoted(&command == &root ? line : line + globals) + " ;;\n";
    for (const Option& option : command.options) {
      if (option.choices.empty()) continue;
      for (const std::string& spelling : spellings(option))
        values += "    " + shell_quoted(path + " " + spelling) +
                  ") words=" + shell_quoted(choices_text(option)) + " ;;\n";
    }
  });
  std::string paths;
  walk(root, root.name, [&](const Command&, const std::string& path) {
    paths += (paths.empty() ? "" : "|") + shell_quoted(path);
  });
  return "# bash completion of seriatim; load with: source <(seriatim completion bash)\n"
         "_seriatim() {\n"
         "  local path=seriatim word words='' current=${COMP_WORDS[COMP_CWORD]} "
         "previous=${COMP_WORDS[COMP_CWORD-1]} i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=\"$path ${COMP_WORDS[i]}\"\n"
         "    case \"$word\" in " +
         paths +
         ") path=$word ;; esac\n"
         "  done\n"
         "  case \"$path $previous\" in\n" +
         values +
         "  esac\n"
         "  if [[ -z $words ]]; then\n"
         "    case \"$path\" in\n" +
         words +
         "    esac\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "}\n"
         "complete -F _seriatim seriatim\n";
}

std::string zsh_script(const Command& root) {
  return "#compdef seriatim\n# zsh completion of seriatim; load with: source <(seriatim completion zsh)\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash_script(root);
}

std::string fish_option(const Option& option, const std::string& condition) {
  std::string line = "complete -c seriatim" + condition;
  for (const std::string& spelling : spellings(option)) {
    line += spelling.starts_with("--") ? " -l " + spelling.substr(2) : " -s " + spelling.substr(1);
  }
  if (!is_flag(option))
    line += option.choices.empty() ? " -r" : " -x -a " + shell_quoted(choices_text(option));
  return line + " -d " + shell_quoted(option.help) + "\n";
}

std::string fish_script(const Command& root) {
  std::string script = "# fish completion of seriatim; load with: seriatim completion fish | source\n";
  walk(root, "", [&](const Command& command, const std::string& path) {
    std::string condition;
    std::string seen;
    for (std::size_t at = 0; at < path.size();) {
      const std::size_t end = std::min(path.find(' ', at + 1), path.size());
      seen += (seen.empty() ? "" : "; and ") +
              ("__fish_seen_subcommand_from " + path.substr(at + 1, end - at - 1));
      at = end;
    }
    std::string siblings;
    for (const Command& child : command.children) siblings += " " + child.name;
    if (!seen.empty()) condition = " -n " + shell_quoted(seen);
    for (const Option& option : command.options) script += fish_option(option, condition);
    const std::string not_yet =
        (seen.empty() ? "" : seen + "; and ") + std::string("not __fish_seen_subcommand_from") + siblings;
    for (const Command& child : command.children) {
      script += "complete -c seriatim -f -n " + shell_quoted(not_yet) + " -a " + shell_quoted(child.name) +
                " -d " + shell_quoted(child.summary) + "\n";
    }
  });
  return script;
}

Result<ExitCode> complete(Context& context, const Command& root, const std::string& shell) {
  context.out.write(shell == "bash"  ? bash_script(root)
                    : shell == "zsh" ? zsh_script(root)
                                     : fish_script(root));
  return ExitCode::ok;
}

}  // namespace

Command completion_command(const Command& root) {
  auto shell = std::make_shared<std::string>();
  auto tree = std::make_shared<const Command>(root);
  return {.name = "completion",
          .summary = "Prints the completion script of a shell",
          .positionals = {{.name = "SHELL",
                           .help = "bash, zsh or fish",
                           .target = shell.get(),
                           .choices = {"bash", "zsh", "fish"}}},
          .examples = {"source <(seriatim completion bash)"},
          .run = [shell, tree](Context& context) { return complete(context, *tree, *shell); }};
}

}  // namespace seriatim::cli
