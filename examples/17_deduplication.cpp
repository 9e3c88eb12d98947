// A client that got no answer sends its order again, maybe hours later and to another run of the program: the
// order is booked once, and the client gets the answer of the first time.
#include <optional>
#include <string>
#include <vector>

#include "example.hpp"

namespace {

using seriatim::Deduplicator;
using seriatim::Result;
using seriatim::Transaction;

/// Books an order, unless it was booked before.
/// @return the number of its invoice.
std::string book(Deduplicator& orders, const std::string& id, const std::string& order) {
  auto work = orders.begin().value();
  const auto seen = work.once(id, [&](Transaction& transaction) -> Result<std::optional<std::string>> {
    auto booked = transaction.send({.topic = "orders", .key = id, .value = order});
    if (!booked) return booked.error();
    return std::optional("invoice " + std::to_string(booked->offset + 1));
  });
  // The order, its id and the answer become true together.
  work.commit().value();
  return seen.value().result.value_or("");
}

/// A run of the program, to which the client sends all orders that it has no answer for.
std::vector<std::string> run(const std::filesystem::path& directory, int first, int last) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "orders", .if_not_exists = true}).value();
  Deduplicator orders =
      Deduplicator::open(engine, {.name = "orders", .window_time = std::chrono::hours(24)}).value();
  std::vector<std::string> answers;
  for (int i = first; i < last; ++i)
    answers.push_back(book(orders, "order-" + std::to_string(i), std::to_string(i) + " apples"));
  std::printf("%d orders: %llu booked, %llu sent again\n", last - first,
              static_cast<unsigned long long>(orders.counts().firsts),
              static_cast<unsigned long long>(orders.counts().duplicates));
  return answers;
}

void book_once(const std::filesystem::path& directory) {
  const auto before = run(directory, 0, 10);
  const auto after = run(directory, 5, 15);
  for (std::size_t i = 0; i < 5; ++i) check(after[i] == before[i + 5], "the answer of the first time");
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  check(values_of(engine, "orders").size() == 15, "every order booked once");
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, book_once); }
