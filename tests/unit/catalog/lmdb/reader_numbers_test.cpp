#include "catalog/lmdb/reader_numbers.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <thread>

namespace seriatim::catalog {
namespace {

TEST_CASE("two commits do not wait for a reader, the third does, until the reader has left") {
  ReaderNumbers readers;
  std::optional<ReaderNumbers::Reading> reading(std::in_place, readers, 10);
  readers.wait_for_older_than(11);
  readers.wait_for_older_than(12);
  std::thread writer([&] { readers.wait_for_older_than(13); });
  while (readers.waiting() == 0) std::this_thread::yield();
  reading.reset();
  writer.join();
  CHECK(readers.waiting() == 0);
}

TEST_CASE("who reads a later state is not waited for, and the oldest counts") {
  ReaderNumbers readers;
  const ReaderNumbers::Reading late(readers, 20);
  readers.wait_for_older_than(22);
  std::optional<ReaderNumbers::Reading> early(std::in_place, readers, 18);
  std::thread writer([&] { readers.wait_for_older_than(21); });
  while (readers.waiting() == 0) std::this_thread::yield();
  early.reset();
  writer.join();
}

}  // namespace
}  // namespace seriatim::catalog
