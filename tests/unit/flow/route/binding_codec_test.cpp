#include "flow/route/binding_codec.hpp"

#include <doctest/doctest.h>

#include <string>

#include "flow/own_tables.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

struct StoredRoute {
  void put(std::string_view key, std::string_view value) {
    Transaction transaction = must(producer.begin());
    must(flow::own_table(transaction, flow::route_state("r")).put(key, value));
    must(transaction.commit());
  }
  Result<flow::StoredBindings> read() const {
    return flow::read_bindings(must(opened.engine.state(flow::route_state("r"))));
  }

  OpenedEngine opened;
  TransactionalProducer producer = transactional(opened.engine);
};

std::string hex_of(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    for (const int half : {(byte >> 4) & 15, byte & 15}) text.push_back("0123456789abcdef"[half]);
  }
  return text;
}

}  // namespace

TEST_CASE("a binding is stored in the bytes that docs/data_directory.md says") {
  const Binding binding{.topic = "t",
                        .kind = BindingKind::headers_any,
                        .routing_key = "k",
                        .headers = {{"h", "vv"}, {"n", std::nullopt}},
                        .priority_topics = {{5, "u"}}};
  CHECK(hex_of(flow::encode(binding)) ==
        "0103"
        "01000000"
        "74"
        "01000000"
        "6b"
        "02000000"
        "01000000"
        "68"
        "01"
        "02000000"
        "7676"
        "01000000"
        "6e"
        "00"
        "01000000"
        "05"
        "01000000"
        "75");
  CHECK(hex_of(flow::binding_key(258)) == "620000000000000102");
  CHECK(hex_of(flow::encode_next_id(258)) == "010201000000000000");
  CHECK(flow::route_state("shop") == "__route:shop");
  CHECK(flow::router_of_state("__route:shop") == "shop");
  CHECK_FALSE(flow::router_of_state("__half:shop"));
}

TEST_CASE("bindings of every kind are read as they were stored, by id, over many pages") {
  StoredRoute stored;
  const std::vector<Binding> kinds{
      {.topic = "a", .routing_key = "k"},
      {.topic = "b",
       .kind = BindingKind::pattern,
       .routing_key = "x.*.#",
       .priority_topics = {{1, "c"}, {255, "d"}}},
      {.topic = "c", .kind = BindingKind::headers_all, .headers = {{"h", std::nullopt}, {"h", ""}}},
      {.topic = "d", .kind = BindingKind::headers_any, .headers = {{"h", "v"}}},
      {.topic = "e", .kind = BindingKind::fan_out},
  };
  for (BindingId id = 1; id <= 300; ++id)
    stored.put(flow::binding_key(id), flow::encode(kinds[id % kinds.size()]));
  stored.put(flow::next_id_key(), flow::encode_next_id(400));
  const flow::StoredBindings read = must(stored.read());
  CHECK(read.next_id == 400);
  REQUIRE(read.bindings.size() == 300);
  for (BindingId id = 1; id <= 300; ++id) {
    CHECK(read.bindings[id - 1].id == id);
    CHECK(flow::encode(read.bindings[id - 1]) == flow::encode(kinds[id % kinds.size()]));
  }
}

TEST_CASE("a router that was never bound has no bindings and begins with id 1") {
  const StoredRoute stored;
  const flow::StoredBindings read = must(stored.read());
  CHECK(read.bindings.empty());
  CHECK(read.next_id == 1);
}

TEST_CASE("rows that are no bindings are told, not guessed") {
  const std::string good = flow::encode({.topic = "t", .routing_key = "key"});
  StoredRoute cut;
  for (std::size_t size = 0; size < good.size(); ++size) {
    cut.put(flow::binding_key(1), good.substr(0, size));
    CAPTURE(size);
    CHECK(code_of(cut.read()) == Errc::corrupt_metadata);
  }
  const std::vector<std::pair<std::string, std::string>> bad{
      {flow::binding_key(1), good + "x"},
      {flow::binding_key(1), "\x02" + good.substr(1)},
      {flow::binding_key(1), flow::encode({.topic = "t", .kind = static_cast<BindingKind>(9)})},
      {flow::binding_key(1), flow::encode({.topic = ""})},
      {"b1", good},
      {"x", good},
      {"n", "\x01"},
      {"n", std::string(10, '\x01')}};
  for (const auto& [key, value] : bad) {
    StoredRoute stored;
    stored.put(key, value);
    CHECK(code_of(stored.read()) == Errc::corrupt_metadata);
  }
}

}  // namespace seriatim::test
