#include "suggestion.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

struct Tree {
  bool flag = false;
  std::string text{};
  Command root{
      .name = "seriatim",
      .options = {{.names = "-d,--dir", .target = &text}, {.names = "-q,--quiet", .target = &flag}},
      .children = {
          {.name = "topic",
           .children = {{.name = "create", .options = {{.names = "-p,--partitions", .target = &text}}},
                        {.name = "delete"}}},
          {.name = "consume",
           .options = {{.names = "-o,--offset", .target = &text}, {.names = "-e,--exit", .target = &flag}}}}};
};

std::string problem(const std::vector<std::string>& words) {
  const Tree tree;
  return find_unknown_word(tree.root, words).value_or("");
}

TEST_CASE("the nearest word is found for a slip of the hand and for nothing else") {
  const std::vector<std::string> words{"create", "delete", "describe"};
  CHECK(nearest("creat", words) == "create");
  CHECK(nearest("craete", words) == "create");
  CHECK(nearest("delte", words) == "delete");
  CHECK(nearest("desc", words) == "describe");
  CHECK_FALSE(nearest("produce", words).has_value());
  CHECK_FALSE(nearest("", words).has_value());
}

TEST_CASE("known words are no problem, wherever global options stand") {
  CHECK(problem({"-d", "data", "topic", "create", "orders", "-p", "4"}).empty());
  CHECK(problem({"topic", "create", "orders", "--partitions=4", "-d", "data"}).empty());
  CHECK(problem({"consume", "orders", "-o", "-10", "-e"}).empty());
  CHECK(problem({"consume", "-eq", "-o-10"}).empty());
  CHECK(problem({"consume", "--", "--not-an-option"}).empty());
}

TEST_CASE("a value is never taken for a command or an option") {
  CHECK(problem({"-d", "consume", "topic", "delete"}).empty());
  CHECK(problem({"consume", "-o", "--exit"}).empty());
}

TEST_CASE("an unknown word is named with what was probably meant") {
  CHECK(problem({"topic", "creat", "orders"}) ==
        "unknown command creat. Did you mean: seriatim topic create");
  CHECK(problem({"topic", "create", "orders", "--partitons", "4"}) ==
        "unknown option --partitons. Did you mean --partitions (-p)?");
  CHECK(problem({"consume", "-x"}) == "unknown option -x. See: seriatim consume --help");
  CHECK(problem({"frobnicate"}) == "unknown command frobnicate. seriatim knows: topic, consume");
}

}  // namespace
}  // namespace seriatim::cli
