// An owned mapping of a file into memory. Loads and stores through it are plain memory accesses; everything
// here is about preparing for them, so that they meet neither a missing page nor a full disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"

namespace seriatim::os {

/// The error of a mapping where there are too many: names the limit, and what to do.
Error too_many_maps_error(std::uint64_t length, std::string_view path);

/// The use of a mapping, or of an open file.
enum class Access : std::uint8_t { read, read_write };

/// Told before a mapping asks the kernel for something that can fail; an error refuses it.
///
/// For file systems made by tests; the real one has none.
class MappingObserver {
 public:
  virtual ~MappingObserver() = default;
  virtual Result<void> before_populate(std::uint64_t position, std::uint64_t length) = 0;
  virtual Result<void> before_sync(std::uint64_t position, std::uint64_t length) = 0;
  virtual Result<void> before_store(std::uint64_t position) = 0;
};

/// Owns `size()` bytes of address space that show a file from its position 0.
///
/// It may be longer than the file: only allocated bytes below the file's end may be touched, anything else
/// is SIGBUS. It needs no descriptor, and stays valid when the file is closed or unlinked.
/// Threads: const calls and the memory itself any; others one at a time.
class Mapping {
 public:
  /// Nothing mapped.
  Mapping() noexcept = default;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  /// Maps a descriptor. `File::map` is the ordinary way here.
  ///
  /// @param length  1 or more; need not be a multiple of the page size.
  /// @param path  for messages.
  /// Errors: invalid_argument (length 0) · out_of_memory (ENOMEM): the maps of the process (see MapBudget) or
  /// its address space are used up · io_error.
  static Result<Mapping> of_descriptor(int descriptor, std::uint64_t length, Access access, std::string path);

  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  std::uint64_t size() const noexcept { return size_; }
  bool is_mapped() const noexcept { return data_ != nullptr; }

  /// Brings the pages of a range into memory, ready to be stored to if the mapping is writable, so that the
  /// thread that uses them later does not fault. Keeps the contents.
  ///
  /// The range is widened to whole pages and must lie below the end of the file.
  /// Errors: invalid_argument (beyond the mapping) · io_error, errno EFAULT: a page cannot be had: beyond the
  /// end of the file, or the disk is full or failing; touching it would be SIGBUS. A kernel older than 5.14
  /// cannot do this and nothing happens: pages then fault one by one.
  /// Cost: a page fault per page of memory that is not there yet, without the traps.
  Result<void> populate(std::uint64_t position, std::uint64_t length);

  /// Stores the pieces one after another, as `File::write_gather_at` would write them, for who wants that to
  /// be one step that tests can see.
  ///
  /// Whole, they are below the end of the file, in allocated blocks.
  /// Errors: invalid_argument (beyond the mapping). A page that cannot be had is SIGBUS.
  /// Durability: as `File::write_at`.
  /// Cost: a copy, and a page fault where the page was not stored to since the last sync.
  Result<void> store(std::span<const base::ByteSpan> pieces, std::uint64_t position);

  /// Makes the mapping read-only; a stray store of the host program then faults instead of changing a
  /// segment.
  /// Errors: io_error.
  Result<void> protect_read_only();

  /// Takes a range's pages out of the process's page tables, all in one step; the page cache keeps them, with
  /// what was stored, and the next access finds them there by a minor fault. For the time before a sync,
  /// which would else take from every page that was stored to the right to be stored to: one by one, and with
  /// an interrupt of every processor that runs the process each time.
  ///
  /// Beyond the mapping the range is cut off. Changes nothing but speed, so there is no error to return.
  /// Threads: any, beside loads and stores.
  void release_pages(std::uint64_t position, std::uint64_t length) const noexcept;

  /// Writes the stores of a range to stable storage (msync). Not retried: see `File::sync_data`.
  ///
  /// Errors: invalid_argument (beyond the mapping) · storage_failed.
  /// Durability: as `File::sync_data`.
  Result<void> sync(std::uint64_t position, std::uint64_t length);

  /// For file systems made by tests.
  void observe(std::shared_ptr<MappingObserver> observer) noexcept;

 private:
  Mapping(std::byte* data, std::uint64_t size, Access access, std::string path) noexcept;
  Result<void> check_range(const char* what, std::uint64_t position, std::uint64_t length) const;
  void unmap() noexcept;

  std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  Access access_ = Access::read;
  std::string path_{};
  std::shared_ptr<MappingObserver> observer_{};
};

}  // namespace seriatim::os
