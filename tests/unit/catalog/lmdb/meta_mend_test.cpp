#include "catalog/lmdb/meta_mend.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "catalog/lmdb/data_file_check.hpp"
#include "support/child_process.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

CatalogOptions mending_options() {
  CatalogOptions with = options();
  with.write_synced = [](const std::string& file, std::uint64_t position,
                         base::ByteSpan bytes) -> Result<void> {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(position));
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (out.flush()) return {};
    return Error(Errc::io_error, "writing " + file);
  };
  return with;
}

// A catalog whose topics t0, t1, ... say how many states it has been through.
struct Steps : MadeCatalog {
  std::string file = path + "/data.mdb";
  int topics = 0;
  explicit Steps(int count) {
    for (; topics < count; ++topics) add();
  }
  void add() const {
    Catalog catalog = must(Catalog::open(path, mending_options()));
    must(catalog.create_topic(topic_record("t" + std::to_string(topics), 1U + std::uint32_t(topics), 2)));
  }
  lmdb::Meta meta() const { return must(check_meta_pages(path)); }
  std::uint64_t newer_at() const { return meta().transaction % 2 * 4'096; }
};

std::size_t topics_seen(const std::string& path, const CatalogOptions& with) {
  const Result<Catalog> catalog = Catalog::open(path, with);
  const std::string message = catalog ? std::string() : catalog.error().message();
  CAPTURE(message);
  REQUIRE(catalog.ok());
  return must(catalog->topics()).size();
}

// Leaves the file as LMDB does when it could not write a meta page: the new roots under the number and the
// last page that were there.
void take_back_newest(const Steps& made) {
  const lmdb::Meta newest = made.meta();
  patch(made.file, made.newer_at() + 144, newest.transaction - 2);
}

TEST_CASE("a commit whose meta page could not be written is there after the next open for writing") {
  for (const bool is_last_page_old : {false, true}) {
    CAPTURE(is_last_page_old);
    Steps made(3);
    take_back_newest(made);
    const std::uint64_t spoilt_at = 4'096 - made.newer_at();
    if (is_last_page_old) patch(made.file, spoilt_at + 136, std::uint64_t{2});
    CHECK(topics_seen(made.path, options(Access::read_only)) == 2);  // As LMDB does.
    CHECK(topics_seen(made.path, mending_options()) == 3);
    CHECK(topics_seen(made.path, options(Access::read_only)) == 3);
    made.add();
    CHECK(topics_seen(made.path, mending_options()) == 4);
  }
}

TEST_CASE("without a way to write, a writer refuses what it would have to mend, and changes nothing") {
  const Steps made(3);
  take_back_newest(made);
  const std::string bytes = read_all(made.file);
  const Result<Catalog> opened = Catalog::open(made.path, options());
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code() == Errc::corrupt_metadata);
  CHECK(opened.error().message().find("the last that was stored") != std::string::npos);
  CHECK(read_all(made.file) == bytes);
}

TEST_CASE("no bit of the number of a meta page brings an older state back, nor a state that never was") {
  for (int bit = 0; bit < 64; ++bit) {
    for (const bool is_newer : {true, false}) {
      CAPTURE(bit);
      CAPTURE(is_newer);
      const Steps made(3);
      const std::uint64_t at = (is_newer ? made.newer_at() : 4'096 - made.newer_at()) + 144;
      const std::uint64_t number = made.meta().transaction - (is_newer ? 0 : 1);
      patch(made.file, at, number ^ (std::uint64_t{1} << bit));
      CHECK(topics_seen(made.path, mending_options()) == 3);
      CHECK(topics_seen(made.path, options(Access::read_only)) == 3);
    }
  }
}

TEST_CASE("of the older meta page every byte may be damaged: nothing is lost") {
  const Steps made(3);
  const std::string whole = read_all(made.file);
  const std::uint64_t older_at = 4'096 - made.newer_at();
  for (std::size_t at = 0; at < lmdb::meta_bytes; ++at) {
    CAPTURE(at);
    std::string bytes = whole;
    bytes[older_at + at] = static_cast<char>(~bytes[older_at + at]);
    write_all(made.file, bytes);
    CHECK(topics_seen(made.path, mending_options()) == 3);
    CHECK(topics_seen(made.path, options(Access::read_only)) == 3);
  }
}

TEST_CASE("of the newer meta page any byte may be damaged: all is there, or the open is refused") {
  const Steps made(3);
  const std::string whole = read_all(made.file);
  const std::uint64_t newer_at = made.newer_at();
  for (std::size_t at = 0; at < lmdb::meta_bytes; ++at) {
    CAPTURE(at);
    std::string bytes = whole;
    bytes[newer_at + at] = static_cast<char>(~bytes[newer_at + at]);
    write_all(made.file, bytes);
    const Result<Catalog> opened = Catalog::open(made.path, mending_options());
    if (opened.ok()) {
      CHECK(must(opened->topics()).size() == 3);
    } else {
      const Errc code = opened.error().code();
      CHECK((code == Errc::corrupt_metadata || code == Errc::unsupported_version));
    }
  }
}

TEST_CASE(
    "where a process that has it open keeps LMDB at the older state, the later one is given up for good") {
  Steps made(3);
  // Opened when there were only two: its reader table goes on telling LMDB so.
  test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
    take_back_newest(made);
    const Result<Catalog> reader = Catalog::open(made.path, options(Access::read_only));
    voice.say(reader && reader->topics()->size() == 2 ? "2" : "!");
    voice.sleep_until_killed();
  });
  REQUIRE(child.hear(1) == "2");
  CHECK(topics_seen(made.path, mending_options()) == 2);
  CHECK_FALSE(must(find_meta_mend(made.path)).has_value());
  child.kill();
  CHECK(topics_seen(made.path, mending_options()) == 2);
}

}  // namespace
}  // namespace seriatim::catalog
