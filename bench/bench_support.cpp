#include "bench_support.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace seriatim::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

}  // namespace

ScratchDirectory::ScratchDirectory() {
  const char* base = std::getenv("SERIATIM_BENCH_DIR");
  std::string name = (std::filesystem::path(base != nullptr ? base : ".") / "seriatim-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) fail(name.c_str());
  path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code
      ignored;  // A directory left behind is seen by whoever runs the benchmark; it changes no figure.
  std::filesystem::remove_all(path_, ignored);
}

BareMappedFile::BareMappedFile(const std::filesystem::path& path, std::size_t bytes) : size_(bytes) {
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0 || posix_fallocate(fd_, 0, static_cast<off_t>(bytes)) != 0) fail(path.c_str());
  void* map = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (map == MAP_FAILED || madvise(map, bytes, MADV_POPULATE_WRITE) != 0) fail(path.c_str());
  data_ = static_cast<std::byte*>(map);
}

BareMappedFile::~BareMappedFile() {
  munmap(data_, size_);
  close(fd_);
}

GrowingMappedFile::GrowingMappedFile(const std::filesystem::path& path, std::size_t bytes) : size_(bytes) {
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) fail(path.c_str());
  void* map = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (map == MAP_FAILED) fail(path.c_str());
  data_ = static_cast<std::byte*>(map);
}

GrowingMappedFile::~GrowingMappedFile() {
  munmap(data_, size_);
  close(fd_);
}

// The log's own figures: 64 MiB of blocks at once, 256 KiB of pages.
void GrowingMappedFile::grow() {
  constexpr std::size_t chunk_bytes = std::size_t{64} << 20;
  constexpr std::size_t step_bytes = std::size_t{256} << 10;
  const std::size_t wanted = std::min(size_, (end_ + step_bytes) & ~(step_bytes - 1));
  while (allocated_ < wanted) {
    const std::size_t chunk = std::min(chunk_bytes, size_ - allocated_);
    if (posix_fallocate(fd_, static_cast<off_t>(allocated_), static_cast<off_t>(chunk)) != 0)
      fail("fallocate");
    allocated_ += chunk;
  }
  if (madvise(data_ + populated_, wanted - populated_, MADV_POPULATE_WRITE) != 0) fail("madvise");
  populated_ = wanted & ~std::size_t{4095};
}

Engine open_engine(const std::filesystem::path& directory, PartitionId partitions, ConfigMap config) {
  Engine engine = must(Engine::open(directory));
  must(engine.admin().create_topic(
      {.name = "bench", .partition_count = partitions, .config = std::move(config)}));
  return engine;
}

std::string payload(std::size_t size) {
  std::mt19937 random(42);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>('a' + random() % 26);
  return bytes;
}

void prewarm_page_cache(const std::filesystem::path& directory, std::size_t bytes) {
  const BareMappedFile file(directory / "prewarm", bytes);
  std::filesystem::remove(directory / "prewarm");
}

}  // namespace seriatim::bench
