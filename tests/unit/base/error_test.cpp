#include <seriatim/error.hpp>

#include <doctest/doctest.h>

#include <cctype>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <seriatim/exception.hpp>
#include <seriatim/result.hpp>

using namespace seriatim;

namespace {

// The enumerators and their values as the public header has them, so that a new one cannot be forgotten here.
std::map<std::string, int> enumerators() {
  std::ifstream file(SERIATIM_SOURCE_DIR "/include/seriatim/error.hpp");
  REQUIRE(file);
  std::map<std::string, int> result;
  std::string line;
  while (std::getline(file, line) && !line.starts_with("enum class Errc")) {
  }
  while (std::getline(file, line) && line != "};") {
    // "  name = 12,  ///< ..."; comments and blank lines have no " = ".
    const std::size_t equals = line.find(" = ");
    if (equals == std::string::npos || line.find("//") < equals) continue;
    result[line.substr(2, equals - 2)] = std::stoi(line.substr(equals + 3));
  }
  return result;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

TEST_CASE("every code has its own name, which is its enumerator in capitals") {
  const auto all = enumerators();
  REQUIRE(all.size() >= 31);
  std::set<std::string_view> names;
  for (const auto& [enumerator, value] : all) {
    const std::string_view text = name(static_cast<Errc>(value));
    CHECK(text == upper(enumerator));
    names.insert(text);
  }
  CHECK(names.size() == all.size());
}

TEST_CASE("a number that is no code is named so") { CHECK(name(static_cast<Errc>(9999)) == "UNKNOWN"); }

TEST_CASE("an error keeps code, message, errno and outcome, and copies share them") {
  const Error error(Errc::storage_full, "cannot write x", 28, Outcome::unknown);
  const Error copy = error;
  CHECK(copy.code() == Errc::storage_full);
  CHECK(copy.name() == "STORAGE_FULL");
  CHECK(copy.message() == "cannot write x");
  CHECK(copy.sys_errno() == 28);
  CHECK(copy.outcome() == Outcome::unknown);
  CHECK(copy.message().data() == error.message().data());
}

TEST_CASE("what may be tried again is not fatal, and the other way round") {
  for (const auto& [enumerator, value] : enumerators()) {
    const Error error(static_cast<Errc>(value), enumerator);
    CHECK_FALSE((error.retriable() && error.fatal()));
  }
  CHECK(Error(Errc::storage_full, "").retriable());
  CHECK(Error(Errc::too_many_open_files, "").retriable());
  CHECK(Error(Errc::storage_failed, "").fatal());
  CHECK(Error(Errc::closed, "").fatal());
  CHECK_FALSE(Error(Errc::invalid_argument, "").retriable());
}

TEST_CASE("context goes before the message and changes nothing else") {
  const Error inner(Errc::io_error, "cannot read f", 5, Outcome::unknown);
  const Error outer = inner.with_context("topic-3");
  CHECK(outer.message() == "topic-3: cannot read f");
  CHECK(outer.code() == Errc::io_error);
  CHECK(outer.sys_errno() == 5);
  CHECK(outer.outcome() == Outcome::unknown);
  CHECK(inner.with_outcome(Outcome::not_written).outcome() == Outcome::not_written);
  CHECK(inner.message() == "cannot read f");
}

TEST_CASE("a result holds a value or an error") {
  const Result<int> good = 3;
  const Result<int> bad = Error(Errc::not_found, "no such thing");
  CHECK(good.ok());
  CHECK(*good == 3);
  CHECK_FALSE(bad.ok());
  CHECK(bad.error().code() == Errc::not_found);
  CHECK(Result<int>(bad).value_or(9) == 9);
  CHECK(Result<void>().ok());
}

TEST_CASE("value() throws the error, with its name and message as what()") {
  const Result<int> bad = Error(Errc::not_found, "no such thing");
  CHECK_THROWS_WITH_AS(static_cast<void>(bad.value()), "NOT_FOUND: no such thing", Exception);
}
