// Counts the calling thread's allocations, to prove that a path makes none, or how many of what size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace seriatim::test {

inline thread_local std::uint64_t allocation_count = 0;
inline thread_local std::uint64_t allocation_bytes = 0;

/// Allocations of this thread since the program began.
inline std::uint64_t allocations() noexcept { return allocation_count; }
/// Their bytes.
inline std::uint64_t allocated_bytes() noexcept { return allocation_bytes; }

inline void* count_and_allocate(std::size_t size, std::size_t alignment) {
  ++allocation_count;
  allocation_bytes += size;
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  void* memory = alignment <= alignof(std::max_align_t) ? std::malloc(size == 0 ? 1 : size)
                                                        : std::aligned_alloc(alignment, whole);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace seriatim::test

// Weak, so that several tests of one program may include this.
__attribute__((weak)) void* operator new(std::size_t size) {
  return seriatim::test::count_and_allocate(size, alignof(std::max_align_t));
}
__attribute__((weak)) void* operator new(std::size_t size, std::align_val_t alignment) {
  return seriatim::test::count_and_allocate(size, static_cast<std::size_t>(alignment));
}
// Of temporary buffers of the standard library, as those of a stable sort.
__attribute__((weak)) void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return seriatim::test::count_and_allocate(size, alignof(std::max_align_t));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
__attribute__((weak)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((weak)) void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
__attribute__((weak)) void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
__attribute__((weak)) void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
__attribute__((weak)) void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
