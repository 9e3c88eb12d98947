#include "catalog/lmdb/lmdb_call.hpp"

#include <array>
#include <cerrno>
#include <csetjmp>
#include <cstring>
#include <system_error>

#include "catalog/lmdb/data_file_check.hpp"

namespace seriatim::catalog {
namespace {

struct Trap {
  std::jmp_buf return_point;
  Trap* outer;
};

thread_local Trap* innermost_trap = nullptr;
thread_local std::array<char, 400> assertion_text{};  // LMDB's own buffer has 400 bytes

extern "C" void on_failed_assertion(MDB_env*, const char* message) {
  std::strncpy(assertion_text.data(), message, assertion_text.size() - 1);
  // Without a trap we return and LMDB aborts: the call was not made through guarded(), which is a mistake of
  // ours.
  if (innermost_trap != nullptr) std::longjmp(innermost_trap->return_point, 1);
}

struct Meaning {
  Errc code;
  const char* advice;
};

Meaning meaning_of(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return {Errc::storage_full, "; free space (or raise the quota or file size limit) and retry"};
    case EACCES:
    case EPERM:
      return {Errc::permission_denied, "; correct owner or mode of the directory and its files"};
    case EROFS:
      return {Errc::read_only, "; open it read-only, or remount the file system"};
    case ENOENT:
      return {Errc::not_found, "; choose a seriatim data directory"};
    case EMFILE:
    case ENFILE:
      return {Errc::too_many_open_files, "; raise `ulimit -n` and retry"};
    case MDB_READERS_FULL:
      return {Errc::too_many_open_files, "; too many processes and threads read it at once, retry"};
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_CURSOR_FULL:
    case MDB_INCOMPATIBLE:
    case assertion_failed:
      return {Errc::corrupt_metadata, damaged_catalog_advice};
    case MDB_VERSION_MISMATCH:
      return {Errc::unsupported_version,
              "; another version of LMDB has it open, use the same program everywhere"};
    case MDB_PANIC:
      return {Errc::storage_failed, "; a write failed for good: close the engine and open it again"};
    case MDB_TXN_FULL:
      return {Errc::invalid_argument, "; too much for one transaction, do it in parts"};
    case ENOMEM:
      return {Errc::out_of_memory, "; not enough memory or address space, raise `ulimit -v`"};
    default:
      return {Errc::io_error, "; see the cause in the system log, then close the engine and open it again"};
  }
}

}  // namespace

namespace detail {

[[gnu::noinline]] int call_trapped(int (*body)(void*), void* context) noexcept {
  Trap trap;
  trap.outer = innermost_trap;
  innermost_trap = &trap;
  int result = assertion_failed;
  if (setjmp(trap.return_point) == 0) {
    result = body(context);
  } else {
    result = assertion_failed;
  }
  innermost_trap = trap.outer;
  return result;
}

}  // namespace detail

void trap_assertions(MDB_env* env) noexcept { mdb_env_set_assert(env, on_failed_assertion); }

std::string_view last_assertion() noexcept { return assertion_text.data(); }

Error lmdb_error(int code, std::string_view doing, const std::string& directory) {
  const Meaning meaning = meaning_of(code);
  std::string cause;
  if (code == assertion_failed) {
    cause = "LMDB found it damaged: " + std::string(last_assertion());
  } else if (code > 0) {
    cause = std::generic_category().message(code);
  } else {
    cause = mdb_strerror(code);
  }
  return {meaning.code,
          "catalog " + directory + ": " + std::string(doing) + " failed (" + cause + ")" + meaning.advice,
          code > 0 ? code : 0};
}

}  // namespace seriatim::catalog
