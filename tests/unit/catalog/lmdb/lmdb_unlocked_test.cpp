// An environment without a lock file: CatalogOptions::has_lock_file.
#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "catalog/lmdb/lmdb_env.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

Result<void> put_values(WriteTransaction& out, int count, const std::string& value) {
  for (int i = 0; i < count; ++i) {
    Result<void> put = out.put(Database::offsets, "k" + std::to_string(i), value);
    if (!put) return put;
  }
  return {};
}

int count_values(const Environment& environment) {
  int count = 0;
  must(environment.read([&](ReadTransaction& in) {
    count = 0;
    return in.scan(Database::offsets, "k", [&](std::string_view key, base::ByteSpan) -> Result<bool> {
      if (!key.starts_with("k")) return false;
      ++count;
      return true;
    });
  }));
  return count;
}

TEST_CASE("without a lock file none is made, and what is written is read by others") {
  const test::TempDir temp;
  CatalogFiles files = real_files();
  files.has_lock_file = false;
  std::filesystem::create_directory(temp / "new");
  must(create_catalog(temp / "new", id_of(1), files));
  must(publish_catalog(temp / "new", temp / "catalog", files));
  CatalogOptions unlocked = options();
  unlocked.has_lock_file = false;
  {
    const auto environment = must(open_environment(temp / "catalog", unlocked));
    must(environment->write(
        [](WriteTransaction& out) { return put_values(out, 100, std::string(100, 'v')); }));
    CHECK(count_values(*environment) == 100);
    CHECK(must(environment->info()).lock_free);
  }
  unlocked.access = Access::read_only;
  CHECK(count_values(*must(open_environment(temp / "catalog", unlocked))) == 100);
  CHECK_FALSE(std::filesystem::exists(temp / "catalog/lock.mdb"));
}

TEST_CASE("without a lock file a writer takes no page from under a reader of its process") {
  const MadeCatalog made;
  CatalogOptions unlocked = options();
  unlocked.has_lock_file = false;
  const std::unique_ptr<Environment> environment = must(open_environment(made.path, unlocked));
  const auto put = [&](const std::string& value) {
    return environment->write([&](WriteTransaction& out) { return put_values(out, 200, value); });
  };
  must(put(std::string(1'000, 'a')));
  std::thread writer;
  std::atomic<int> written{0};
  must(environment->read([&](ReadTransaction& in) -> Result<void> {
    if (!writer.joinable()) {
      writer = std::thread([&] {
        for (char c = 'b'; c < 'i'; ++c) {
          must(put(std::string(1'000, c)));
          written.fetch_add(1);
        }
      });
    }
    // Two commits go by, and no more, however often this looks.
    while (written < 2) std::this_thread::yield();
    for (int round = 0; round < 100; ++round) {
      std::size_t count = 0;
      auto scanned =
          in.scan(Database::offsets, "k", [&](std::string_view, base::ByteSpan value) -> Result<bool> {
            CHECK(base::as_text(value) == std::string(1'000, 'a'));
            ++count;
            return count < 200;
          });
      if (!scanned) return scanned;
    }
    CHECK(written == 2);
    return {};
  }));
  writer.join();
  CHECK(written == 7);
}

}  // namespace
}  // namespace seriatim::catalog
