#include "os/file/overlay_vfs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "os/file/posix_vfs.hpp"
#include "os/file/small_file.hpp"
#include "support/must.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

using namespace seriatim;
using namespace seriatim::os;
using test::must;

namespace {

std::string text_of(Vfs& vfs, const std::string& path) {
  const auto file = must(vfs.open(path, OpenMode::read));
  std::string text(static_cast<std::size_t>(must(file->size())), '?');
  const auto read = must(file->read_at({reinterpret_cast<std::byte*>(text.data()), text.size()}, 0));
  CHECK(read == text.size());
  return text;
}

struct OverlayFixture {
  OverlayFixture() { must(replace_small_file(posix_vfs(), dir / "a", base::as_bytes("0123456789"))); }
  std::string a() const { return dir / "a"; }
  std::string below() const { return text_of(posix_vfs(), a()); }

  test::TempDir dir;
  OverlayVfs vfs{posix_vfs()};
};

}  // namespace

TEST_CASE("what is written is read, and the file below stays as it is") {
  OverlayFixture f;
  const auto before = must(f.vfs.open(f.a(), OpenMode::read));
  const auto file = must(f.vfs.open(f.a(), OpenMode::read_write));
  must(file->write_at(base::as_bytes("xy"), 3));
  must(file->write_at(base::as_bytes("Z"), 12));
  CHECK(text_of(f.vfs, f.a()) == std::string("012xy56789\0\0Z", 13));
  std::byte third{};
  CHECK(must(before->read_at({&third, 1}, 3)) == 1);
  CHECK(third == std::byte{'x'});
  must(file->truncate(4));
  must(file->allocate(0, 6));
  CHECK(text_of(f.vfs, f.a()) == std::string("012x\0\0", 6));
  CHECK(f.below() == "0123456789");
}

TEST_CASE("names come, go and change, and those below do not") {
  OverlayFixture f;
  must(f.vfs.rename(f.a(), f.dir / "b"));
  CHECK_FALSE(must(f.vfs.exists(f.a())));
  CHECK(f.vfs.open(f.a(), OpenMode::read).error().code() == Errc::not_found);
  CHECK(text_of(f.vfs, f.dir / "b") == "0123456789");
  must(replace_small_file(f.vfs, f.dir / "c", base::as_bytes("new")));
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& entry : must(f.vfs.list(f.dir.path()))) all.push_back(entry.name);
    return all;
  };
  CHECK(names() == std::vector<std::string>{"b", "c"});
  CHECK(f.vfs.open(f.dir / "c", OpenMode::create_new).error().code() == Errc::io_error);
  must(f.vfs.remove(f.dir / "b"));
  CHECK(f.vfs.remove(f.dir / "b").error().code() == Errc::not_found);
  must(f.vfs.create_directory(f.dir / "d"));
  CHECK(must(f.vfs.list(f.dir / "d")).empty());
  CHECK(names() == std::vector<std::string>{"c", "d"});
  CHECK(f.below() == "0123456789");
  CHECK_FALSE(std::filesystem::exists(f.dir / "c"));
}

TEST_CASE("random writes and cuts read as those of a real file") {
  test::Random random("overlay_vfs");
  for (int round = 0; round < 50; ++round) {
    OverlayFixture f;
    std::string model = "0123456789";
    const auto file = must(f.vfs.open(f.a(), OpenMode::read_write));
    for (int step = 0; step < 30; ++step) {
      const auto at = static_cast<std::size_t>(random.between(0, 40));
      if (random.one_in(4)) {
        must(file->truncate(at));
        model.resize(at, '\0');
      } else {
        const std::string piece(static_cast<std::size_t>(random.between(1, 12)),
                                static_cast<char>(random.between('A', 'Z')));
        must(file->write_at(base::as_bytes(piece), at));
        if (model.size() < at + piece.size()) model.resize(at + piece.size(), '\0');
        model.replace(at, piece.size(), piece);
      }
      REQUIRE(text_of(f.vfs, f.a()) == model);
    }
    CHECK(f.below() == "0123456789");
  }
}
