#include "catalog/lmdb/page_walk.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "catalog/lmdb/data_file_check.hpp"
#include "support/child_process.hpp"
#include "support/random.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

// In memory where there is such a file system: thousands of commits here test pages, not the disk.
class MemoryDir {
 public:
  MemoryDir() {
    const std::string in_memory = "/dev/shm";
    const bool has_memory = std::filesystem::is_directory(in_memory);
    path_ =
        (has_memory ? in_memory : std::filesystem::temp_directory_path().string()) + "/seriatim-test-XXXXXX";
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  ~MemoryDir() {
    std::error_code ignored;  // as TempDir
    std::filesystem::remove_all(path_, ignored);
  }
  MemoryDir(const MemoryDir&) = delete;
  MemoryDir& operator=(const MemoryDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct FilledCatalog {
  MemoryDir dir;
  std::string path;
  std::string file;
  FilledCatalog() : path(dir.path() + "/catalog"), file(path + "/data.mdb") {
    make_catalog(path);
    Catalog catalog = must(Catalog::open(path, options()));
    fill(catalog, 60);
  }
};

// Its half of told().
std::string told_of_producers(const Catalog& catalog) {
  const auto end = catalog.producer_id_end();
  const auto producers = catalog.named_producers();
  const auto ids = catalog.transactional_ids();
  const auto names = state_names(catalog);
  if (!end || !producers || !ids || !names) return {};
  std::string all = std::to_string(*end);
  for (const auto& [name, producer] : *producers) all += name + encode(producer);
  for (const auto& [id, record] : *ids) all += id + encode(record);
  for (const std::string& name : *names) {
    const auto state = scan_state(catalog, name, {}, 1'000);
    if (!state) return {};
    all += name;
    for (const auto& [key, value] : *state) {
      all.append(base::as_text(key)).append(base::as_text(value));
      if (state_value(catalog, name, key).value_or(std::nullopt) != value) return {};
    }
  }
  return all;
}

// Everything a catalog says of itself, or the empty text if any part of it cannot be read.
std::string told(const Catalog& catalog) {
  std::string all;
  const auto topics = catalog.topics();
  const auto deleted = catalog.deleted_topics();
  const auto groups = catalog.groups();
  const auto engine = catalog.engine();
  if (!topics || !deleted || !groups || !engine) return {};
  all += encode(*engine);
  for (const TopicRecord& topic : *deleted) all += encode(topic);
  for (const TopicRecord& topic : *topics) {
    all += encode(topic);
    const auto states = catalog.partition_states(topic.name);
    if (!states) return {};
    for (const PartitionState& state : *states) all += encode(state);
    if (catalog.topic(topic.name).value_or(TopicRecord{}) != topic) return {};
  }
  for (const std::string& group : *groups) {
    const auto offsets = catalog.group_offsets(group);
    if (!offsets) return {};
    for (const auto& [at, committed] : *offsets) all += at.topic + encode(committed);
  }
  const std::string newer = told_of_producers(catalog);
  return newer.empty() ? std::string() : all + newer;
}

TEST_CASE("the walk accounts for every page: two meta pages, used ones, free ones, no other") {
  const FilledCatalog made;
  const lmdb::Meta meta = must(check_meta_pages(made.path));
  const PageCount pages = must(walk_pages(made.path, meta, any_value));
  CHECK(pages.used > 10);
  CHECK(pages.free > 0);
  CHECK(pages.used + pages.free + lmdb::meta_pages == meta.last_page + 1);
}

TEST_CASE("a page that is damaged in one known way is reported with file and page") {
  const FilledCatalog made;
  const std::string whole = read_all(made.file);
  const lmdb::Meta meta = must(check_meta_pages(made.path));
  const std::uint64_t root = meta.main_tree.root * 4'096;
  struct Row {
    std::string what;
    std::uint64_t position;
    std::uint16_t value;
    const char* part_of_message;
  };
  const std::vector<Row> rows{
      {"number", root, 0xffff, "another page's number"},
      {"flags", root + 10, 1, "page flags 1"},
      {"lower odd", root + 12, 17, "its bounds"},
      {"lower large", root + 12, 5'000, "its bounds"},
      {"empty", root + 12, 16, "its bounds"},
      {"upper", root + 14, 4'098, "its bounds"},
      {"upper low", root + 14, 100, "nodes overlap"},
      {"node outside", root + 16, 4'092, "lies outside"},
      {"node odd", root + 16, 4'001, "lies outside"},
      {"node low", root + 16, 20, "lies outside"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    patch(made.file, row.position, row.value);
    const Result<PageCount> walked = walk_pages(made.path, meta, any_value);
    write_all(made.file, whole);
    REQUIRE_FALSE(walked.ok());
    CHECK(walked.error().code() == Errc::corrupt_metadata);
    CAPTURE(walked.error().message());
    CHECK(walked.error().message().find(row.part_of_message) != std::string::npos);
    CHECK(walked.error().message().find(made.file + ", page ") != std::string::npos);
  }
  CHECK(walk_pages(made.path, meta, any_value).ok());
}

TEST_CASE("keys that are out of order are reported, within a page and against the branch above") {
  const FilledCatalog made;
  const std::string whole = read_all(made.file);
  const lmdb::Meta meta = must(check_meta_pages(made.path));
  for (int topic = 0; topic < 60; topic += 7) {
    CAPTURE(topic);
    // Wherever the name is, also in pages no longer in use: no key of a topic may begin with anything but
    // "topic".
    const std::string key = "topic-" + std::to_string(topic);
    for (std::size_t at = whole.find(key); at != std::string::npos; at = whole.find(key, at + 1)) {
      patch(made.file, at, topic % 2 == 0 ? 'z' : 'a');
    }
    const Result<PageCount> walked = walk_pages(made.path, meta, any_value);
    write_all(made.file, whole);
    REQUIRE_FALSE(walked.ok());
    CAPTURE(walked.error().message());
    CHECK(walked.error().message().find("is out of order") != std::string::npos);
    CHECK(walked.error().message().find("database \"topics\"") == 0);
  }
}

TEST_CASE("pages that point at each other in a circle end the walk") {
  const FilledCatalog made;
  const lmdb::Meta meta = must(check_meta_pages(made.path));
  for (const std::uint64_t position : pages_of_kind(made.file, lmdb::page_branch)) {
    // The first child of every branch becomes the branch itself.
    const std::string bytes = read_all(made.file);
    const auto node = lmdb::load<std::uint16_t>(base::as_bytes(bytes), position + 16);
    patch(made.file, position + node, static_cast<std::uint16_t>(position / 4'096));
  }
  const Result<PageCount> walked = walk_pages(made.path, meta, any_value);
  REQUIRE_FALSE(walked.ok());
  CHECK(walked.error().message().find("it is used in two places") != std::string::npos);
}

// A flipped bit anywhere in the file leads to one of two: the right answer or an error, and in any case an
// end without a crash, also if the catalog is then written to.
char outcome_of_flip(const FilledCatalog& made, const std::string& expected) {
  Result<Catalog> opened = Catalog::open(made.path, options());
  if (!opened) return 'e';
  const std::string all = told(*opened);
  const bool is_wrong = !all.empty() && all != expected;
  const std::vector<OffsetCommit> commits{{{"new", 0}, {1, "", 0}}};
  bool is_written = opened->create_topic(topic_record("new", 1'000)).ok();
  is_written = commit_offsets(*opened, "group", commits).ok() && is_written;
  is_written = opened->mark_deleted("topic-7").ok() && is_written;
  if (is_wrong) return 'W';
  return !all.empty() && is_written ? 'o' : 'e';
}

TEST_CASE("a flipped bit anywhere in the file is noticed or harmless, and never ends the process") {
  const FilledCatalog made;
  const std::string whole = read_all(made.file);
  const std::string expected = told(must(Catalog::open(made.path, options())));
  REQUIRE_FALSE(expected.empty());
  test::Random random("a flipped bit anywhere in the file is noticed or harmless");
  std::map<char, int> outcomes;
  for (int batch = 0; batch < 15; ++batch) {
    std::vector<std::uint64_t> bits;
    for (int i = 0; i < 100; ++i) {
      bits.push_back(
          static_cast<std::uint64_t>(random.between(0, static_cast<std::int64_t>(whole.size() * 8) - 1)));
    }
    test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
      for (const std::uint64_t bit : bits) {
        std::string damaged = whole;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        // A new file each time: the environment of an abandoned catalog keeps the old one mapped.
        std::filesystem::remove(made.file);
        std::ofstream(made.file, std::ios::binary)
            .write(damaged.data(), static_cast<std::streamsize>(damaged.size()));
        const char outcome = outcome_of_flip(made, expected);
        voice.say({outcome});
      }
    });
    const std::string heard = child.hear_all();
    CAPTURE(bits);
    CAPTURE(heard);
    CHECK(heard.size() == bits.size());
    CHECK(child.wait() == 0);
    for (const char outcome : heard) ++outcomes[outcome];
  }
  CHECK(outcomes['W'] == 0);
  CHECK(outcomes['e'] > 100);
  CHECK(outcomes['o'] > 0);
}

}  // namespace
}  // namespace seriatim::catalog
