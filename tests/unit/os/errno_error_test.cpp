#include "os/errno_error.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <utility>

using namespace seriatim;
using os::errno_error;
using os::sync_error;

TEST_CASE("each errno has the code that tells the caller what to do") {
  const std::pair<int, Errc> table[] = {{ENOSPC, Errc::storage_full},
                                        {EDQUOT, Errc::storage_full},
                                        {EMFILE, Errc::too_many_open_files},
                                        {ENFILE, Errc::too_many_open_files},
                                        {EACCES, Errc::permission_denied},
                                        {EPERM, Errc::permission_denied},
                                        {EROFS, Errc::read_only},
                                        {ENOENT, Errc::not_found},
                                        {ENOTDIR, Errc::not_found},
                                        {ELOOP, Errc::io_error},
                                        {ENXIO, Errc::io_error},
                                        {EISDIR, Errc::io_error},
                                        {EEXIST, Errc::io_error},
                                        {EIO, Errc::io_error},
                                        {EPIPE, Errc::io_error},
                                        {ENOMEM, Errc::out_of_memory},
                                        {EXDEV, Errc::io_error},
                                        {ESTALE, Errc::io_error}};
  for (const std::pair<int, Errc>& row : table) {
    CAPTURE(row.first);
    const Error error = errno_error(row.first, "open", "/d/f");
    CHECK(error.code() == row.second);
    CHECK(error.sys_errno() == row.first);
  }
}

TEST_CASE("the message says what failed, where, why and what to do next") {
  const Error error = errno_error(ENOSPC, "write 10 bytes at position 5 of", "/d/f");
  CHECK(error.message() ==
        "cannot write 10 bytes at position 5 of /d/f: No space left on device (errno 28). Free space on this "
        "file "
        "system and try again.");
  for (int value = 1; value < 134; ++value) {
    const std::string message = errno_error(value, "open", "/d/f").message();
    CAPTURE(message);
    // Something follows the reason, and it is a sentence.
    CHECK(message.find("). ") != std::string::npos);
    CHECK(message.back() == '.');
  }
}

TEST_CASE("without a path the message has none") {
  CHECK(errno_error(EMFILE, "create an eventfd", "")
            .message()
            .starts_with("cannot create an eventfd: Too many"));
}

TEST_CASE("a failed sync is storage_failed whatever the errno, and fatal") {
  for (const int value : {EIO, ENOSPC, EDQUOT, EROFS}) {
    const Error error = sync_error(value, "/d/f");
    CHECK(error.code() == Errc::storage_failed);
    CHECK(error.fatal());
    CHECK(error.sys_errno() == value);
    CHECK(error.message().find("open again") != std::string::npos);
  }
}
