#include "catalog/lmdb/lmdb_call.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

namespace seriatim::catalog {
namespace {

TEST_CASE("a guarded call gives back what the call returned") {
  CHECK(guarded([] { return 7; }) == 7);
  int inner = 0;
  CHECK(guarded([&] {
          inner = guarded([] { return MDB_NOTFOUND; });
          return 0;
        }) == 0);
  CHECK(inner == MDB_NOTFOUND);
}

TEST_CASE("each code of LMDB and of the system has its place among our errors") {
  struct Row {
    int code;
    Errc expected;
  };
  const std::vector<Row> rows{{ENOSPC, Errc::storage_full},
                              {EDQUOT, Errc::storage_full},
                              {EFBIG, Errc::storage_full},
                              {EACCES, Errc::permission_denied},
                              {EROFS, Errc::read_only},
                              {ENOENT, Errc::not_found},
                              {EMFILE, Errc::too_many_open_files},
                              {EIO, Errc::io_error},
                              {ENOMEM, Errc::out_of_memory},
                              {MDB_CORRUPTED, Errc::corrupt_metadata},
                              {MDB_PAGE_NOTFOUND, Errc::corrupt_metadata},
                              {MDB_INVALID, Errc::corrupt_metadata},
                              {MDB_VERSION_MISMATCH, Errc::unsupported_version},
                              {MDB_PANIC, Errc::storage_failed},
                              {MDB_READERS_FULL, Errc::too_many_open_files},
                              {MDB_TXN_FULL, Errc::invalid_argument},
                              {assertion_failed, Errc::corrupt_metadata}};
  for (const Row& row : rows) {
    CAPTURE(row.code);
    const Error error = lmdb_error(row.code, "opening", "/data/catalog");
    CHECK(error.code() == row.expected);
    CHECK(error.message().find("catalog /data/catalog: opening failed (") == 0);
    CHECK(error.message().find("; ") != std::string::npos);
    CHECK(error.sys_errno() == (row.code > 0 ? row.code : 0));
  }
}

}  // namespace
}  // namespace seriatim::catalog
