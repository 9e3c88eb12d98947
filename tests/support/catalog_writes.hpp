// Faults in what LMDB writes: it calls the system by itself, so that no seam of ours sees it. A program that
// compiles catalog_writes.cpp has pwrite, pwritev, write and fdatasync of files called data.mdb go through
// here (its own definitions come before those of the C library), and everything else as before.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace seriatim::test {

/// The outcome of the call that is chosen.
enum class WriteFault : std::uint8_t {
  fails_with_eio,     ///< nothing is written
  fails_with_enospc,  ///< nothing is written
  written_and_eio,    ///< written, and the answer is EIO: a sync that failed behind it
  is_short,           ///< half of the bytes
};

/// Faults while it lives. One at a time. Calls of all threads count.
class CatalogWrites {
 public:
  /// Counts only.
  CatalogWrites();
  /// @param call  which call fails, from 1; nothing does at 0.
  CatalogWrites(std::uint64_t call, WriteFault fault);
  ~CatalogWrites();
  CatalogWrites(const CatalogWrites&) = delete;
  CatalogWrites& operator=(const CatalogWrites&) = delete;

  /// Calls so far, the faulty one among them. Without effect on files of other names.
  static std::uint64_t calls();
  /// Whether the chosen call came.
  static bool has_struck();
  /// Called in the place of each call with its number, before it: to copy what a crash would leave.
  static void on_call(std::function<void(std::uint64_t)> look);
};

}  // namespace seriatim::test
