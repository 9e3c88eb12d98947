// The fixture of tests of routers: topics "a", "b", "c" and "other", and what came to them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/flow/router.hpp>

#include "flow/route/router_impl.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

struct RouterFixture {
  RouterFixture() {
    for (const char* topic : {"a", "b", "c", "other"}) create_topic(engine, topic);
  }
  Router router(RouterOptions options = {}) const {
    if (options.name.empty()) options.name = "r";
    return must(Router::open(engine, std::move(options)));
  }
  /// As "a:1 b:0", the values that read_committed consumers of the topics are shown, counted.
  std::string counts() const { return counts_in(engine); }
  static std::string counts_in(const Engine& engine) {
    std::string text;
    for (const char* topic : {"a", "b", "c", "other"}) {
      if (!text.empty()) text += ' ';
      text += topic + (":" + std::to_string(committed_values(engine, topic).size()));
    }
    return text;
  }

  TempDir dir;
  TempDir copies;
  Engine engine = open_engine(dir / "data");
};

inline Binding exactly(std::string key, std::string topic) {
  return {.topic = std::move(topic), .routing_key = std::move(key)};
}
inline Binding everything(std::string topic) {
  return {.topic = std::move(topic), .kind = BindingKind::fan_out};
}
inline RoutedMessage message_of_key(std::string_view key) {
  return {.routing_key = key, .record = {.key = "k", .value = "v"}};
}
inline std::string topics_of_routed(const Routed& routed) {
  std::string text;
  for (const RoutedTo& to : routed.targets) text += to.topic + ";";
  return text;
}

}  // namespace seriatim::test
