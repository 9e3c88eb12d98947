#include "os/mapping.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "os/file/posix_vfs.hpp"
#include "support/child_process.hpp"
#include "support/mounted.hpp"
#include "support/temp_dir.hpp"

using namespace seriatim;
using namespace seriatim::os;
using test::ChildProcess;
using test::TempDir;

namespace {

constexpr std::uint64_t mib = 1 << 20;

std::unique_ptr<File> create(const std::string& path, std::uint64_t allocated) {
  auto file = posix_vfs().open(path, OpenMode::create_new);
  REQUIRE(file);
  REQUIRE((*file)->allocate(0, allocated));
  return std::move(*file);
}

// Whether every page of a range is mapped for writing already, by the kernel's own account: /proc/self/smaps
// counts them.
std::uint64_t resident_bytes(const Mapping& mapping) {
  std::string wanted(32, '\0');
  wanted.resize(static_cast<std::size_t>(
      std::snprintf(wanted.data(), wanted.size(), "%lx-", reinterpret_cast<unsigned long>(mapping.data()))));
  std::FILE* file = std::fopen("/proc/self/smaps", "r");
  REQUIRE(file != nullptr);
  char line[512];
  unsigned long kib = 0;
  bool is_here = false;
  while (std::fgets(line, sizeof(line), file) != nullptr) {
    if (std::strncmp(line, wanted.c_str(), wanted.size()) == 0) is_here = true;
    if (is_here && std::sscanf(line, "Rss: %lu kB", &kib) == 1) break;
  }
  std::fclose(file);
  return kib * 1024;
}

struct Refusing final : MappingObserver {
  Result<void> before_populate(std::uint64_t, std::uint64_t) override {
    return Error(Errc::storage_full, "refused by the test");
  }
  Result<void> before_sync(std::uint64_t, std::uint64_t) override {
    return Error(Errc::storage_failed, "refused by the test");
  }
  Result<void> before_store(std::uint64_t) override { return Error(Errc::io_error, "refused by the test"); }
};

}  // namespace

TEST_CASE("a store through a mapping is in the file, and a write is seen through it") {
  const TempDir dir;
  const auto file = create(dir / "f", mib);
  auto mapping = file->map(mib, Access::read_write);
  REQUIRE(mapping);
  std::memcpy(mapping->data() + 5000, "stored", 6);
  std::byte bytes[6];
  REQUIRE(*file->read_at(bytes, 5000) == 6);
  CHECK(base::as_text(bytes) == "stored");
  REQUIRE(file->write_at(base::as_bytes("written"), 9000));
  CHECK(base::as_text({mapping->data() + 9000, 7}) == "written");
}

TEST_CASE("a mapping may be longer than the file and shows what is allocated later") {
  const TempDir dir;
  const auto file = create(dir / "f", 4096);
  auto mapping = file->map(64 * mib, Access::read_write);
  REQUIRE(mapping);
  CHECK(mapping->size() == 64 * mib);
  REQUIRE(file->allocate(0, 8 * mib));
  std::memcpy(mapping->data() + 7 * mib, "later", 5);
  std::byte bytes[5];
  REQUIRE(*file->read_at(bytes, 7 * mib) == 5);
  CHECK(base::as_text(bytes) == "later");
}

TEST_CASE("a mapping outlives its file, closed and deleted") {
  const TempDir dir;
  auto file = create(dir / "f", 4096);
  REQUIRE(file->write_at(base::as_bytes("alive"), 0));
  const auto mapping = file->map(4096, Access::read);
  REQUIRE(mapping);
  file.reset();
  REQUIRE(posix_vfs().remove(dir / "f"));
  CHECK(base::as_text({mapping->data(), 5}) == "alive");
}

TEST_CASE("populate brings pages in and keeps their contents") {
  const TempDir dir;
  const auto file = create(dir / "f", mib);
  REQUIRE(file->write_at(base::as_bytes("kept"), 6000));
  auto mapping = file->map(mib, Access::read_write);
  REQUIRE(mapping);
  REQUIRE(resident_bytes(*mapping) == 0);
  REQUIRE(mapping->populate(5000, 200'000));
  CHECK(resident_bytes(*mapping) >= 200'000);
  CHECK(base::as_text({mapping->data() + 6000, 4}) == "kept");
  CHECK(mapping->populate(mib, 0).ok());
}

TEST_CASE("released pages leave the page table, and what was stored is there at the next access") {
  const TempDir dir;
  const auto file = create(dir / "f", mib);
  auto mapping = file->map(mib, Access::read_write);
  REQUIRE(mapping);
  REQUIRE(mapping->populate(0, mib));
  std::memcpy(mapping->data() + 6000, "kept", 4);
  REQUIRE(resident_bytes(*mapping) == mib);
  mapping->release_pages(5000, 200'000);
  CHECK(resident_bytes(*mapping) <= mib - 196'608);
  CHECK(base::as_text({mapping->data() + 6000, 4}) == "kept");
  std::memcpy(mapping->data() + 7000, "later", 5);
  std::byte bytes[5];
  REQUIRE(*file->read_at(bytes, 7000) == 5);
  CHECK(base::as_text(bytes) == "later");
  mapping->release_pages(0, 2 * mib);
  CHECK(resident_bytes(*mapping) == 0);
  mapping->release_pages(mib, 1);
  Mapping().release_pages(0, 1);
}

TEST_CASE("populate works on a read-only mapping") {
  const TempDir dir;
  const auto file = create(dir / "f", mib);
  auto mapping = file->map(mib, Access::read);
  REQUIRE(mapping);
  REQUIRE(mapping->populate(0, mib));
  CHECK(resident_bytes(*mapping) == mib);
}

TEST_CASE("populating beyond the file is an error instead of a signal later") {
  const TempDir dir;
  const auto file = create(dir / "f", 4096);
  auto mapping = file->map(mib, Access::read_write);
  REQUIRE(mapping);
  const auto populated = mapping->populate(0, mib);
  REQUIRE_FALSE(populated);
  CHECK(populated.error().code() == Errc::io_error);
  CHECK(populated.error().sys_errno() == EFAULT);
  CHECK(populated.error().message().find(dir / "f") != std::string::npos);
}

TEST_CASE("populating a hole on a full disk is an error instead of a signal later") {
  const bool is_mounted = test::with_mounted("tmpfs", "size=64k", [](const std::string& root) {
    const auto file = create(root + "/f", 4096);
    CHECK(file->truncate(mib).ok());
    auto mapping = file->map(mib, Access::read_write);
    CHECK(mapping.ok());
    if (!mapping) return;
    const auto populated = mapping->populate(0, mib);
    CHECK_FALSE(populated.ok());
    if (!populated) CHECK(populated.error().sys_errno() == EFAULT);
  });
  if (!is_mounted) MESSAGE("skipped: mounting a tmpfs needs root");
}

TEST_CASE("ranges beyond a mapping are refused, also where the sum wraps") {
  const TempDir dir;
  const auto file = create(dir / "f", 4096);
  auto mapping = file->map(4096, Access::read_write);
  REQUIRE(mapping);
  CHECK(mapping->populate(0, 4097).error().code() == Errc::invalid_argument);
  CHECK(mapping->populate(4097, 0).error().code() == Errc::invalid_argument);
  CHECK(mapping->populate(4096, ~std::uint64_t{0}).error().code() == Errc::invalid_argument);
  CHECK(mapping->sync(1, 4096).error().code() == Errc::invalid_argument);
  CHECK(file->map(0, Access::read).error().code() == Errc::invalid_argument);
}

TEST_CASE("a mapping no address space can hold is an error") {
  const TempDir dir;
  const auto file = create(dir / "f", 4096);
  const auto mapping = file->map(std::uint64_t{1} << 62, Access::read);
  REQUIRE_FALSE(mapping);
  CHECK(mapping.error().sys_errno() == ENOMEM);
  CHECK(mapping.error().message().find("vm.max_map_count") != std::string::npos);
}

TEST_CASE("a store into a protected mapping faults and does not reach the file") {
  const TempDir dir;
  const auto file = create(dir / "f", 4096);
  auto mapping = file->map(4096, Access::read_write);
  REQUIRE(mapping);
  REQUIRE(mapping->protect_read_only());
  ChildProcess child([&mapping](const ChildProcess::Voice& voice) {
    voice.take_stderr();
    // Sanitizers report and exit instead; either way the store must not come through.
    std::signal(SIGSEGV, SIG_DFL);
    *const_cast<volatile std::byte*>(mapping->data()) = std::byte{1};
  });
  CHECK(child.wait() == -SIGSEGV);
  CHECK(mapping->data()[0] == std::byte{0});
  CHECK(mapping->populate(0, 4096).ok());
}

TEST_CASE("syncing a mapping changes no byte") {
  const TempDir dir;
  const auto file = create(dir / "f", mib);
  auto mapping = file->map(mib, Access::read_write);
  REQUIRE(mapping);
  std::memcpy(mapping->data() + 100, "same", 4);
  CHECK(mapping->sync(100, 4).ok());
  CHECK(mapping->sync(0, mib).ok());
  CHECK(base::as_text({mapping->data() + 100, 4}) == "same");
}

TEST_CASE("moving hands the memory over and unmaps what was there") {
  const TempDir dir;
  const auto file = create(dir / "f", 4096);
  auto first = file->map(4096, Access::read);
  auto second = file->map(8192, Access::read);
  REQUIRE(first);
  REQUIRE(second);
  const std::byte* data = first->data();
  std::byte* const gone = second->data();
  *second = std::move(*first);
  CHECK(second->data() == data);
  CHECK(second->size() == 4096);
  CHECK_FALSE(first->is_mapped());
  unsigned char ignored[2];
  CHECK(::mincore(gone, 8192, ignored) == -1);
  Mapping third(std::move(*second));
  CHECK(third.data() == data);
  CHECK_FALSE(second->is_mapped());
}

TEST_CASE("pieces are stored one after another, or not at all beyond the end of the mapping") {
  const TempDir dir;
  const auto file = create(dir / "f", 4096);
  auto mapping = file->map(4096, Access::read_write);
  REQUIRE(mapping);
  const std::vector<std::string> texts{"one", "", "and two"};
  std::vector<base::ByteSpan> pieces;
  for (const auto& text : texts) pieces.push_back(base::as_bytes(text));
  REQUIRE(mapping->store(pieces, 4096 - 10));
  std::vector<std::byte> found(10);
  REQUIRE(file->read_at(found, 4096 - 10));
  CHECK(base::as_text(found) == "oneand two");
  CHECK(mapping->store(pieces, 4096 - 9).error().code() == Errc::invalid_argument);
  REQUIRE(file->read_at(found, 4096 - 10));
  CHECK(base::as_text(found) == "oneand two");
}

TEST_CASE("an observer can refuse populating, storing and syncing") {
  const TempDir dir;
  const auto file = create(dir / "f", 4096);
  auto mapping = file->map(4096, Access::read_write);
  REQUIRE(mapping);
  mapping->observe(std::make_shared<Refusing>());
  CHECK(mapping->populate(0, 4096).error().code() == Errc::storage_full);
  CHECK(mapping->sync(0, 4096).error().code() == Errc::storage_failed);
  CHECK(mapping->store({}, 0).error().code() == Errc::io_error);
}
