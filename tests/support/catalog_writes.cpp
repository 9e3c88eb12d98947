#include "support/catalog_writes.hpp"

#include <dlfcn.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <string_view>
#include <utility>

namespace seriatim::test {
namespace {

std::atomic<bool> is_watching{false};
std::atomic<std::uint64_t> calls_made{0};
std::atomic<bool> struck{false};
std::uint64_t faulty_call = 0;
WriteFault chosen_fault = WriteFault::fails_with_eio;
std::function<void(std::uint64_t)> looker;
thread_local bool is_looking = false;

template <class Function>
Function* next_of(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool is_data_file(int fd) {
  char target[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(link.c_str(), target, sizeof(target));
  return length > 0 && std::string_view(target, static_cast<std::size_t>(length)).ends_with("/data.mdb");
}

// Whether this call is the one.
bool strikes(int fd) {
  if (!is_watching || is_looking || !is_data_file(fd)) return false;
  const std::uint64_t number = ++calls_made;
  if (looker) {
    is_looking = true;
    looker(number);
    is_looking = false;
  }
  if (number != faulty_call) return false;
  struck = true;
  return true;
}

// @param half  makes the call with half of the bytes,
// @param whole with all.
template <class Half, class Whole>
ssize_t faulty(const Half& half, const Whole& whole) {
  if (chosen_fault == WriteFault::is_short) return half();
  if (chosen_fault == WriteFault::written_and_eio) static_cast<void>(whole());
  errno = chosen_fault == WriteFault::fails_with_enospc ? ENOSPC : EIO;
  return -1;
}

}  // namespace

CatalogWrites::CatalogWrites() : CatalogWrites(0, WriteFault::fails_with_eio) {}

CatalogWrites::CatalogWrites(std::uint64_t call, WriteFault fault) {
  faulty_call = call;
  chosen_fault = fault;
  calls_made = 0;
  struck = false;
  is_watching = true;
}

CatalogWrites::~CatalogWrites() {
  is_watching = false;
  looker = nullptr;
}

std::uint64_t CatalogWrites::calls() { return calls_made; }
bool CatalogWrites::has_struck() { return struck; }
void CatalogWrites::on_call(std::function<void(std::uint64_t)> look) { looker = std::move(look); }

}  // namespace seriatim::test

using seriatim::test::faulty;
using seriatim::test::next_of;
using seriatim::test::strikes;

extern "C" {

ssize_t write(int fd, const void* bytes, size_t count) {
  static auto* const real = next_of<ssize_t(int, const void*, size_t)>("write");
  if (!strikes(fd)) return real(fd, bytes, count);
  return faulty([&] { return real(fd, bytes, count / 2); }, [&] { return real(fd, bytes, count); });
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t position) {
  static auto* const real = next_of<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  if (!strikes(fd)) return real(fd, bytes, count, position);
  return faulty([&] { return real(fd, bytes, count / 2, position); },
                [&] { return real(fd, bytes, count, position); });
}

ssize_t pwritev(int fd, const iovec* pieces, int count, off_t position) {
  static auto* const real = next_of<ssize_t(int, const iovec*, int, off_t)>("pwritev");
  if (!strikes(fd)) return real(fd, pieces, count, position);
  return faulty([&] { return real(fd, pieces, count / 2, position); },
                [&] { return real(fd, pieces, count, position); });
}

ssize_t writev(int fd, const iovec* pieces, int count) {
  static auto* const real = next_of<ssize_t(int, const iovec*, int)>("writev");
  if (!strikes(fd)) return real(fd, pieces, count);
  return faulty([&] { return real(fd, pieces, count / 2); }, [&] { return real(fd, pieces, count); });
}

int fdatasync(int fd) {
  static auto* const real = next_of<int(int)>("fdatasync");
  if (!strikes(fd)) return real(fd);
  static_cast<void>(real(fd));
  errno = EIO;
  return -1;
}

}  // extern "C"
