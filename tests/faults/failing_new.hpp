// The allocations of one thread that can be made to fail: the N-th from now on, once. In one source of a
// program, SERIATIM_DEFINE_FAILING_NEW before the include replaces operator new.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace seriatim::test {

/// Of the calling thread.
struct FailingNew {
  static inline thread_local std::int64_t left = -1;  ///< Allocations until one fails; below 0: none will.
  static inline thread_local bool is_met = false;
};

/// While it lives, allocation number `after` (from 0) of this thread throws std::bad_alloc.
class NewFails {
 public:
  explicit NewFails(std::int64_t after) noexcept {
    FailingNew::is_met = false;
    FailingNew::left = after;
  }
  ~NewFails() { FailingNew::left = -1; }
  NewFails(const NewFails&) = delete;
  NewFails& operator=(const NewFails&) = delete;

  static bool is_met() noexcept { return FailingNew::is_met; }
};

}  // namespace seriatim::test

#ifdef SERIATIM_DEFINE_FAILING_NEW
namespace {

void* allocate_or_fail(std::size_t size, std::size_t alignment) {
  using seriatim::test::FailingNew;
  if (FailingNew::left >= 0 && FailingNew::left-- == 0) {
    FailingNew::is_met = true;
    throw std::bad_alloc();
  }
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  void* memory = alignment <= alignof(std::max_align_t) ? std::malloc(size == 0 ? 1 : size)
                                                        : std::aligned_alloc(alignment, whole);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate_or_fail(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_fail(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
#endif
