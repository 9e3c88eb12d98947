// The files that a sync covers, their order, and the errors that are tried again.
#include <doctest/doctest.h>

#include <filesystem>

#include "support/passing_vfs.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::SegmentWriter;
using test::LogBuilder;

namespace {

// Notes what reaches the disk, in order, and can refuse it.
class CountingVfs final : public test::PassingVfs {
 public:
  std::vector<std::string> synced;
  bool refuse_sync = false;

  class CountingFile final : public test::PassingFile {
   public:
    CountingFile(std::unique_ptr<os::File> file, CountingVfs& vfs)
        : PassingFile(std::move(file)), vfs_(vfs) {}
    Result<void> sync_data() override {
      if (vfs_.refuse_sync) return Error(Errc::storage_failed, "refused");
      vfs_.synced.push_back(std::filesystem::path(path()).extension());
      return PassingFile::sync_data();
    }

   private:
    CountingVfs& vfs_;
  };

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    return open_as<CountingFile>(path, mode, *this);
  }
  Result<void> sync_directory(const std::string& path) override {
    synced.push_back("directory");
    return PassingVfs::sync_directory(path);
  }
};

struct CountingFixture {
  test::TempDir directory;
  CountingVfs vfs;
  os::FdCache files{vfs, 16};
  segment::MapCache maps;
  segment::SegmentWriterPtr writer = test::must(SegmentWriter::create(
      {vfs, files}, maps, directory.path(), 0, {.segment_bytes = 1 << 20, .index_bytes = 1 << 16}));
};

using SyncedNames = std::vector<std::string>;

}  // namespace

TEST_CASE("a segment exists when its directory entry does") {
  const CountingFixture f;
  CHECK(f.vfs.synced == SyncedNames{"directory"});
}

TEST_CASE("sync covers the log, once, until there is something new") {
  CountingFixture f;
  f.vfs.synced.clear();
  const auto log = LogBuilder().batches(2, {.size_bytes = 5000});
  test::must(test::try_append(*f.writer, log[0]));
  test::must(f.writer->segment()->sync());
  test::must(f.writer->segment()->sync());
  CHECK(f.vfs.synced == SyncedNames{".log"});
  test::must(test::try_append(*f.writer, log[1]));
  test::must(f.writer->segment()->sync());
  CHECK(f.vfs.synced == SyncedNames{".log", ".log"});
}

TEST_CASE("the indexes of a sealed or trimmed segment are durable before its log is") {
  CountingFixture f;
  test::append(*f.writer, LogBuilder().batches(2, {.size_bytes = 5000}));
  test::must(f.writer->segment()->sync());
  f.vfs.synced.clear();
  test::must(f.writer->trim());
  test::must(f.writer->segment()->sync());
  CHECK(f.vfs.synced == SyncedNames{".index", ".timeindex", ".log"});
  test::append(*f.writer, LogBuilder(2).batch());
  test::must(f.writer->seal());
  test::must(f.writer->segment()->sync());
  test::must(f.writer->segment()->sync());
  CHECK(f.vfs.synced == SyncedNames{".index", ".timeindex", ".log", ".index", ".timeindex", ".log"});
}

TEST_CASE("a failed sync is reported, and never taken for a later success without trying") {
  CountingFixture f;
  test::append(*f.writer, LogBuilder().batch());
  f.vfs.refuse_sync = true;
  CHECK(f.writer->segment()->sync().error().code() == Errc::storage_failed);
  CHECK(f.writer->segment()->sync().error().code() == Errc::storage_failed);
}

TEST_CASE("maps of a sealed segment are not dropped before it is synced") {
  CountingFixture f;
  test::append(*f.writer, LogBuilder().batch());
  test::must(f.writer->seal());
  CHECK(f.maps.size() == 0);
  test::must(f.writer->segment()->sync());
  CHECK(f.maps.size() == 1);
}
