#include "command_line.hpp"

#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

struct RunnerTree {
  bool quiet = false;
  std::string topic{};
  std::string group{};
  std::vector<std::string> files{};
  std::vector<std::string> words{};
  Command root{
      .name = "seriatim",
      .options = {{.names = "-q,--quiet", .target = &quiet}},
      .children = {{.name = "run",
                    .positionals = {{.name = "TOPIC", .target = &topic}},
                    .options = {{.names = "-g,--group", .target = &group}},
                    .words_behind_dashes = &words,
                    .run = [](Context&) { return Result<ExitCode>(ExitCode::ok); }},
                   {.name = "send", .positionals = {{.name = "FILE", .target = &files}}, .run = [](Context&) {
                      return Result<ExitCode>(ExitCode::ok);
                    }}}};

  std::string problem(const std::vector<std::string>& given) {
    const ParsedLine parsed = parse_command_line(root, given);
    const auto* error = std::get_if<UsageError>(&parsed);
    return error == nullptr ? std::string() : error->text;
  }
};

using Words = std::vector<std::string>;

TEST_CASE("a command gets the words behind -- as they stand") {
  RunnerTree tree;
  const Words command{"-q", "[a,b]", "--", "", "--help", "send", "-x"};
  Words given{"run", "orders", "--group", "billing", "--"};
  given.insert(given.end(), command.begin(), command.end());
  CHECK(tree.problem(given).empty());
  CHECK(tree.words == command);
  CHECK(tree.topic == "orders");
  CHECK(tree.group == "billing");
  CHECK_FALSE(tree.quiet);
}

TEST_CASE("dashes that are the value of an option end nothing") {
  RunnerTree tree;
  CHECK(tree.problem({"run", "orders", "--", "cat"}).empty());
  CHECK(tree.words == Words{"cat"});
  CHECK(tree.problem({"-q", "run", "orders", "-g", "g", "--", "cat", "-n"}).empty());
  CHECK(tree.words == Words{"cat", "-n"});
  CHECK(tree.quiet);
}

TEST_CASE("a command that is not there, or not behind --, is told") {
  RunnerTree tree;
  const std::string missing = "the command to run is missing: it stands behind --. See: seriatim run --help";
  CHECK(tree.problem({"run", "orders"}) == missing);
  CHECK(tree.problem({"run", "orders", "--"}) == missing);
  CHECK(tree.problem({"run", "orders", "cat"}) == missing);
  CHECK(tree.problem({"run", "orders", "--grop", "g", "--", "cat"}) ==
        "unknown option --grop. Did you mean --group (-g)?");
}

TEST_CASE("for other commands the words behind -- are words") {
  RunnerTree tree;
  CHECK(tree.problem({"send", "--", "-x"}).empty());
  CHECK(tree.files == Words{"-x"});
}

TEST_CASE("the help of a command names the words behind --") {
  RunnerTree tree;
  const ParsedLine parsed = parse_command_line(tree.root, Words{"run", "--help"});
  const auto* answer = std::get_if<Answer>(&parsed);
  REQUIRE(answer != nullptr);
  CHECK(answer->text.find("COMMAND") != std::string::npos);
  CHECK(answer->text.find("Behind --") != std::string::npos);
}

}  // namespace
}  // namespace seriatim::cli
