// Files that somebody has put beside those that a clean close left.
#include <filesystem>
#include <limits>

#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {
namespace {

// Closed cleanly with the offsets 0 to 3.
struct ClosedFixture : WriterFixture {
  ClosedFixture() : WriterFixture(100'000) {
    open();
    for (int i = 0; i < 4; ++i) put("k", "v");
    close();
    request.stop = segment::LastStop::clean;
  }
};

TEST_CASE("a foreign file without a sound batch is moved aside, told first, and takes no offset") {
  struct Case {
    Offset base;
    std::string bytes;
  };
  const std::string garbage(90, 'x');
  const std::string zeros(4096, '\0');
  for (const Case& row :
       {Case{1000, garbage}, Case{1000, ""}, Case{1000, zeros}, Case{2, garbage}, Case{2, ""}}) {
    CAPTURE(row.base);
    CAPTURE(row.bytes.size());
    ClosedFixture f;
    const std::string path = f.path(row.base);
    write_file(path, base::as_bytes(std::string_view(row.bytes)));
    f.open();
    REQUIRE_FALSE(f.world->reports.empty());
    CHECK(f.world->reports.front().find(path) == 0);
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(read_file(path + ".damaged").size() == row.bytes.size());
    CHECK_FALSE(f.partition->damage());
    CHECK(offsets_of(f.rows()) == std::vector<Offset>{0, 1, 2, 3});
    CHECK(f.put("new", "1").base_offset == 4);
  }
}

TEST_CASE("a foreign file without a sound batch where the log ends is set aside, too") {
  ClosedFixture f;
  write_file(f.path(4), base::as_bytes(std::string_view("no batch")));
  f.open();
  CHECK(f.world->reports.front().find(f.path(4)) == 0);
  CHECK(read_file(f.path(4) + ".damaged").size() == 8);
  CHECK(f.put("new", "1").base_offset == 4);
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{0, 1, 2, 3, 4});
}

TEST_CASE("INV-12: a foreign segment with sound batches behind the log is kept whole, the hole is damage") {
  ClosedFixture f;
  const auto log = LogBuilder(1000).batches(3);
  write_file(f.path(1000), log.bytes());
  f.open();
  CHECK(says(f.partition->damage().value_or(""), {f.path(0), "offset 4", "offset 1000"}));
  CHECK(f.put("new", "1").base_offset == 1003);
  const auto kept = read_file(f.path(1000));
  const auto bytes = log.bytes();
  CHECK(std::equal(bytes.begin(), bytes.end(), kept.begin()));
}

TEST_CASE(
    "behind a foreign log that ends where offsets end an append is refused and the log stays readable") {
  constexpr Offset base = std::numeric_limits<Offset>::max() - 10;
  ClosedFixture f;
  std::filesystem::remove(f.path(0));
  write_log_file(f.path(base), LogBuilder(base).batches(3));
  f.open();
  const auto refused = f.try_put({{"k", "v"}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_state);
  CHECK(says(refused.error().message(), {f.request.directory, "ends at offset", "seriatim verify"}));
}

}  // namespace
}  // namespace seriatim::test
