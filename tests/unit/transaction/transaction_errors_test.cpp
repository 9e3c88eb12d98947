#include "transaction/transaction_errors.hpp"

#include <doctest/doctest.h>

namespace seriatim::test {

TEST_CASE("every answer names the id and tells whether to abort, to give up or to correct the call") {
  using namespace transaction;
  for (const Error& error :
       {fenced("id-7"), still_open("id-7"), has_ended("id-7"), is_uncertain("id-7"),
        timed_out("id-7", std::chrono::seconds(3)), withdrawn("id-7"), is_committing("id-7"),
        was_committed("id-7"), engine_closed("id-7"), not_known("id-7")}) {
    CHECK(error.message().find("\"id-7\"") != std::string::npos);
  }
  for (const Error& error : {is_uncertain("a"), timed_out("a", std::chrono::seconds(3)), withdrawn("a")}) {
    CHECK(error.requires_abort());
  }
  CHECK(fenced("a").fatal());
  CHECK_FALSE(still_open("a").fatal());
  CHECK_FALSE(has_ended("a").requires_abort());
}

}  // namespace seriatim::test
