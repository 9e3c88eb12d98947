// An outbox: a database transaction stores an order and the message about it; the message comes into the log
// once, wherever the program is killed. A named producer with numbered records does it: the log itself
// remembers how far the outbox was sent. Killed and begun again, the program goes on: see
// tests/crash/outbox_kill_test.py.
#include <string>

#include "example.hpp"
#include "sqlite.hpp"

namespace {

constexpr int orders_per_run = 50;
const seriatim::TopicPartition orders_log{"orders", 0};

void take_order(Database& database, const std::string& order) {
  database.transact([&] {
    database.run("INSERT INTO orders (name) VALUES (?)", {order});
    database.run("INSERT INTO outbox (message) VALUES (?)", {"ordered: " + order});
  });
}

// Sends what is in the outbox. Rows are numbered from 1 without a gap, sequences from 0.
void relay(Database& database, seriatim::Producer& producer) {
  const auto sent = producer.last_sequence(orders_log).value();
  const std::string first = std::to_string(sent ? *sent + 2 : 1);
  for (const auto& row :
       database.run("SELECT id, message FROM outbox WHERE id >= ? + 0 ORDER BY id", {first})) {
    const auto sequence = static_cast<seriatim::Sequence>(std::stoll(row[0]) - 1);
    producer.send_sync({.topic = "orders", .value = row[1], .partition = 0, .sequence = sequence}).value();
  }
  // Acknowledged: on stable storage. A row that a kill leaves here is not sent again, by its number.
  const auto last = producer.last_sequence(orders_log).value();
  if (last) database.run("DELETE FROM outbox WHERE id <= ? + 1", {std::to_string(*last)});
}

// The log has the orders of the database, once each and in order.
void compare(Database& database, const seriatim::Engine& engine) {
  const auto messages = values_of(engine, "orders");
  const auto orders = database.run("SELECT name FROM orders ORDER BY id");
  check(messages.size() == orders.size(), "one message for each order");
  for (std::size_t i = 0; i < orders.size(); ++i)
    check(messages[i] == "ordered: " + orders[i][0], "the messages in the order of the orders");
  std::printf("%zu orders, as many messages\n", orders.size());
}

void fill_and_empty_the_outbox(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "orders", .if_not_exists = true}).value();
  Database database((directory.string() + ".sqlite"));
  database.run("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, name TEXT)");
  database.run("CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT)");

  seriatim::Producer producer = engine.producer({.name = "outbox"}).value();
  relay(database, producer);  // Relays the rest of the last run.
  const int known = std::stoi(database.run("SELECT count(*) FROM orders")[0][0]);
  for (int i = 0; i < orders_per_run; ++i) {
    take_order(database, "order " + std::to_string(known + i));
    if (i % 10 == 9) relay(database, producer);
  }
  compare(database, engine);
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, fill_and_empty_the_outbox); }
