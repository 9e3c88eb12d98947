#include "base/counter.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "base/mutex.hpp"

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

TEST_CASE("adders that a lock orders lose no addition, while others read") {
  seriatim::base::SingleWriterCounter counter;
  seriatim::base::Mutex mutex;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&counter, &mutex] {
        for (int n = 0; n < 5'000; ++n) {
          const seriatim::base::MutexLock lock(mutex);
          counter.add(2);
        }
      });
    }
    std::uint64_t last = 0;
    while (last < 30'000) {
      const std::uint64_t now = counter.value();
      REQUIRE(now >= last);
      last = now;
    }
  }
  CHECK(counter.value() == 30'000);
}

TEST_CASE("two counters never share a cache line") {
  CHECK(alignof(Counter) == seriatim::base::cache_line_bytes);
  CHECK(sizeof(Counter) == seriatim::base::cache_line_bytes);
}
