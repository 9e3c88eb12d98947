#include "os/map_budget.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "os/descriptor.hpp"
#include "os/retry.hpp"

namespace seriatim::os {

MapBudget& MapBudget::of_process() noexcept {
  static MapBudget budget(maps_max() / 16 * 15);
  return budget;
}

// Without an allocation: it is asked for where memory ran out.
std::uint64_t maps_max() noexcept {
  constexpr std::uint64_t by_default = 65'530;
  const int descriptor =
      open_descriptor([] { return ::open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC); });
  if (descriptor < 0) return by_default;
  std::array<char, 32> text;
  const ssize_t bytes = retry_interrupted([&] { return ::read(descriptor, text.data(), text.size()); });
  ::close(descriptor);
  std::uint64_t count = 0;
  const char* const end = text.data() + (bytes < 0 ? 0 : bytes);
  const bool is_number = std::from_chars(text.data(), end, count).ec == std::errc{};
  return is_number ? count : by_default;
}

}  // namespace seriatim::os
