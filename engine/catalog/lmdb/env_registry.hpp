// Which catalogs this process has open. LMDB forbids two environments of one file in a process: closing
// either would drop the file locks of both, and readers would lose their protection without a word.
#pragma once

#include <cstdint>
#include <string>

#include <seriatim/result.hpp>

namespace seriatim::catalog {

/// The right of one environment to have a directory open; given back when it goes.
class OpenClaim {
 public:
  /// `process` is the identity of the calling process: what a parent had open before fork() does not bind a
  /// child.
  /// Errors: invalid_state if this process holds a claim on the same directory, under whatever name.
  static Result<OpenClaim> acquire(const std::string& directory, std::uint64_t process);

  OpenClaim(OpenClaim&& other) noexcept : number_(other.number_) { other.number_ = 0; }
  OpenClaim& operator=(OpenClaim&&) = delete;
  ~OpenClaim();

  /// Never gives it back: the environment could not be closed and is still there.
  void keep_for_ever() noexcept { number_ = 0; }

 private:
  explicit OpenClaim(std::uint64_t number) : number_(number) {}
  std::uint64_t number_;
};

}  // namespace seriatim::catalog
