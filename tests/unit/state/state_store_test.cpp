#include "state/state_store.hpp"

#include <doctest/doctest.h>

namespace seriatim::test {
namespace {

using state::StateStore;
using Bytes = StateStore::Bytes;

Bytes bytes(std::string_view text) {
  const auto view = base::as_bytes(text);
  return {view.begin(), view.end()};
}

catalog::StateChange put(const char* name, const char* key, const char* value) {
  return {.name = name, .key = bytes(key), .value = bytes(value)};
}

}  // namespace

TEST_CASE("the newest value is found, an erased key is known to be erased") {
  StateStore store;
  store.enter({put("s", "a", "1"), put("s", "b", "2"), put("r", "a", "3")}, 7);
  store.enter({put("s", "a", "4"), {.name = "s", .key = bytes("b")}}, 9);
  CHECK(**store.find("s", bytes("a")) == bytes("4"));
  CHECK(**store.find("r", bytes("a")) == bytes("3"));
  REQUIRE(store.find("s", bytes("b")));
  CHECK_FALSE(store.find("s", bytes("b"))->has_value());
  CHECK_FALSE(store.find("s", bytes("c")));
  CHECK_FALSE(store.find("q", bytes("a")));
}

TEST_CASE("what an earlier decision says does not replace what a later one has said") {
  StateStore store;
  store.enter({put("s", "a", "late")}, 9);
  store.enter({put("s", "a", "early")}, 7);
  CHECK(**store.find("s", bytes("a")) == bytes("late"));
}

TEST_CASE("a look from a key on has the keys of one name, in order, and says whether there are more") {
  StateStore store;
  store.enter({put("s", "b", "2"), put("s", "a", "1"), put("s", "c", "3"), put("t", "d", "4")}, 1);
  const auto keys = [&](const char* name, const char* from, std::size_t limit, bool is_last) {
    const auto page = store.page(name, bytes(from), limit);
    CHECK(page.is_last == is_last);
    std::string found;
    for (const auto& [key, value] : page.entries) found += key;
    return found;
  };
  CHECK(keys("s", "b", 5, true) == "bc");
  CHECK(keys("s", "b", 2, false) == "bc");
  CHECK(keys("s", "", 2, false) == "ab");
  CHECK(keys("t", "", 1, false) == "d");
  CHECK(keys("t", "e", 1, true).empty());
  CHECK(keys("r", "", 1, true).empty());
  CHECK(store.names() == std::vector<std::string>{"s", "t"});
}

TEST_CASE("state that was stored is not told again, and kept until it is covered") {
  StateStore store;
  store.enter({put("s", "a", "1"), put("s", "b", "2")}, 3);
  const auto gathered = [&] {
    catalog::TableWrites writes;
    store.gather(writes);
    return writes.in_order().size();
  };
  CHECK(gathered() == 2);
  store.enter({put("s", "b", "5")}, 4);
  store.stored(0);
  REQUIRE(gathered() == 1);
  CHECK(**store.find("s", bytes("a")) == bytes("1"));
  store.stored(3);
  CHECK_FALSE(store.has_changes());
  CHECK_FALSE(store.find("s", bytes("a")));
  CHECK(**store.find("s", bytes("b")) == bytes("5"));
}

}  // namespace seriatim::test
