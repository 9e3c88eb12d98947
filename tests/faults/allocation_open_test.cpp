// Opening a directory with an allocation that fails, each in turn: the answer is an error, and the directory
// is as it was.
#define SERIATIM_DEFINE_FAILING_NEW
#include "faults/failing_new.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <filesystem>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr int transactions = 20;

// Records, a state and positions in transactions: what only the journal has before a checkpoint.
void fill(const Engine& engine) {
  create_topic(engine, "t", 1, {{"segment.bytes", "4096"}});
  TransactionalProducer producer = must(engine.transactional_producer({.transactional_id = "id"}));
  for (int i = 1; i <= transactions; ++i) {
    Transaction transaction = must(producer.begin());
    must(transaction.send({.topic = "t", .value = std::string(500, 'x')}));
    must(transaction.state("s").put("last", std::to_string(i)));
    must(transaction.send_offsets({{t0, {.offset = 0, .metadata = std::to_string(i)}}}, {.group_id = "g"}));
    must(transaction.commit());
  }
}

void check_all_is_there(const Engine& engine) {
  CHECK(read_values(engine, "t").size() == transactions);
  const auto last = must(must(engine.state("s")).get("last"));
  REQUIRE(last);
  CHECK(base::as_text(*last) == std::to_string(transactions));
  const auto offsets = must(engine.admin().group_offsets("g"));
  REQUIRE(offsets.size() == 1);
  CHECK(offsets[0].committed.metadata == std::to_string(transactions));
  CHECK_FALSE(must(engine.admin().verify()).worst().has_value());
}

// Opens copies of `made`, in each with the next allocation failing, until none is left.
void sweep(const std::string& made, OpenMode mode, bool is_clean) {
  const TempDir temp;
  const fs::path path = temp / "data";
  bool is_met = true;
  int errors = 0;
  for (std::int64_t n = 0; is_met; n += SERIATIM_ALLOCATION_STEP) {
    CAPTURE(n);
    fs::remove_all(path);
    fs::copy(made, path, fs::copy_options::recursive);
    bool has_failed = false;
    {
      const auto opened = [&] {
        const NewFails fails(n);
        return Engine::open(path, {.mode = mode});
      }();
      is_met = NewFails::is_met();
      has_failed = !opened;
      if (!opened) {
        ++errors;
        CHECK(opened.error().code() == Errc::out_of_memory);
        CHECK(opened.error().retriable());
      }
      // Nothing of it is left in the process either: no lock, no claim on the catalog.
    }
    if (is_met && n % 5 != 0) continue;  // Each fifth looks at the state that a failed one leaves.
    const Engine engine = must(Engine::open(path));
    // One that went on without what it lacked has closed it.
    if (has_failed) CHECK(detail::EngineImpl::of(engine)->was_clean == is_clean);
    check_all_is_there(engine);
  }
  CHECK(errors > 0);
}

TEST_CASE("memory runs out while a directory is opened that was closed: it is as before, and clean") {
  const TempDir temp;
  {
    const Engine engine = open_engine(temp / "data");
    fill(engine);
    must(engine.close());
  }
  sweep(temp / "data", OpenMode::read_write, true);
}

TEST_CASE("memory runs out while a directory is recovered: nothing that was acknowledged is lost") {
  const TempDir temp;
  {
    const Engine engine = open_engine(temp / "data");
    fill(engine);
    copy_live(temp / "data", temp / "killed");
  }
  sweep(temp / "killed", OpenMode::read_write, false);
}

TEST_CASE("memory runs out while a directory is opened to be read") {
  const TempDir temp;
  {
    const Engine engine = open_engine(temp / "data");
    fill(engine);
    must(engine.close());
  }
  sweep(temp / "data", OpenMode::read_only, true);
}

TEST_CASE("memory runs out while a directory is born: the next open makes it") {
  const TempDir temp;
  bool is_met = true;
  for (std::int64_t n = 0; is_met; n += SERIATIM_ALLOCATION_STEP) {
    CAPTURE(n);
    const fs::path path = temp / ("data" + std::to_string(n));
    {
      const auto opened = [&] {
        const NewFails fails(n);
        return Engine::open(path);
      }();
      is_met = NewFails::is_met();
      if (!opened) CHECK(opened.error().code() == Errc::out_of_memory);
    }
    const Engine engine = must(Engine::open(path));
    create_topic(engine, "t");
    must(engine.close());
    fs::remove_all(path);
  }
}

// Besides the seam of the file system: LMDB and the standard library open files themselves.
TEST_CASE("no descriptor is left while a directory is opened: an error, and the directory is as before") {
  const TempDir temp;
  {
    const Engine engine = open_engine(temp / "data");
    fill(engine);
    copy_live(temp / "data", temp / "killed");
  }
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const fs::path path = temp / "copy";
  bool has_opened = false;
  for (rlim_t limit = 3; !has_opened; ++limit) {
    CAPTURE(limit);
    fs::remove_all(path);
    fs::copy(temp / "killed", path, fs::copy_options::recursive);
    {
      rlimit lower = before;
      lower.rlim_cur = limit;
      REQUIRE(::setrlimit(RLIMIT_NOFILE, &lower) == 0);
      const auto opened = Engine::open(path);
      REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
      has_opened = opened.ok();
      if (!opened) CHECK(opened.error().code() == Errc::too_many_open_files);
    }
    check_all_is_there(must(Engine::open(path)));
  }
}

}  // namespace
}  // namespace seriatim::test
