// State as it is read: what transactions changed last, over what a checkpoint has stored.
#include <seriatim/state.hpp>

#include <doctest/doctest.h>

#include "support/random.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

using StateModel = std::map<std::string, std::string>;

StateModel scan_all(const State& state, std::size_t page) {
  StateModel found;
  std::vector<std::byte> from;
  for (;;) {
    const auto entries = must(state.scan(BytesView(std::span<const std::byte>(from)), page));
    for (const auto& entry : entries) {
      const bool is_new = found
                              .emplace(BytesView(std::span<const std::byte>(entry.key)).text(),
                                       BytesView(std::span<const std::byte>(entry.value)).text())
                              .second;
      CHECK(is_new);
    }
    if (entries.size() < page) return found;
    from = entries.back().key;
    from.push_back(std::byte{0});
  }
}

}  // namespace

TEST_CASE("a state is what its transactions left, before and after checkpoints and restarts") {
  Random random("state against a map");
  const TempDir dir;
  StateModel model;
  for (int life = 0; life < 4; ++life) {
    Engine engine = open_engine(dir / "data");
    TransactionalProducer producer = transactional(engine, "worker", Acks::leader);
    const State state = must(engine.state("table"));
    for (int round = 0; round < 30; ++round) {
      Transaction transaction = must(producer.begin());
      StateModel changed = model;
      for (int i = 0; i < 5; ++i) {
        const std::string key = "key-" + std::to_string(random.between(0, 39));
        if (random.one_in(3)) {
          must(transaction.state("table").erase(key));
          changed.erase(key);
        } else {
          changed[key] = std::to_string(random.between(0, 999));
          must(transaction.state("table").put(key, changed[key]));
        }
      }
      if (random.one_in(4)) {
        must(transaction.abort());
      } else {
        must(transaction.commit());
        model = changed;
      }
      if (random.one_in(5)) must(detail::EngineImpl::of(engine)->checkpointer->checkpoint());
      CHECK(scan_all(state, static_cast<std::size_t>(random.between(1, 50))) == model);
    }
    if (life % 2 == 0) must(engine.close());
  }
}

TEST_CASE("a scan of any length merges what is newer, erased or replaced into what the catalog has") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  TransactionalProducer producer = transactional(engine, "worker", Acks::leader);
  StateModel model;
  const auto key_of = [](int i) { return "key-" + std::to_string(10'000 + i); };
  constexpr int keys = 1'000;
  // Every third is in the catalog alone, every third replaced, every third new; then a run of them is erased.
  const auto change = [&](const auto& is_changed, const char* value) {
    Transaction transaction = must(producer.begin());
    for (int i = 0; i < keys; ++i) {
      if (!is_changed(i)) continue;
      must(transaction.state("table").put(key_of(i), value));
      model[key_of(i)] = value;
    }
    must(transaction.commit());
  };
  change([](int i) { return i % 3 != 2; }, "old");
  must(detail::EngineImpl::of(engine)->checkpointer->checkpoint());
  change([](int i) { return i % 3 != 0; }, "new");
  Transaction erasing = must(producer.begin());
  for (int i = 300; i < 700; ++i) {
    must(erasing.state("table").erase(key_of(i)));
    model.erase(key_of(i));
  }
  must(erasing.commit());
  const State state = must(engine.state("table"));
  for (const std::size_t page : {1U, 7U, 128U, 129U, 5'000U}) {
    CAPTURE(page);
    CHECK(scan_all(state, page) == model);
  }
}

TEST_CASE("another process sees committed state once it was stored") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  TransactionalProducer producer = transactional(engine);
  Transaction transaction = must(producer.begin());
  must(transaction.state("t").put("k", "v"));
  must(transaction.commit());
  must(detail::EngineImpl::of(engine)->checkpointer->store_commits());
  // The same process may not have it open twice.
  const TempDir copies;
  const Engine reader = open_engine(copy_of(engine, copies), {.mode = OpenMode::read_only});
  CHECK(state_text(reader, "t", "k") == "v");
}

TEST_CASE("names and keys outside their ranges are refused") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  CHECK(code_of(engine.state("")) == Errc::invalid_argument);
  CHECK(code_of(engine.state(std::string(101, 'n'))) == Errc::invalid_argument);
  const State state = must(engine.state("t"));
  CHECK(code_of(state.get("")) == Errc::invalid_argument);
  CHECK(code_of(state.get(std::string(401, 'k'))) == Errc::invalid_argument);
  CHECK_FALSE(must(state.get("k")));
  CHECK(must(state.scan({}, 10)).empty());
}

}  // namespace seriatim::test
