#include "partition/unstable_transactions.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <thread>

#include "support/random.hpp"

using namespace seriatim;
using partition::UnstableTransactions;

TEST_CASE("what is held back is what a set of offsets would hold") {
  test::Random random("held back");
  for (int round = 0; round < 200; ++round) {
    UnstableTransactions held;
    std::set<Offset> model;
    Offset next = 0;
    for (int step = 0; step < 60; ++step) {
      if (random.one_in(2)) {
        next += random.between(1, 3);
        held.add(next);
        model.insert(next);
      } else {
        // One that is there, mostly.
        const Offset gone = model.empty() || random.one_in(5) ? next + 1 : *model.begin();
        const Offset some = model.empty() || random.one_in(2) ? gone : *model.rbegin();
        held.remove(some);
        model.erase(some);
      }
      CHECK(held.oldest() == (model.empty() ? UnstableTransactions::nothing : *model.begin()));
      const Offset bound = random.between(0, next);
      CHECK(held.up_to(bound) == std::vector<Offset>(model.begin(), model.upper_bound(bound)));
      for (const Offset first : {Offset{0}, next, model.empty() ? Offset{1} : *model.begin()}) {
        const bool is_only = !model.empty() && *model.begin() == first &&
                             (model.size() == 1 || *std::next(model.begin()) > bound);
        CHECK(held.is_only(first, bound) == is_only);
      }
    }
  }
}

TEST_CASE("nothing began at -1, and what was set is the oldest") {
  UnstableTransactions held;
  held.remove(-1);
  CHECK(held.oldest() == UnstableTransactions::nothing);
  held.set(5);
  CHECK(held.oldest() == 5);
  held.set(UnstableTransactions::nothing);
  CHECK(held.up_to(100).empty());
}

// As a partition does it: one thread adds, with the append mutex held; others end what is there.
TEST_CASE("INV-8: while transactions begin and end, none that is open is passed over") {
  constexpr Offset last = 60'000;
  UnstableTransactions held;
  // Transactions that are surely open: entered after it was added, and taken out before it is removed.
  std::atomic<Offset> added{0};
  std::atomic<Offset> removed{0};
  std::atomic<bool> is_done{false};
  std::atomic<int> passed_over{0};
  std::thread ender([&] {
    for (Offset next = 1; next <= last;) {
      if (next > added.load()) {
        std::this_thread::yield();  // On a busy machine whoever is waited for needs the processor.
        continue;
      }
      removed.store(next);
      held.remove(next++);
    }
  });
  std::thread looker([&] {
    while (!is_done.load()) {
      const Offset open_from = added.load();
      const Offset oldest = held.oldest();
      // The newest that was added is either the oldest bound there is, or its end had begun.
      if (open_from > 0 && oldest > open_from && removed.load() < open_from) passed_over.fetch_add(1);
      std::this_thread::yield();
    }
  });
  for (Offset next = 1; next <= last; ++next) {
    held.add(next);
    added.store(next);
    if (next % 3 == 0) {
      while (removed.load() < next - 2) std::this_thread::yield();
    }
  }
  ender.join();
  is_done = true;
  looker.join();
  CHECK(passed_over.load() == 0);
  CHECK(held.oldest() == UnstableTransactions::nothing);
}
