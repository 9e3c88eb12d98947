#include "catalog/pending_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/must.hpp"
#include "support/random.hpp"

namespace seriatim::test {
namespace {

using Table = catalog::PendingTable<int, std::string>;

void enter_one(Table& table, int key, const std::string& value, std::uint64_t lsn) {
  Table::Entries fresh;
  fresh[key].value = value;
  table.enter(fresh, lsn);
}

std::map<int, std::string> values_of(const Table::Entries& entries) {
  std::map<int, std::string> values;
  for (const auto& [key, entry] : entries) values[key] = entry.value;
  return values;
}

std::string value_of(const Table& table, int key) {
  const auto found = table.find(key);
  return found ? found->value : "nothing";
}

/// A table, the catalog behind it, and what both together have to show.
struct PendingWorld {
  static constexpr int keys = 300;
  struct Told {
    std::string value{};
    std::uint64_t lsn = 0;
  };

  explicit PendingWorld(Random& of) : random(of) {}

  std::uint64_t lsn_between(std::uint64_t low, std::uint64_t high) {
    return static_cast<std::uint64_t>(
        random.between(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high)));
  }

  // A decision may be entered late, but not below what a checkpoint has covered.
  void enter() {
    const bool is_late = newest > covered && random.one_in(4);
    const std::uint64_t lsn = is_late ? lsn_between(covered + 1, newest) : ++newest;
    Table::Entries fresh;
    for (auto n = random.between(1, random.one_in(10) ? keys : 5); n > 0; --n) {
      const int key = static_cast<int>(random.between(0, keys - 1));
      fresh[key].value = std::to_string(lsn) + "/" + std::to_string(key);
    }
    for (const auto& [key, entry] : fresh) {
      auto& told = truth[key];
      if (told.lsn > lsn) continue;
      told = {entry.value, lsn};
      changed.insert(key);
    }
    table.enter(fresh, lsn);
  }

  void gather() {
    const std::uint64_t settled = lsn_between(covered, newest);
    const auto gathered = values_of(table.gather());
    for (const auto& [key, value] : gathered) REQUIRE(changed.contains(key));
    REQUIRE(gathered.size() == changed.size());
    if (random.one_in(2)) look();
    if (random.one_in(3)) return;  // The catalog refuses it.
    for (const auto& [key, value] : gathered) in_catalog[key] = value;
    changed.clear();
    if (random.one_in(2)) covered = settled;
    table.stored(covered);
  }

  void forget_a_key() {
    const int gone = static_cast<int>(random.between(0, keys - 1));
    table.forget_if([gone](int key) { return key == gone; });
    truth.erase(gone);
    changed.erase(gone);
    in_catalog.erase(gone);
  }

  void look() {
    for (int key = 0; key < keys; ++key) {
      const auto found = table.find(key);
      const auto home = in_catalog.find(key);
      const std::string shown = found ? found->value : home == in_catalog.end() ? "" : home->second;
      const auto known = truth.find(key);
      REQUIRE(shown == (known == truth.end() ? "" : known->second.value));
      if (found) REQUIRE(found->lsn == known->second.lsn);
    }
    std::set<int> pending;
    for (const auto& [key, told] : truth) {
      if (told.lsn > covered) pending.insert(key);
    }
    REQUIRE(keys_by_pages(static_cast<std::size_t>(random.between(1, 200))) == pending);
  }

  std::set<int> keys_by_pages(std::size_t limit) const {
    std::set<int> seen;
    for (int from = 0;;) {
      const auto page = table.page(from, limit);
      for (const auto& [key, entry] : page) {
        REQUIRE(key >= from);
        REQUIRE(entry.value == truth.at(key).value);
        seen.insert(key);
        from = key + 1;
      }
      if (page.size() < std::min(limit, Table::page_entries_max)) return seen;
    }
  }

  Random& random;
  Table table;
  std::map<int, Told> truth{};
  std::map<int, std::string> in_catalog{};
  std::set<int> changed{};  ///< And not in the catalog.
  std::uint64_t newest = 0;
  std::uint64_t covered = 0;
};

/// Counts what is done to keys while it is held.
struct MeteredMutex {
  static inline std::uint64_t work = 0;
  static inline std::uint64_t longest = 0;
  std::uint64_t begun = 0;
  void lock() { begun = work; }
  void unlock() { longest = std::max(longest, work - begun); }
  void let_others_pass() {}
};

struct MeteredKey {
  int key = 0;
  bool operator<(const MeteredKey& other) const {
    ++MeteredMutex::work;
    return key < other.key;
  }
};

}  // namespace

TEST_CASE("a value of a later frame stays, whichever comes first and wherever the other lies") {
  for (const bool is_gathered : {false, true}) {
    for (const bool is_stored : {false, true}) {
      CAPTURE(is_gathered);
      CAPTURE(is_stored);
      Table table;
      enter_one(table, 1, "late", 9);
      if (is_gathered) CHECK(table.gather().size() == 1);
      if (is_gathered && is_stored) table.stored(0);
      enter_one(table, 1, "early", 7);
      CHECK(value_of(table, 1) == "late");
      CHECK(table.has_changes() == !(is_gathered && is_stored));
      enter_one(table, 1, "latest", 10);
      CHECK(value_of(table, 1) == "latest");
      CHECK(values_of(table.gather()) == std::map<int, std::string>{{1, "latest"}});
    }
  }
}

TEST_CASE("a gathering has what was changed since the last one, and all of it again where that failed") {
  Table table;
  enter_one(table, 1, "a", 1);
  enter_one(table, 2, "b", 2);
  CHECK(values_of(table.gather()) == std::map<int, std::string>{{1, "a"}, {2, "b"}});
  enter_one(table, 2, "c", 3);
  // Nobody said that it was stored.
  CHECK(values_of(table.gather()) == std::map<int, std::string>{{1, "a"}, {2, "c"}});
  table.stored(0);
  CHECK_FALSE(table.has_changes());
  CHECK(table.gather().empty());
  enter_one(table, 1, "d", 4);
  CHECK(values_of(table.gather()) == std::map<int, std::string>{{1, "d"}});
  CHECK(value_of(table, 2) == "c");
}

TEST_CASE("what is covered is forgotten, and what came behind it is there") {
  Table table;
  enter_one(table, 1, "a", 1);
  enter_one(table, 2, "b", 2);
  CHECK(table.gather().size() == 2);
  table.stored(0);
  enter_one(table, 1, "c", 3);
  enter_one(table, 3, "d", 4);
  CHECK(table.gather().size() == 2);
  enter_one(table, 4, "e", 5);
  table.stored(3);
  CHECK(value_of(table, 1) == "nothing");
  CHECK(value_of(table, 2) == "nothing");
  CHECK(value_of(table, 3) == "d");
  CHECK(value_of(table, 4) == "e");
  CHECK(table.newest_lsn() == 5);
  table.forget(5);
  CHECK(table.empty());
  CHECK(table.newest_lsn() == 5);
}

TEST_CASE("what the journal refuses is not entered") {
  Table table;
  Table::Entries fresh;
  fresh[1].value = "a";
  CHECK_FALSE(table.enter_staged(fresh, [] { return Result<std::uint64_t>(Error(Errc::closed, "closed")); }));
  CHECK(table.empty());
  CHECK(must(table.enter_staged(fresh, [] { return Result<std::uint64_t>(7); })) == 7);
  CHECK(table.find(1)->lsn == 7);
}

TEST_CASE("a page has the first keys in order, whichever layer has them") {
  Table table;
  enter_one(table, 1, "kept", 1);
  enter_one(table, 4, "kept", 1);
  static_cast<void>(table.gather());
  table.stored(0);
  enter_one(table, 2, "gathered", 2);
  enter_one(table, 4, "gathered", 2);
  static_cast<void>(table.gather());
  enter_one(table, 3, "changed", 3);
  const auto keys = [&](int from, std::size_t limit) {
    std::vector<int> found;
    for (const auto& [key, entry] : table.page(from, limit)) found.push_back(key);
    return found;
  };
  CHECK(keys(0, 10) == std::vector<int>{1, 2, 3, 4});
  CHECK(keys(2, 2) == std::vector<int>{2, 3});
  CHECK(keys(4, 2) == std::vector<int>{4});
  CHECK(keys(5, 2).empty());
  CHECK(keys(0, 0).empty());
  CHECK(table.page(4, 1)[0].second.value == "gathered");
}

TEST_CASE("whatever is entered, gathered, stored, failed and forgotten: table and catalog have the newest") {
  Random random("pending table against a map");
  for (int life = 0; life < 20; ++life) {
    PendingWorld world(random);
    for (int step = 0; step < 200; ++step) {
      const auto what = random.between(0, 9);
      if (what < 6) {
        world.enter();
      } else if (what < 9) {
        world.gather();
      } else {
        world.forget_a_key();
      }
      world.look();
    }
  }
}

TEST_CASE("nobody holds the lock for more than some hundred entries of a million") {
  using Metered = catalog::PendingTable<MeteredKey, int, MeteredMutex>;
  Metered table;
  constexpr int keys = 20'000;
  // A look-up takes as many comparisons as the tree is high: at most twice the logarithm, in each of three.
  constexpr std::uint64_t comparisons_max = 3 * 2 * 16 * Metered::piece_entries;
  const auto enter_all = [&](int first, std::uint64_t lsn) {
    for (int key = first; key < first + keys; ++key) {
      Metered::Entries fresh;
      fresh.try_emplace({key}, Metered::Entry{key, 0});
      table.enter(fresh, lsn);
    }
  };
  enter_all(0, 1);
  static_cast<void>(table.gather());
  table.stored(0);
  enter_all(keys / 2, 5);
  static_cast<void>(table.gather());
  enter_all(0, 4);
  static_cast<void>(table.gather());  // Nothing was stored of the one before.
  table.stored(1);
  enter_all(keys, 9);
  table.stored(4);
  table.forget_if([](const MeteredKey& key) { return key.key % 2 == 0; });
  CHECK(table.page({0}, keys).size() == Metered::page_entries_max);
  table.forget(7);
  CHECK(MeteredMutex::longest > 0);
  CHECK(MeteredMutex::longest < comparisons_max);
}

TEST_CASE(
    "what threads enter while others gather is in the table or the catalog, each key with its last value") {
  Table table;
  constexpr int writers = 3;
  constexpr int rounds = 2'000;
  constexpr int keys_of_each = 50;
  std::atomic<int> running{writers};
  std::atomic<std::uint64_t> next_lsn{1};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < rounds; ++i) {
        Table::Entries fresh;
        fresh[writer * keys_of_each + i % keys_of_each].value = std::to_string(i);
        static_cast<void>(
            table.enter_staged(fresh, [&] { return Result<std::uint64_t>(next_lsn.fetch_add(1)); }));
      }
      running.fetch_sub(1);
    });
  }
  std::map<int, std::string> in_catalog;
  for (int round = 0; running.load() > 0 || table.has_changes(); ++round) {
    const std::uint64_t staged = next_lsn.load() - 1;
    for (const auto& [key, entry] : table.gather()) in_catalog[key] = entry.value;
    if (round % 3 != 0 || running.load() == 0) table.stored(round % 2 == 0 ? staged : 0);
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& [key, entry] : table.gather()) in_catalog[key] = entry.value;
  REQUIRE(in_catalog.size() == writers * keys_of_each);
  for (const auto& [key, value] : in_catalog)
    CHECK(std::stoi(value) == rounds - keys_of_each + key % keys_of_each);
}

namespace {

// Enters "new" at the key, if it is still as it was when `removals` and `lsn` were read.
bool enter_unchanged(Table& table, int key, std::uint64_t lsn, std::uint64_t removals) {
  Table::Entries fresh;
  fresh[key] = {.value = "new", .lsn = lsn};
  return must(table.enter_unchanged(fresh, removals, [] { return Result<std::uint64_t>(99); })).has_value();
}

}  // namespace

TEST_CASE("a key is entered only as long as nobody has entered it since a look, in whichever layer it is") {
  for (const int layer : {0, 1, 2}) {
    CAPTURE(layer);
    Table table;
    enter_one(table, 1, "seen", 5);
    if (layer > 0) table.gather();
    if (layer > 1) table.stored(0);
    const std::uint64_t removals = table.removals();
    CHECK_FALSE(enter_unchanged(table, 1, 4, removals));
    CHECK_FALSE(enter_unchanged(table, 1, 0, removals));
    CHECK(value_of(table, 1) == "seen");
    CHECK(enter_unchanged(table, 1, 5, removals));
    CHECK(value_of(table, 1) == "new");
    CHECK(table.find(1)->lsn == 99);
    CHECK_FALSE(enter_unchanged(table, 1, 5, removals));
    CHECK(enter_unchanged(table, 2, 0, removals));
  }
}

TEST_CASE("where entries have gone since a look, a key that is not there may have been entered") {
  Table table;
  enter_one(table, 1, "other", 5);
  const std::uint64_t removals = table.removals();
  table.gather();
  table.stored(0);
  CHECK(table.removals() == removals);  // Kept.
  table.stored(5);
  CHECK(table.empty());
  CHECK_FALSE(enter_unchanged(table, 2, 0, removals));
  CHECK(enter_unchanged(table, 2, 0, table.removals()));
  const std::uint64_t before = table.removals();
  table.forget_if([](int key) { return key == 2; });
  CHECK_FALSE(enter_unchanged(table, 2, 0, before));
}

TEST_CASE("nothing is entered where the frame could not be staged") {
  Table table;
  Table::Entries fresh;
  fresh[1].value = "new";
  const auto failed = table.enter_unchanged(
      fresh, table.removals(), [] { return Result<std::uint64_t>(Error(Errc::storage_full, "full")); });
  CHECK_FALSE(failed.ok());
  CHECK(table.empty());
}

}  // namespace seriatim::test
