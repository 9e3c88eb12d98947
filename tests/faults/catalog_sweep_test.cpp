// Each write of LMDB into the catalog fails in turn, in each way there is, and each is where a process dies.
// LMDB calls the system by itself: support/catalog_writes.cpp stands in its way.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "support/catalog_writes.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using detail::EngineImpl;

// A call that was answered ok is certain; where a call failed, both outcomes are possible.
struct Model {
  std::int64_t setting_told = 0;  // of the topic "t", acknowledged
  std::int64_t setting_tried = 0;
  std::map<std::string, std::optional<bool>> topics{};  // whether it is there; nothing: nobody knows
  int records = 0;
  Offset position_told = -1;
  Offset position_tried = -1;
};

EngineOptions quiet_options() {
  return {.maintenance_interval = std::chrono::milliseconds(0),
          .checkpoint_interval = std::chrono::hours(24),
          .journal_max_bytes = 1U << 20,
          .journal_file_bytes = 64U << 10};
}

void change_setting(const Admin& admin, Model& model) {
  ++model.setting_tried;
  const auto done = admin.alter_config("t", {{"retention.bytes", std::to_string(model.setting_tried)}});
  if (done) model.setting_told = model.setting_tried;
}

void change_topics(const Admin& admin, Model& model, const std::string& name) {
  const auto created = admin.create_topic({.name = name});
  model.topics[name] = created.ok() ? std::optional(true) : std::nullopt;
  if (!created || model.topics.size() % 2 == 0) return;
  const auto deleted = admin.delete_topic(name);
  model.topics[name] = deleted.ok() ? std::optional(false) : std::nullopt;
}

void write_and_commit(const Engine& engine, Model& model) {
  auto producer = engine.producer();
  if (producer && producer->send_sync({.topic = "t", .value = "v"})) ++model.records;
  auto consumer = engine.consumer({.group_id = "g"});
  if (!consumer || model.records == 0) return;
  model.position_tried = model.records;
  if (consumer->commit_sync({{t0, {.offset = model.records}}})) model.position_told = model.records;
}

// Everything that the catalog is written for, twice. Goes on whatever fails.
void work_in(const std::string& path, Model& model) {
  for (int session = 0; session < 2; ++session) {
    auto engine = Engine::open(path, quiet_options());
    if (!engine) continue;
    const Admin admin = engine->admin();
    for (int round = 0; round < 2; ++round) {
      change_setting(admin, model);
      change_topics(admin, model, "x" + std::to_string(model.topics.size()));
      write_and_commit(*engine, model);
      static_cast<void>(EngineImpl::of(*engine)->checkpointer->checkpoint().ok());
    }
    static_cast<void>(engine->transactional_producer({.transactional_id = "id"}).ok());
    static_cast<void>(engine->close().ok());
  }
}

void make_data(const std::string& path) {
  const Engine engine = open_engine(path, quiet_options());
  create_topic(engine, "t");
}

void check_facts(const Engine& engine, const Model& model) {
  const Admin admin = engine.admin();
  const auto described = must(admin.describe_topic("t"));
  const auto setting = described.overrides.find("retention.bytes");
  const std::int64_t found = setting == described.overrides.end() ? 0 : std::stoll(setting->second);
  CHECK(found >= model.setting_told);
  CHECK(found <= model.setting_tried);
  const auto names = must(admin.list_topics());
  for (const auto& [name, is_there] : model.topics) {
    CAPTURE(name);
    if (is_there) CHECK((std::find(names.begin(), names.end(), name) != names.end()) == *is_there);
  }
  CHECK(read_values(engine, "t").size() >= static_cast<std::size_t>(model.records));
  const auto offsets = must(admin.group_offsets("g"));
  const Offset position = offsets.empty() ? -1 : offsets[0].committed.offset;
  CHECK(position >= model.position_told);
  CHECK(position <= model.position_tried);
}

// Opens, has everything, takes more, and is sound.
void check_directory(const std::string& path, const Model& model) {
  {
    auto engine = Engine::open(path, quiet_options());
    const std::string message = message_of(engine);
    CAPTURE(message);
    REQUIRE(engine.ok());
    check_facts(*engine, model);
    must(engine->admin().create_topic({.name = "more"}));
    must(must(engine->producer()).send_sync({.topic = "more", .value = "v"}));
    must(engine->close());
  }
  const Engine again = open_engine(path, quiet_options());
  check_facts(again, model);
  CHECK(read_values(again, "more").size() == 1);
  CHECK_FALSE(must(again.admin().verify()).worst().has_value());
}

std::uint64_t calls_of_work() {
  const TempDir directory;
  make_data(directory / "data");
  Model model;
  const CatalogWrites writes;
  work_in(directory / "data", model);
  REQUIRE(model.setting_told == 4);
  REQUIRE(model.records == 4);
  return CatalogWrites::calls();
}

void sweep(WriteFault fault) {
  const std::uint64_t calls = calls_of_work();
  REQUIRE(calls > 30);
  for (std::uint64_t call = 1; call <= calls; call += SERIATIM_SWEEP_STEP) {
    CAPTURE(call);
    const TempDir directory;
    make_data(directory / "data");
    Model model;
    {
      const CatalogWrites writes(call, fault);
      work_in(directory / "data", model);
    }
    check_directory(directory / "data", model);
  }
}

}  // namespace

TEST_CASE("a write of LMDB that fails: the directory opens and has everything that was acknowledged") {
  sweep(WriteFault::fails_with_eio);
}

TEST_CASE("a write of LMDB that arrives and is answered with EIO: the directory opens and has everything") {
  sweep(WriteFault::written_and_eio);
}

TEST_CASE("a write of LMDB that finds no space: the directory opens and has everything") {
  sweep(WriteFault::fails_with_enospc);
}

TEST_CASE("a write of LMDB that is cut short: the directory opens and has everything") {
  sweep(WriteFault::is_short);
}

TEST_CASE("a process that dies at any write of LMDB, also behind one that failed, leaves what opens") {
  const std::uint64_t calls = calls_of_work();
  // Behind a failure LMDB writes once more, over the meta page: dying there is another state.
  for (const std::uint64_t faulty : {std::uint64_t{0}, calls / 3, calls / 3 + 1, calls / 3 + 2}) {
    CAPTURE(faulty);
    const TempDir directory;
    const std::string path = directory / "data";
    make_data(path);
    std::map<std::uint64_t, Model> models;
    Model model;
    {
      const CatalogWrites writes(faulty, WriteFault::written_and_eio);
      CatalogWrites::on_call([&](std::uint64_t call) {
        if (call % SERIATIM_SWEEP_STEP != 0 || (faulty != 0 && (call < faulty || call > faulty + 6))) return;
        models[call] = model;
        copy_live(path, directory / ("at" + std::to_string(call)));
      });
      work_in(path, model);
    }
    for (auto& [call, then] : models) {
      CAPTURE(call);
      // The changes that were on their way then.
      then.setting_tried = model.setting_tried;
      then.position_tried = model.position_tried;
      for (auto& [name, is_there] : then.topics) is_there = std::nullopt;
      check_directory(directory / ("at" + std::to_string(call)), then);
    }
  }
}

}  // namespace seriatim::test
