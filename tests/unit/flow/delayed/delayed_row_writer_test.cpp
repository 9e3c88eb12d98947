// Changes of rows: one at a time, and none behind one that nobody knows the end of.
#include "flow/delayed/delayed_row_writer.hpp"

#include <doctest/doctest.h>

#include "directory/background.hpp"
#include "flow/own_tables.hpp"
#include "support/fault_vfs.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

Result<> put_one(Transaction& transaction, const std::string& key) {
  return flow::own_table(transaction, "__rows").put(key, "v");
}

struct WriterFixture {
  TempDir dir{};
  FaultVfs vfs{};
  Engine engine = open_engine_with(dir / "data", vfs, base::system_clock(),
                                   {.journal_max_bytes = 1U << 20U, .journal_file_bytes = 64U << 10U});
};

}  // namespace

TEST_CASE("a change of rows that fails changes nothing, and the next one goes on") {
  WriterFixture f;
  flow::DelayedRowWriter writer(transactional(f.engine));
  int committed = 0;
  auto turn = must(writer.begin());
  const auto refused = turn.change(
      [](Transaction& transaction) -> Result<> {
        must(put_one(transaction, "a"));
        return Error(Errc::invalid_record, "no");
      },
      [&] { ++committed; });
  CHECK(code_of(refused) == Errc::invalid_record);
  must(turn.change([](Transaction& transaction) { return put_one(transaction, "b"); }, [&] { ++committed; }));
  CHECK(committed == 1);
  CHECK_FALSE(state_text(f.engine, "__rows", "a"));
  CHECK(state_text(f.engine, "__rows", "b") == "v");
}

TEST_CASE("behind a commit that may have been stored no row is changed before that is known") {
  int unknown = 0;
  for (std::int64_t after = 0; after < 6; ++after) {
    WriterFixture f;
    detail::EngineImpl::of(f.engine)->background->stop();
    flow::DelayedRowWriter writer(transactional(f.engine));
    int committed = 0;
    const auto change = [&](const std::string& key) -> Result<> {
      auto turn = writer.begin();
      if (!turn) return turn.error();
      return turn->change([&](Transaction& transaction) { return put_one(transaction, key); },
                          [&] { ++committed; });
    };
    must(change("first"));
    f.vfs.arm({.calls = Calls::takes, .error = ENOSPC, .after = after, .for_ever = true});
    // Large enough that the journal needs another file sooner or later.
    Result<> changed;
    for (int i = 0; changed && i < 400; ++i)
      changed = change("key " + std::to_string(i) + std::string(300, 'x'));
    const bool is_unknown = !changed && changed.error().outcome() == Outcome::unknown;
    if (is_unknown) {
      ++unknown;
      const int before = committed;
      CHECK(code_of(change("second")) == changed.error().code());
      CHECK_FALSE(state_text(f.engine, "__rows", "second"));
      f.vfs.heal();
      must(change("third"));
      CHECK(committed == before + 2);
      CHECK(state_text(f.engine, "__rows", "third") == "v");
    }
    f.vfs.heal();
  }
  CHECK(unknown > 0);
}

}  // namespace seriatim::test
