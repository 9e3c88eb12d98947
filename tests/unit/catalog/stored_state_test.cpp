#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "catalog/records/catalog_schema.hpp"
#include "catalog/stored_state.hpp"
#include "support/random.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

using Bytes = std::vector<std::byte>;
using Pairs = std::vector<std::pair<Bytes, Bytes>>;

void store(Catalog& catalog, const std::vector<StateChange>& changes) {
  Checkpoint checkpoint;
  put_state_changes(checkpoint.writes, changes);
  must(catalog.checkpoint(checkpoint));
}

TEST_CASE("the largest name, key and value of a state come back whole, also after reopening") {
  const MadeCatalog made;
  const std::string name(state_name_bytes_max, 'n');
  const Bytes key(state_key_bytes_max, std::byte{0xff});
  Bytes value(state_value_bytes_max);
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<std::byte>(i * 7);
  {
    Catalog catalog = made.open();
    store(catalog, {{name, key, value}});
  }
  const Catalog catalog = made.open();
  CHECK(must(state_value(catalog, name, key)) == value);
  CHECK((must(scan_state(catalog, name, {}, 2)) == Pairs{{key, value}}));
  CHECK(must(state_names(catalog)) == std::vector<std::string>{name});
}

TEST_CASE(
    "a state is scanned in byte order of its keys, from any bytes on, up to the limit, and no further") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  test::Random random("a state is scanned in byte order");
  std::map<std::string, std::string> expected;  // char_traits compare bytes as unsigned
  std::vector<StateChange> changes;
  for (int i = 0; i < 300; ++i) {
    const Bytes key = random.bytes(static_cast<std::size_t>(random.between(1, i % 10 == 0 ? 400 : 3)));
    const Bytes value = random.bytes(static_cast<std::size_t>(random.between(0, 100)));
    changes.push_back({"middle", key, value});
    expected[std::string(base::as_text(key))] = base::as_text(value);
  }
  for (const char* beside : {"middl", "middle ", "middle\x01", "n"})
    changes.push_back({beside, bytes_of("k"), bytes_of("not ours")});
  store(catalog, changes);

  const auto scanned = [&](const std::string& from, std::size_t limit) {
    std::map<std::string, std::string> found;
    std::string previous;
    for (const auto& [key, value] : must(scan_state(catalog, "middle", base::as_bytes(from), limit))) {
      const std::string text(base::as_text(key));
      CHECK(previous < text);
      previous = text;
      found[text] = base::as_text(value);
    }
    return found;
  };
  CHECK(scanned("", 1'000) == expected);
  CHECK(scanned("", expected.size()) == expected);
  CHECK(scanned("", 0).empty());
  for (int round = 0; round < 100; ++round) {
    // Beyond a key's largest length too: "after this key" of the longest key is one byte longer.
    const Bytes bytes = random.bytes(static_cast<std::size_t>(random.between(0, round % 5 == 0 ? 5'000 : 3)));
    const std::string from(base::as_text(bytes));
    const auto limit = static_cast<std::size_t>(random.between(0, 20));
    auto first = expected.lower_bound(from);
    const auto left = static_cast<std::size_t>(std::distance(first, expected.end()));
    const auto last = std::next(first, static_cast<std::ptrdiff_t>(std::min(limit, left)));
    CHECK(scanned(from, limit) == std::map<std::string, std::string>(first, last));
  }
}

TEST_CASE("a scan in parts, each from the byte after the last key, meets every key once") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  std::vector<StateChange> changes;
  for (int i = 0; i < 50; ++i) changes.push_back({"s", Bytes(static_cast<std::size_t>(i * 8 + 1)), Bytes(1)});
  changes.push_back({"s", Bytes(state_key_bytes_max), Bytes(1)});
  store(catalog, changes);
  std::size_t met = 0;
  Bytes from;
  for (Pairs part = must(scan_state(catalog, "s", from, 7)); !part.empty();
       part = must(scan_state(catalog, "s", from, 7))) {
    met += part.size();
    from = part.back().first;
    from.push_back(std::byte{0});
  }
  CHECK(met == 51);
}

TEST_CASE("states are listed once each while they have a key, also when one name begins with another") {
  const MadeCatalog made;
  Catalog catalog = made.open();
  const std::vector<std::string> names{"a", "a\x01x", "ab", std::string(100, 'z')};
  for (const std::string& name : names)
    store(catalog,
          {{name, bytes_of("1"), Bytes()}, {name, Bytes(3), Bytes()}, {name, bytes_of("\xff"), Bytes()}});
  CHECK(must(state_names(catalog)) == names);
  store(catalog, {{"a", bytes_of("1"), std::nullopt}, {"a", Bytes(3), std::nullopt}});
  CHECK(must(state_names(catalog)) == names);
  store(catalog, {{"a", bytes_of("\xff"), std::nullopt}});
  CHECK(must(state_names(catalog)) == std::vector<std::string>(names.begin() + 1, names.end()));
}

TEST_CASE("reading what no state can be called is refused, not answered with nothing") {
  const MadeCatalog made;
  const Catalog catalog = made.open();
  for (const std::string& name : {std::string(), std::string(101, 's'), std::string("a\0b", 3)}) {
    CHECK(state_value(catalog, name, bytes_of("k")).error().code() == Errc::invalid_argument);
    CHECK(scan_state(catalog, name, {}, 1).error().code() == Errc::invalid_argument);
  }
  CHECK(state_value(catalog, "s", {}).error().code() == Errc::invalid_argument);
  CHECK(state_value(catalog, "s", Bytes(401)).error().code() == Errc::invalid_argument);
}

}  // namespace
}  // namespace seriatim::catalog
