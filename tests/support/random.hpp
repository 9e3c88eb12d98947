// Random numbers for tests that can be repeated: the seed is printed, and SERIATIM_SEED sets it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace seriatim::test {

class Random {
 public:
  /// @param what  the test's name, printed with the seed.
  explicit Random(const char* what) : seed_(choose_seed()), engine_(seed_) {
    std::cerr << what << ": SERIATIM_SEED=" << seed_ << '\n';
  }
  /// One of several of a test that prints the seed itself.
  explicit Random(std::uint64_t seed) : seed_(seed), engine_(seed) {}

  std::uint64_t seed() const noexcept { return seed_; }
  std::uint64_t next() { return engine_(); }
  /// `low` to `high`, both inclusive.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }
  bool one_in(std::int64_t n) { return between(1, n) == 1; }
  std::vector<std::byte> bytes(std::size_t count) {
    std::vector<std::byte> result(count);
    for (std::byte& byte : result) byte = static_cast<std::byte>(next());
    return result;
  }
  std::string text(std::size_t count) {
    std::string result(count, ' ');
    for (char& c : result) c = static_cast<char>(between('a', 'z'));
    return result;
  }

 private:
  static std::uint64_t choose_seed() {
    const char* given = std::getenv("SERIATIM_SEED");
    return given != nullptr ? std::stoull(given) : std::random_device{}();
  }

  std::uint64_t seed_;
  std::mt19937_64 engine_;
};

}  // namespace seriatim::test
