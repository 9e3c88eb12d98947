// A Result holds a value or an error, whatever becomes of it: nothing is destroyed twice, nothing is left.
#include <seriatim/result.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace seriatim {
namespace {

using Shared = std::shared_ptr<int>;

Result<Shared> without_value() { return Error(Errc::not_found, "none"); }

// How many hold what `counted` holds, without it.
long holders(const Shared& counted) { return counted.use_count() - 1; }

static_assert(std::is_copy_constructible_v<Result<Shared>>);
static_assert(!std::is_copy_constructible_v<Result<std::unique_ptr<int>>>);
static_assert(!std::is_copy_assignable_v<Result<std::unique_ptr<int>>>);
static_assert(std::is_nothrow_move_constructible_v<Result<std::unique_ptr<int>>>);
static_assert(std::is_nothrow_move_assignable_v<Result<std::string>>);

}  // namespace

TEST_CASE("a result owns its value once") {
  const Shared counted = std::make_shared<int>(7);
  {
    Result<Shared> result = counted;
    CHECK(holders(counted) == 1);
    const Result<Shared> copy = result;  // NOLINT(performance-unnecessary-copy-initialization)
    CHECK(holders(counted) == 2);
    const Result<Shared> moved = std::move(result);
    CHECK(holders(counted) == 2);
    CHECK(**moved == 7);
    CHECK(**copy == 7);
  }
  CHECK(holders(counted) == 0);
}

TEST_CASE("what is assigned takes the place of what was there, value or error") {
  const Shared counted = std::make_shared<int>(7);
  const Shared other = std::make_shared<int>(8);
  for (const bool had_value : {true, false}) {
    for (const bool gets_value : {true, false}) {
      Result<Shared> target = had_value ? Result<Shared>(other) : without_value();
      const Result<Shared> source = gets_value ? Result<Shared>(counted) : without_value();
      target = source;
      CHECK(target.ok() == gets_value);
      CHECK(holders(other) == 0);
      CHECK(holders(counted) == (gets_value ? 2 : 0));
      if (!gets_value) CHECK(target.error().message() == source.error().message());
      Result<Shared> again = had_value ? Result<Shared>(other) : without_value();
      again = std::move(target);
      CHECK(again.ok() == gets_value);
      CHECK(holders(other) == 0);
      CHECK(holders(counted) == (gets_value ? 2 : 0));
    }
  }
  CHECK(holders(counted) == 0);
}

TEST_CASE("a result that is assigned to itself stays what it is") {
  const Shared counted = std::make_shared<int>(7);
  for (Result<Shared> result : {Result<Shared>(counted), without_value()}) {
    const bool was_ok = result.ok();
    Result<Shared>& same = result;
    result = same;
    result = std::move(same);
    REQUIRE(result.ok() == was_ok);
    if (was_ok) CHECK(**result == 7);
    if (!was_ok) CHECK(result.error().message() == "none");
  }
}

TEST_CASE("what cannot be copied is moved through a result") {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  result = Error(Errc::not_found, "none");
  CHECK_FALSE(result);
  result = std::make_unique<int>(8);
  const std::unique_ptr<int> taken = *std::move(result);
  CHECK(*taken == 8);
  CHECK(Result<std::string>("x").value_or("y") == "x");
  CHECK(Result<std::string>(Error(Errc::not_found, "none")).value_or("y") == "y");
}

TEST_CASE("success without a value can be assigned over an error, and back") {
  Result<> result;
  CHECK(result);
  result = Error(Errc::not_found, "none");
  CHECK_FALSE(result);
  const Error taken = std::move(result).error();
  CHECK(taken.code() == Errc::not_found);
  result = {};
  CHECK(result);
}

}  // namespace seriatim
