#include "base/counter.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using seriatim::base::Counter;

TEST_CASE("no addition is lost between threads") {
  Counter counter;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&counter] {
        for (int n = 0; n < 10'000; ++n) counter.add();
      });
    }
  }
  counter.add(5);
  CHECK(counter.value() == 40'005);
}

TEST_CASE("two counters never share a cache line") {
  CHECK(alignof(Counter) == seriatim::base::cache_line_bytes);
  CHECK(sizeof(Counter) == seriatim::base::cache_line_bytes);
}
