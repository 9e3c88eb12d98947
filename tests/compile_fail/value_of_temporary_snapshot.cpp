// must fail: use of deleted function|deleted
#include <vector>

#include "base/snapshot.hpp"

int sum(const seriatim::base::Snapshot<std::vector<int>>& snapshot) {
  int total = 0;
#ifdef MISUSE
  for (const int value : *snapshot.load()) total += value;
#else
  const auto pinned = snapshot.load();
  for (const int value : *pinned) total += value;
#endif
  return total;
}
