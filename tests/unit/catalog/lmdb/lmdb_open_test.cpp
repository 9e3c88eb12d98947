#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/lmdb/data_file_check.hpp"
#include "catalog/records/share_rows.hpp"
#include "catalog/stored_share.hpp"
#include "support/child_process.hpp"
#include "support/mounted.hpp"
#include "unit/catalog/made_catalog.hpp"
#include "unit/catalog/old_catalog.hpp"

namespace seriatim::catalog {
namespace {

struct OneTopic : MadeCatalog {
  OneTopic() {
    Catalog catalog = open();
    must(catalog.create_topic(topic_record("t", 1, 2)));
  }
};

TEST_CASE("a catalog is open once per process, whatever the access, and free again when it is closed") {
  const OneTopic made;
  for (const Access first : {Access::read_write, Access::read_only}) {
    for (const Access second : {Access::read_write, Access::read_only}) {
      const Catalog catalog = must(Catalog::open(made.path, options(first)));
      const Result<Catalog> again = Catalog::open(made.path + "/../catalog", options(second));
      REQUIRE_FALSE(again.ok());
      CHECK(again.error().code() == Errc::invalid_state);
      CHECK(catalog.topic("t").ok());
    }
  }
  CHECK(Catalog::open(made.path, options()).ok());
}

TEST_CASE("a failed open leaves the directory free for the next one") {
  const OneTopic made;
  const std::string whole = read_all(made.path + "/data.mdb");
  write_all(made.path + "/data.mdb", "nothing");
  CHECK_FALSE(Catalog::open(made.path, options()).ok());
  write_all(made.path + "/data.mdb", whole);
  CHECK(Catalog::open(made.path, options()).ok());
}

TEST_CASE("an LMDB file of somebody else is a clear error") {
  const OneTopic made;
  const std::string other = made.dir / "other";
  std::filesystem::create_directory(other);
  CatalogOptions with = options();
  // Sound, and with none of our databases: the main tree of a catalog, cut out of it.
  must(create_catalog(other, id_of(3), real_files()));
  const std::string file = other + "/data.mdb";
  std::string bytes = read_all(file);
  for (std::size_t at = bytes.find("deleted_topics"); at != std::string::npos;
       at = bytes.find("deleted_topics", at + 1)) {
    bytes[at + 13] = 'z';
  }
  write_all(file, bytes);
  const Result<Catalog> opened = Catalog::open(other, with);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code() == Errc::corrupt_metadata);
  CHECK(opened.error().message().find("database \"deleted_topics\" is missing") != std::string::npos);
}

TEST_CASE("another process reads whole states while this one writes") {
  const OneTopic made;
  Catalog writer = must(Catalog::open(made.path, options()));
  must(commit_offsets(writer, "g", {{{"t", 0}, {1, "", 0}}, {{"t", 1}, {1, "", 0}}}));
  test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
    // Opening anew each time: the check of all pages must hold beside a writer too.
    Offset last = 0;
    int moves = 0;
    // Goes on until it has opened often and seen the writer move; a writer that stands still ends it too.
    for (int opens = 0; opens < 100'000 && (opens < 40 || moves < 5); ++opens) {
      const Result<Catalog> reader = Catalog::open(made.path, options(Access::read_only));
      if (!reader) voice.say("open: " + reader.error().message());
      for (int read = 0; reader && read < 20; ++read) {
        const auto offsets = reader->group_offsets("g");
        if (!offsets || offsets->size() != 2) {
          voice.say("read");
          continue;
        }
        const Offset first = offsets->at({"t", 0}).offset;
        if (first != offsets->at({"t", 1}).offset || first < last) voice.say("torn");
        if (first != last) ++moves;
        last = first;
      }
    }
    voice.say(moves >= 5 ? "saw it move" : "saw nothing move");
  });
  std::atomic<bool> is_done{false};
  std::string heard;
  std::thread listener([&] {
    heard = child.hear_all();
    is_done = true;
  });
  for (Offset i = 2; !is_done; ++i) {
    CHECK(commit_offsets(writer, "g", {{{"t", 0}, {i, "", 0}}, {{"t", 1}, {i, "", 0}}}).ok());
  }
  listener.join();
  CHECK(heard == "saw it move");
}

// A child that owns nothing in the test's directory and may write nowhere in it.
std::string as_nobody(const std::function<std::string()>& what) {
  test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
    constexpr uid_t nobody = 65'534;
    if (::geteuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) ::_exit(2);
    voice.say(what());
  });
  return child.hear_all();
}

TEST_CASE("a directory that may only be read is read, without LMDB's lock file, also beside a writer") {
  const OneTopic made;
  ::chmod(made.dir.path().c_str(), 0755);
  ::chmod(made.path.c_str(), 0555);
  ::chmod((made.path + "/data.mdb").c_str(), 0444);
  ::chmod((made.path + "/lock.mdb").c_str(), 0444);
  const auto look = [&]() -> std::string {
    const Result<Catalog> catalog = Catalog::open(made.path, options(Access::read_only));
    if (!catalog) return catalog.error().message();
    const auto usage = catalog->usage();
    if (!usage || !usage->lock_free) return "not lock free";
    for (int i = 0; i < 200; ++i) {
      const auto topics = catalog->topics();
      if (!topics) return topics.error().message();
      if (topics->size() != 1) return "wrong topics";
    }
    return "read";
  };
  CHECK(as_nobody(look) == "read");
  CHECK(as_nobody([&]() -> std::string {
          const Result<Catalog> catalog = Catalog::open(made.path, options());
          return catalog ? "opened" : std::string(catalog.error().name());
        }) == "PERMISSION_DENIED");

  if (::geteuid() == 0) {
    Catalog writer = must(Catalog::open(made.path, options()));
    std::atomic<bool> is_done{false};
    std::thread committer([&] {
      for (Offset i = 1; !is_done; ++i) {
        if (!commit_offsets(writer, "g", {{{"t", 0}, {i, "", 0}}})) return;
        // Two commits within one read of the other are what it may answer with an error.
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    CHECK(as_nobody(look) == "read");
    is_done = true;
    committer.join();
  } else {
    MESSAGE("beside a writer: skipped, it needs root");
  }
  ::chmod(made.path.c_str(), 0755);
}

TEST_CASE("a catalog on a read-only file system can be read") {
  const bool is_mounted = test::with_mounted("tmpfs", "size=1m", [](const std::string& root) {
    make_catalog(root + "/catalog");
    must(must(Catalog::open(root + "/catalog", options())).create_topic(topic_record("t", 1)));
    CHECK(::mount("none", root.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0);
    const Result<Catalog> writing = Catalog::open(root + "/catalog", options());
    CHECK_FALSE(writing.ok());
    CHECK((writing.ok() ? Errc{} : writing.error().code()) == Errc::read_only);
    const Result<Catalog> reading = Catalog::open(root + "/catalog", options(Access::read_only));
    CHECK(reading.ok());
    if (reading.ok()) CHECK(reading->topic("t").ok());
    if (reading.ok()) CHECK(must(reading->usage()).lock_free);
  });
  if (!is_mounted) MESSAGE("skipped: mounting a small file system needs root");
}

TEST_CASE("a catalog whose lock file is missing or damaged opens all the same") {
  const OneTopic made;
  std::filesystem::remove(made.path + "/lock.mdb");
  CHECK(must(Catalog::open(made.path, options(Access::read_only))).topic("t").ok());
  for (const std::string& bytes : {std::string(), std::string(100, 'x'), std::string(100'000, '\xff')}) {
    write_all(made.path + "/lock.mdb", bytes);
    CHECK(must(Catalog::open(made.path, options())).topic("t").ok());
  }
}

TEST_CASE("a writer gives an older catalog the databases it lacks, once, and changes nothing else") {
  const test::TempDir dir;
  const std::string path = dir / "catalog";
  make_old_catalog(path, first_databases());
  const lmdb::Meta before = must(check_meta_pages(path));
  CHECK(before.main_tree.entries == first_database_count);
  {
    const Catalog catalog = must(Catalog::open(path, options()));
    check_old_contents(catalog);
    check_no_newer_contents(catalog);
  }
  const lmdb::Meta after = must(check_meta_pages(path));
  CHECK(after.main_tree.entries == database_count);
  CHECK(after.transaction == before.transaction + 1);
  {
    Catalog catalog = must(Catalog::open(path, options()));
    CHECK(must(check_meta_pages(path)).transaction == after.transaction);
    must(catalog.put_named_producer("p", {first_producer_id, 1, 2, 3}));
    must(catalog.put_transactional_id("x", {first_producer_id, 1, 2, 3}));
    CHECK(must(catalog.reserve_producer_ids(1)) == first_producer_id);
  }
  const Catalog catalog = must(Catalog::open(path, options(Access::read_only)));
  check_old_contents(catalog);
  CHECK(must(catalog.named_producers()).size() == 1);
  CHECK(must(catalog.transactional_ids()).size() == 1);
}

TEST_CASE("a catalog of any version is given the databases that came later, and keeps what it has") {
  for (const std::size_t count : database_counts) {
    CAPTURE(count);
    const test::TempDir dir;
    const std::string path = dir / "catalog";
    make_old_catalog(path,
                     {database_names.begin(), database_names.begin() + static_cast<std::ptrdiff_t>(count)});
    {
      const Catalog reader = must(Catalog::open(path, options(Access::read_only)));
      check_old_contents(reader);
      CHECK(must(share_groups(reader)).empty());
      CHECK_FALSE(must(share_progress(reader, "g", id_of(1), 0)).has_value());
    }
    Catalog writer = must(Catalog::open(path, options()));
    check_old_contents(writer);
    CHECK(must(check_meta_pages(path)).main_tree.entries == database_count);
    TableWrites writes;
    put_share_config(writes, "g", base::as_bytes("settings"));
    must(writer.checkpoint({.writes = writes}));
    CHECK(must(share_groups(writer)) == std::vector<std::string>{"g"});
  }
}

TEST_CASE("a reader of an older catalog finds the databases it lacks empty, and leaves it as it is") {
  const test::TempDir dir;
  const std::string path = dir / "catalog";
  make_old_catalog(path, first_databases());
  const std::string bytes = read_all(path + "/data.mdb");
  {
    Catalog catalog = must(Catalog::open(path, options(Access::read_only)));
    check_old_contents(catalog);
    check_no_newer_contents(catalog);
    CHECK(catalog.put_named_producer("p", {}).error().code() == Errc::read_only);
    CHECK(catalog.reserve_producer_ids(1).error().code() == Errc::read_only);
  }
  CHECK(read_all(path + "/data.mdb") == bytes);
}

TEST_CASE("a reader of an older catalog sees what a writer in another process adds to it") {
  const test::TempDir dir;
  const std::string path = dir / "catalog";
  make_old_catalog(path, first_databases());
  const Catalog reader = must(Catalog::open(path, options(Access::read_only)));
  check_no_newer_contents(reader);
  test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
    Result<Catalog> writer = Catalog::open(path, options());
    voice.say(writer && writer->put_named_producer("p", {first_producer_id, 1, 2, 3}) ? "w" : "!");
  });
  REQUIRE(child.hear_all() == "w");
  CHECK(must(reader.named_producer("p")) == NamedProducer{first_producer_id, 1, 2, 3});
  CHECK(must(state_names(reader)).empty());
  check_old_contents(reader);
}

TEST_CASE("a crash at any point of giving an older catalog its databases leaves it old or new, and whole") {
  const test::TempDir dir;
  const std::string path = dir / "catalog";
  const std::string file = path + "/data.mdb";
  make_old_catalog(path, first_databases());
  const std::string before = read_all(file);
  CHECK(Catalog::open(path, options()).ok());
  const std::string after = read_all(file);
  constexpr std::size_t page = 4'096;
  constexpr std::size_t metas = 2 * page;
  REQUIRE(after.size() % page == 0);
  REQUIRE(after != before);
  // A meta page is written when all pages before it are on the disk: until then any of them may be missing.
  for (std::size_t pages = 0; metas + pages * page <= after.size(); ++pages) {
    for (const bool is_first_written : {true, false}) {
      CAPTURE(pages);
      const std::size_t cut = metas + pages * page;
      std::string crashed = before;
      crashed.resize(std::max(before.size(), after.size()), '\0');
      const std::size_t from = is_first_written ? metas : cut;
      const std::size_t to = is_first_written ? cut : after.size();
      crashed.replace(from, to - from, after, from, to - from);
      write_all(file, crashed);
      {
        const Catalog reader = must(Catalog::open(path, options(Access::read_only)));
        check_old_contents(reader);
        check_no_newer_contents(reader);
      }
      Catalog writer = must(Catalog::open(path, options()));
      check_old_contents(writer);
      must(writer.put_named_producer("p", {}));
      CHECK(must(check_meta_pages(path)).main_tree.entries == database_count);
    }
  }
}

TEST_CASE("the databases an older catalog lacks are made also where the map has to grow for them") {
  bool has_grown = false;
  for (std::size_t setting_pages = 0; setting_pages < 16; ++setting_pages) {
    CAPTURE(setting_pages);
    const test::TempDir dir;
    make_old_catalog(dir / "catalog", first_databases(), setting_pages * 4'096);
    CatalogOptions tiny = options();
    tiny.map_bytes = 1;
    Catalog catalog = must(Catalog::open(dir / "catalog", tiny));
    check_old_contents(catalog);
    has_grown = has_grown || must(catalog.usage()).map_bytes > 65'536;
    must(catalog.put_named_producer("p", {first_producer_id, 0, 1, 2}));
    CHECK(must(catalog.named_producers()).size() == 1);
    CHECK(must(catalog.transactional_ids()).empty());
  }
  CHECK(has_grown);
}

TEST_CASE("a database that every catalog had, or one of those made together, is never missed in silence") {
  std::vector<std::vector<std::string>> incomplete;
  for (std::size_t gone = 0; gone < database_count; ++gone) {
    std::vector<std::string> names{database_names.begin(), database_names.end()};
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(gone));
    incomplete.push_back(names);
    if (gone < first_database_count) continue;
    names = first_databases();
    names.emplace_back(database_names[gone]);
    incomplete.push_back(names);
  }
  // Of the databases that came last, one without the other.
  for (const std::size_t count : database_counts) {
    if (count == database_count) continue;
    incomplete.emplace_back(database_names.begin(),
                            database_names.begin() + static_cast<std::ptrdiff_t>(count));
    incomplete.back().emplace_back(database_names.back());
  }
  // As many as an older catalog, but not those.
  incomplete.emplace_back(database_names.begin(), database_names.begin() + first_database_count);
  incomplete.back()[4] = "state";
  for (const std::vector<std::string>& names : incomplete) {
    CAPTURE(names.size());
    const test::TempDir dir;
    const std::string path = dir / "catalog";
    make_old_catalog(path, names);
    const std::string bytes = read_all(path + "/data.mdb");
    for (const Access access : {Access::read_write, Access::read_only}) {
      const Result<Catalog> opened = Catalog::open(path, options(access));
      REQUIRE_FALSE(opened.ok());
      CHECK(opened.error().code() == Errc::corrupt_metadata);
      CHECK(opened.error().message().find("is missing") != std::string::npos);
    }
    CHECK(read_all(path + "/data.mdb") == bytes);
  }
}

TEST_CASE("an older catalog with a damaged value is refused as it is, before anything is added to it") {
  const test::TempDir dir;
  const std::string path = dir / "catalog";
  const std::string file = path + "/data.mdb";
  make_old_catalog(path, first_databases());
  const std::string value =
      encode_value(Database::offsets, offset_key("g", id_of(1), 1), encode(CommittedOffset{5, "m", 6}));
  const std::size_t position = read_all(file).rfind(value);
  REQUIRE(position != std::string::npos);
  patch(file, position + value.size() - 1, 'x');
  const std::string bytes = read_all(file);
  CHECK(Catalog::open(path, options()).error().code() == Errc::corrupt_metadata);
  CHECK(read_all(file) == bytes);
}

}  // namespace
}  // namespace seriatim::catalog
