#include "suggestion.hpp"

#include <algorithm>
#include <vector>

#include "base/text.hpp"

namespace seriatim::cli {
namespace {

// The commands from the root down to the one the words have reached.
using Path = std::vector<const Command*>;

std::string spelled(const Path& path) {
  std::string text;
  for (const Command* command : path) text += (text.empty() ? "" : " ") + command->name;
  return text;
}

const Option* find_option(const Path& path, std::string_view spelling) {
  for (auto command = path.rbegin(); command != path.rend(); ++command) {
    for (const Option& option : (*command)->options) {
      const std::vector<std::string> names = spellings(option);
      if (std::find(names.begin(), names.end(), spelling) != names.end()) return &option;
    }
  }
  return nullptr;
}

std::string unknown_option(const Path& path, const std::string& spelling) {
  std::vector<std::string> known{"--help", "--version"};
  for (const Command* command : path) {
    for (const Option& option : command->options) {
      for (const std::string& name : spellings(option)) known.push_back(name);
    }
  }
  std::string text = "unknown option " + spelling + ".";
  const std::optional<std::string> guess =
      spelling.starts_with("--") ? nearest(spelling, known) : std::nullopt;
  if (!guess) return text + " See: " + spelled(path) + " --help";
  text += " Did you mean " + *guess;
  if (const Option* option = find_option(path, *guess)) {
    for (const std::string& other : spellings(*option)) {
      if (other != *guess) text += " (" + other + ")";
    }
  }
  return text + "?";
}

std::string unknown_command(const Path& path, const std::string& word) {
  std::vector<std::string> known;
  std::string listed;
  for (const Command& child : path.back()->children) {
    known.push_back(child.name);
    listed += (listed.empty() ? "" : ", ") + child.name;
  }
  if (const auto guess = nearest(word, known)) {
    return "unknown command " + word + ". Did you mean: " + spelled(path) + " " + *guess;
  }
  return "unknown command " + word + ". " + spelled(path) + " knows: " + listed;
}

// The meaning of one option word: known or not, and whether the next word is its value.
struct OptionWord {
  std::optional<std::string> problem{};
  bool takes_next = false;
  bool asks_about_itself = false;
};

OptionWord read_long(const Path& path, const std::string& word) {
  const std::size_t equals = word.find('=');
  const std::string spelling = word.substr(0, equals);
  if (spelling == "--help" || spelling == "--version") return {.asks_about_itself = true};
  const Option* option = find_option(path, spelling);
  if (option == nullptr) return {.problem = unknown_option(path, spelling)};
  return {.takes_next = !is_flag(*option) && equals == std::string::npos};
}

OptionWord read_short(const Path& path, const std::string& word) {
  for (std::size_t at = 1; at < word.size(); ++at) {
    const std::string spelling{'-', word[at]};
    if (spelling == "-h") return {.asks_about_itself = true};
    const Option* option = find_option(path, spelling);
    if (option == nullptr) return {.problem = unknown_option(path, spelling)};
    if (!is_flag(*option)) return {.takes_next = at + 1 == word.size()};
  }
  return {};
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  if (const auto close = base::nearest(word, views); !close.empty()) return std::string(close);
  // A word cut short is no slip of the hand by distance, yet its end is plain: `desc` for `describe`.
  for (const std::string& candidate : candidates) {
    if (word.size() >= 2 && candidate.starts_with(word)) return candidate;
  }
  return std::nullopt;
}

CommandWords follow_words(const Command& root, std::span<const std::string> words) {
  Path path{&root};
  CommandWords followed{.command = &root, .dashes_at = words.size()};
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (word == "--") {
      followed.dashes_at = at;
      break;
    }
    if (word.size() > 1 && word[0] == '-' && !(word[1] >= '0' && word[1] <= '9')) {
      const OptionWord read = word.starts_with("--") ? read_long(path, word) : read_short(path, word);
      if (read.problem) followed.problem = read.problem;
      if (read.asks_about_itself || read.problem) break;
      if (read.takes_next) ++at;
      continue;
    }
    const std::vector<Command>& children = path.back()->children;
    if (children.empty()) continue;
    const auto child =
        std::find_if(children.begin(), children.end(), [&](const Command& c) { return c.name == word; });
    if (child == children.end()) {
      followed.problem = unknown_command(path, word);
      break;
    }
    path.push_back(&*child);
    followed.command = &*child;
  }
  return followed;
}

std::optional<std::string> find_unknown_word(const Command& root, std::span<const std::string> words) {
  return follow_words(root, words).problem;
}

}  // namespace seriatim::cli
