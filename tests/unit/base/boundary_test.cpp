#include "base/boundary.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <system_error>
#include <vector>

namespace seriatim::base {
namespace {

template <class Exception>
Error answer_to(const Exception& exception) {
  const auto answer = answered([&]() -> Result<int> { throw exception; });
  REQUIRE_FALSE(answer);
  return answer.error();
}

TEST_CASE("what a body returns passes the border as it is") {
  CHECK(*answered([]() -> Result<int> { return 7; }) == 7);
  const auto refused = answered([]() -> Result<int> { return Error(Errc::timed_out, "later"); });
  CHECK(refused.error().code() == Errc::timed_out);
}

TEST_CASE("no exception crosses the border: each is an error") {
  CHECK(answer_to(std::bad_alloc()).code() == Errc::out_of_memory);
  CHECK(answer_to(std::bad_alloc()).retriable());
  const auto no_thread =
      answer_to(std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again), "thread"));
  CHECK(no_thread.code() == Errc::out_of_memory);
  CHECK(no_thread.message().find("ulimit -u") != std::string::npos);
  CHECK(answer_to(std::system_error(std::make_error_code(std::errc::io_error))).code() == Errc::io_error);
  CHECK(answer_to(std::runtime_error("of a callback")).message().find("of a callback") != std::string::npos);
  CHECK(answer_to(Exception(Error(Errc::closed, "gone"))).code() == Errc::closed);
  CHECK(answer_to(7).code() == Errc::out_of_memory);
}

TEST_CASE("what was begun is undone at the end of the scope, by an exception too, unless it is kept") {
  std::vector<int> undone;
  {
    const Undoing undo([&] { undone.push_back(1); });
    Undoing kept([&] { undone.push_back(2); });
    kept.keep();
  }
  static_cast<void>(answered([&]() -> Result<> {
                      const Undoing undo([&] { undone.push_back(3); });
                      throw std::bad_alloc();
                    }).ok());
  CHECK(undone == std::vector<int>{1, 3});
}

TEST_CASE("an error keeps its code where there is no memory for another outcome") {
  const Error error(Errc::out_of_memory, "text", 0, Outcome::not_written);
  CHECK(error.with_outcome(Outcome::unknown).outcome() == Outcome::unknown);
  CHECK(error.with_outcome(Outcome::not_written).message() == "text");
}

}  // namespace
}  // namespace seriatim::base
