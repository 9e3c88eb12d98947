#include "directory/facts/state_store.hpp"

#include <doctest/doctest.h>

namespace seriatim::test {
namespace {

using directory::StateStore;
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

TEST_CASE("a look from a key on has the keys of one name, in order") {
  StateStore store;
  store.enter({put("s", "b", "2"), put("s", "a", "1"), put("s", "c", "3"), put("t", "d", "4")}, 1);
  const auto found = store.from("s", bytes("b"));
  REQUIRE(found.size() == 2);
  CHECK(found.begin()->first == "b");
  CHECK(found.rbegin()->first == "c");
}

TEST_CASE("state that was stored is forgotten, what came after it is not") {
  StateStore store;
  store.enter({put("s", "a", "1"), put("s", "b", "2")}, 3);
  const auto version = store.version();
  CHECK(store.pending().size() == 2);
  store.enter({put("s", "b", "5")}, 4);
  CHECK(store.version() != version);
  store.stored(3);
  CHECK_FALSE(store.find("s", bytes("a")));
  CHECK(**store.find("s", bytes("b")) == bytes("5"));
}

}  // namespace seriatim::test
