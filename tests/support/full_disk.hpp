// A file system that is full to its last byte.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>

namespace seriatim::test {

/// Besides the files that are there, no byte is free after this.
inline void fill(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  const std::string block(4096, 'f');
  while (::write(descriptor, block.data(), block.size()) > 0) {
  }
  while (::write(descriptor, "f", 1) > 0) {
  }
  ::close(descriptor);
}

}  // namespace seriatim::test
