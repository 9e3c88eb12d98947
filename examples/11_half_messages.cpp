// A message that is prepared before a database transaction and committed after it. Where the program is
// killed in between, the next run asks the database what became of the transaction. Killed and begun again,
// the program goes on: see tests/crash/outbox_kill_test.py.
#include <algorithm>
#include <string>
#include <vector>

#include "example.hpp"
#include "sqlite.hpp"

namespace {

constexpr int orders_per_run = 50;

// Every tenth order is refused by its transaction.
void take_order(Database& database, seriatim::HalfMessages& half, const std::string& order, bool is_refused) {
  // While `prepared` lives, nobody asks about it.
  const auto prepared = half.prepare({.topic = "orders", .value = "ordered: " + order}).value();
  if (is_refused) {
    half.rollback(prepared.id()).value();
    return;
  }
  database.run("INSERT INTO orders (name, message_id) VALUES (?, ?)", {order, prepared.id()});
  const auto decided = half.commit(prepared.id()).value();
  check(decided == seriatim::HalfDecision::committed, "nobody else to have decided");
}

// The log has the orders of the database, once each.
void compare(Database& database, const seriatim::Engine& engine) {
  auto messages = values_of(engine, "orders");
  std::vector<std::string> expected;
  for (const auto& row : database.run("SELECT name FROM orders")) expected.push_back("ordered: " + row[0]);
  std::sort(messages.begin(), messages.end());
  std::sort(expected.begin(), expected.end());
  check(messages == expected, "one message for each order");
  std::printf("%zu orders, as many messages\n", expected.size());
}

void prepare_and_commit(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "orders", .if_not_exists = true}).value();
  Database database((directory.string() + ".sqlite"));
  database.run("CREATE TABLE IF NOT EXISTS orders (name TEXT, message_id TEXT)");

  // Nothing of an earlier run is under way any more: what the database does not know was not committed.
  const auto ask = [&](const seriatim::HalfMessage& message) {
    const auto found = database.run("SELECT 1 FROM orders WHERE message_id = ?", {message.id});
    return found.empty() ? seriatim::HalfVerdict::rollback : seriatim::HalfVerdict::commit;
  };
  auto half =
      seriatim::HalfMessages::open(engine, {.name = "shop", .checks_in_background = false}, ask).value();
  const auto summary = half.check().value();
  std::printf("left by the last run: %llu\n", static_cast<unsigned long long>(summary.checked));
  const int known = std::stoi(database.run("SELECT count(*) FROM orders")[0][0]);
  for (int i = 0; i < orders_per_run; ++i)
    take_order(database, half, "order " + std::to_string(known + i) + "/" + std::to_string(i), i % 10 == 9);
  check(half.list().value().empty(), "nothing undecided");
  compare(database, engine);
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, prepare_and_commit); }
