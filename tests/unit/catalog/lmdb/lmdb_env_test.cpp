#include "catalog/lmdb/lmdb_env.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/child_process.hpp"
#include "support/mounted.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

struct MadeEnvironment : MadeCatalog {
  std::unique_ptr<Environment> open(CatalogOptions with = options()) const {
    return must(open_environment(path, with));
  }
};

Result<void> put_many(WriteTransaction& out, const std::string& prefix, int count, std::size_t bytes) {
  for (int i = 0; i < count; ++i) {
    Result<void> put = out.put(Database::offsets, prefix + std::to_string(i), std::string(bytes, 'v'));
    if (!put) return put;
  }
  return {};
}

std::size_t count_of(const Environment& environment, const std::string& prefix) {
  std::size_t count = 0;
  must(environment.read([&](ReadTransaction& in) {
    count = 0;
    return in.scan(Database::offsets, prefix, [&](std::string_view key, base::ByteSpan) -> Result<bool> {
      if (!key.starts_with(prefix)) return false;
      ++count;
      return true;
    });
  }));
  return count;
}

TEST_CASE("the map grows by itself from the smallest size, and the body runs again from its beginning") {
  const MadeEnvironment made;
  CatalogOptions tiny = options();
  tiny.map_bytes = 1;
  const std::unique_ptr<Environment> environment = made.open(tiny);
  const std::uint64_t before = must(environment->info()).map_bytes;
  CHECK(before <= 131'072);
  int runs = 0;
  must(environment->write([&](WriteTransaction& out) {
    ++runs;
    return put_many(out, "k", 2'000, 1'000);
  }));
  CHECK(runs > 4);
  CHECK(count_of(*environment, "k") == 2'000);
  CHECK(must(environment->info()).map_bytes > 2'000'000);
}

TEST_CASE("the map grows while other threads read and write") {
  const MadeEnvironment made;
  CatalogOptions tiny = options();
  tiny.map_bytes = 1;
  const std::unique_ptr<Environment> environment = made.open(tiny);
  must(environment->write([](WriteTransaction& out) { return put_many(out, "fixed", 10, 100); }));
  std::atomic<bool> is_done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&] {
      while (!is_done) {
        if (count_of(*environment, "fixed") != 10) ++wrong;
      }
    });
  }
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < 10; ++i) {
        const std::string prefix = std::to_string(writer) + "-" + std::to_string(i) + "-";
        if (!environment->write([&](WriteTransaction& out) { return put_many(out, prefix, 100, 1'000); }))
          ++wrong;
      }
    });
  }
  threads[2].join();
  threads[3].join();
  is_done = true;
  threads[0].join();
  threads[1].join();
  CHECK(wrong == 0);
  CHECK(count_of(*environment, "0-") == 1'000);
  CHECK(count_of(*environment, "1-") == 1'000);
}

TEST_CASE("a map that another process has grown is adopted by readers and writers") {
  const MadeEnvironment made;
  CatalogOptions tiny = options();
  tiny.map_bytes = 1;
  for (const bool is_writer : {false, true}) {
    CAPTURE(is_writer);
    test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
      const Result<std::unique_ptr<Environment>> environment = open_environment(made.path, options());
      voice.say("o");
      const std::string prefix = is_writer ? "w" : "r";
      const bool is_written = environment && (*environment)
                                                 ->write([&](WriteTransaction& out) {
                                                   return put_many(out, prefix, 2'000, 1'000);
                                                 })
                                                 .ok();
      voice.say(is_written ? "w" : "!");
    });
    const std::unique_ptr<Environment> environment = made.open(tiny);
    CHECK(child.hear(2) == "ow");
    if (is_writer) {
      must(environment->write([](WriteTransaction& out) { return put_many(out, "mine", 1, 1); }));
    }
    CHECK(count_of(*environment, is_writer ? "w" : "r") == 2'000);
  }
}

TEST_CASE("a copy that came through fork() refuses to work, and its end does not disturb the parent") {
  const MadeEnvironment made;
  std::unique_ptr<Environment> environment = made.open();
  must(environment->write([](WriteTransaction& out) { return put_many(out, "k", 3, 10); }));
  test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
    const auto nothing = [](ReadTransaction&) -> Result<void> { return {}; };
    const Result<void> read = environment->read(nothing);
    const Result<void> written = environment->write([](WriteTransaction&) -> Result<void> { return {}; });
    const bool is_refused = !read && read.error().code() == Errc::invalid_state && !written &&
                            written.error().code() == Errc::invalid_state && !environment->info();
    environment.reset();
    // A fresh one of its own is fine.
    const Result<std::unique_ptr<Environment>> fresh =
        open_environment(made.path, options(Access::read_only));
    voice.say(is_refused && fresh && count_of(**fresh, "k") == 3 ? "refused" : "served");
  });
  CHECK(child.hear_all() == "refused");
  CHECK(child.wait() == 0);
  must(environment->write([](WriteTransaction& out) { return put_many(out, "k", 4, 10); }));
  CHECK(count_of(*environment, "k") == 4);
}

TEST_CASE(
    "a child that was forked in the middle of a write is refused too, and does not wait for the writer") {
  const MadeEnvironment made;
  const std::unique_ptr<Environment> environment = made.open();
  must(environment->write([&](WriteTransaction& out) -> Result<void> {
    test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
      const Result<void> written = environment->write([](WriteTransaction&) -> Result<void> { return {}; });
      voice.say(!written && written.error().code() == Errc::invalid_state ? "refused" : "served");
    });
    CHECK(child.hear_all() == "refused");
    return put_many(out, "k", 1, 1);
  }));
  CHECK(count_of(*environment, "k") == 1);
}

TEST_CASE("after it is closed every call answers closed, and the directory is free for the next one") {
  const MadeEnvironment made;
  const std::unique_ptr<Environment> environment = made.open();
  must(environment->write([](WriteTransaction& out) { return put_many(out, "k", 2, 1); }));
  environment->close();
  environment->close();
  const Result<void> read = environment->read([](ReadTransaction&) -> Result<void> { return {}; });
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code() == Errc::closed);
  const Result<void> written =
      environment->write([](WriteTransaction& out) { return put_many(out, "k", 3, 1); });
  REQUIRE_FALSE(written.ok());
  CHECK(written.error().code() == Errc::closed);
  CHECK(environment->info().error().code() == Errc::closed);
  const std::unique_ptr<Environment> next = made.open();
  CHECK(count_of(*next, "k") == 2);
}

TEST_CASE("a read-only environment refuses to write") {
  const MadeEnvironment made;
  const std::unique_ptr<Environment> environment = made.open(options(Access::read_only));
  const Result<void> written =
      environment->write([](WriteTransaction& out) { return put_many(out, "k", 1, 1); });
  REQUIRE_FALSE(written.ok());
  CHECK(written.error().code() == Errc::read_only);
}

// Rot that comes after the check at open: branches of one child, which LMDB asserts it never meets.
void damage_branches(const std::string& path) {
  const std::string file = path + "/data.mdb";
  const std::vector<std::uint64_t> branches = pages_of_kind(file, lmdb::page_branch);
  REQUIRE_FALSE(branches.empty());
  for (const std::uint64_t position : branches) patch(file, position + 12, std::uint16_t{18});
}

// Writes to the damaged tree while another thread waits for its turn to write, which must end too.
Error meet_damage_with_a_waiter(Environment& environment) {
  std::thread waiter;
  std::atomic<bool> is_waiting{false};
  Result<void> waited;
  const Result<void> written = environment.write([&](WriteTransaction& out) {
    waiter = std::thread([&] {
      is_waiting = true;
      waited = environment.write([](WriteTransaction& other) { return put_many(other, "k", 9, 1); });
    });
    while (!is_waiting) std::this_thread::yield();
    return put_many(out, "k", 9, 1);
  });
  waiter.join();
  return written || waited ? Error(Errc{}, "no error") : written.error();
}

// Reads from, or writes to, the damaged tree and gives the error.
Error meet_damage(Environment& environment, bool is_write) {
  Result<void> met;
  if (is_write) {
    met = environment.write([](WriteTransaction& out) { return put_many(out, "k", 9, 1); });
  } else {
    met = environment.read([](ReadTransaction& in) -> Result<void> {
      const auto value = in.get(Database::offsets, "k250");
      return value ? Result<void>() : value.error();
    });
  }
  return met ? Error(Errc{}, "no error") : met.error();
}

// In a child of its own: what LMDB held when it failed is abandoned, and stays until the process ends.
TEST_CASE("an assertion inside LMDB becomes an error, for readers and for writers, and nobody hangs") {
  for (const bool is_write : {false, true}) {
    CAPTURE(is_write);
    const MadeEnvironment made;
    must(made.open()->write([](WriteTransaction& out) { return put_many(out, "k", 500, 100); }));
    test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
      Result<std::unique_ptr<Environment>> environment = open_environment(made.path, options());
      damage_branches(made.path);
      const Error first =
          is_write ? meet_damage_with_a_waiter(**environment) : meet_damage(**environment, false);
      const bool is_explained = first.message().find("Assertion") != std::string::npos &&
                                first.message().find(made.path) != std::string::npos;
      voice.say(std::string(first.name()) + (is_explained ? " explained" : first.message()));
      // LMDB's writer lock is still held by what failed: whoever waited for it would never return.
      for (const bool is_later_write : {true, false, true}) {
        const Error later = meet_damage(**environment, is_later_write);
        voice.say(later.code() == Errc::corrupt_metadata ? " refused" : " served");
      }
      environment->reset();
      const auto again = open_environment(made.path, options());
      voice.say(!again && again.error().code() == Errc::invalid_state ? " closed" : " open");
    });
    CHECK(child.hear_all() == "CORRUPT_METADATA explained refused refused refused closed");
    CHECK(child.wait() == 0);
  }
}

TEST_CASE("a full disk is storage_full, loses nothing, and is forgotten when there is space again") {
  const bool is_mounted = test::with_mounted("tmpfs", "size=1m", [](const std::string& root) {
    make_catalog(root + "/catalog");
    const std::unique_ptr<Environment> environment = must(open_environment(root + "/catalog", options()));
    CHECK(environment->write([](WriteTransaction& out) { return put_many(out, "before", 10, 100); }).ok());
    write_all(root + "/ballast", std::string(400'000, 'b'));
    // At every fill level: the write is cut short in another place each time.
    for (int kilobytes = 400; kilobytes < 900; kilobytes += 7) {
      const Result<void> written = environment->write([&](WriteTransaction& out) {
        return put_many(out, "during" + std::to_string(kilobytes), kilobytes, 1'000);
      });
      if (!written) CHECK(written.error().code() == Errc::storage_full);
      if (!written) break;
    }
    const Result<void> full =
        environment->write([](WriteTransaction& out) { return put_many(out, "full", 900, 1'000); });
    CHECK_FALSE(full.ok());
    CHECK((full.ok() ? Errc{} : full.error().code()) == Errc::storage_full);
    CHECK(count_of(*environment, "before") == 10);
    CHECK(count_of(*environment, "full") == 0);
    std::filesystem::remove(root + "/ballast");
    CHECK(environment->write([](WriteTransaction& out) { return put_many(out, "after", 50, 1'000); }).ok());
    CHECK(count_of(*environment, "after") == 50);
  });
  if (!is_mounted) MESSAGE("skipped: mounting a small file system needs root");
}

TEST_CASE(
    "a write that fails for another reason latches: nothing is accepted until the catalog is reopened") {
  const MadeEnvironment made;
  test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
    std::signal(SIGXFSZ, SIG_IGN);
    Result<std::unique_ptr<Environment>> environment = open_environment(made.path, options());
    const auto write = [&](const char* prefix) {
      return (*environment)->write([&](WriteTransaction& out) { return put_many(out, prefix, 200, 1'000); });
    };
    // The file may grow by half a page: the write is cut short although the disk has room, which LMDB calls
    // EIO.
    struct rlimit limit {};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = std::filesystem::file_size(made.path + "/data.mdb") + 2'048;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const Result<void> failed = write("a");
    voice.say(std::string(failed.ok() ? "OK" : failed.error().name()) + " ");
    voice.say(failed.ok() || failed.error().outcome() != Outcome::unknown ? "known " : "unknown ");
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const Result<void> later = write("b");
    voice.say(std::string(later.ok() ? "OK" : later.error().name()) + " ");
    environment->reset();
    environment = open_environment(made.path, options());
    voice.say(environment && write("c").ok() && count_of(**environment, "a") == 0 &&
                      count_of(**environment, "c") == 200
                  ? "reopened"
                  : "lost");
  });
  CHECK(child.hear_all() == "STORAGE_FAILED unknown STORAGE_FAILED reopened");
}

TEST_CASE("pages are used again although a reader process was killed in the middle of a read") {
  const MadeEnvironment made;
  const std::unique_ptr<Environment> environment = made.open();
  const auto overwrite = [&] {
    must(environment->write([](WriteTransaction& out) { return put_many(out, "k", 100, 1'000); }));
  };
  overwrite();
  {
    test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
      const Result<std::unique_ptr<Environment>> reader =
          open_environment(made.path, options(Access::read_only));
      if (!reader) voice.say("!");
      const Result<void> read = (*reader)->read([&](ReadTransaction&) -> Result<void> {
        voice.say("r");
        voice.sleep_until_killed();
      });
      if (!read) voice.say("!");
    });
    REQUIRE(child.hear(1) == "r");
    child.kill();
  }
  for (int i = 0; i < 50; ++i) overwrite();
  // Fifty times a hundred kilobytes would not fit into this.
  CHECK(must(environment->info()).used_bytes < 1'500'000);
}

}  // namespace
}  // namespace seriatim::catalog
