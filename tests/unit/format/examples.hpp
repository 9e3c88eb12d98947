// Worked examples of Kafka's batch format: bytes that Kafka's own classes read, or wrote.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "support/hex.hpp"

namespace seriatim::test {

using Bytes = std::vector<std::byte>;

inline constexpr std::int64_t T = 1'700'000'000'000;
inline constexpr std::int64_t example_producer_id = std::int64_t{1} << 42;

// The bytes 0 to 15.
inline std::array<std::byte, 16> counting_id() {
  std::array<std::byte, 16> id{};
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::byte>(i);
  return id;
}

// One record, k -> hello, create time T, base offset 0.
inline Bytes example_a() {
  return from_hex(
      "00 00 00 00 00 00 00 00 00 00 00 3e 00 00 00 00"
      "02 36 ff 4d c3 00 00 00 00 00 00 00 00 01 8b cf"
      "e5 68 00 00 00 01 8b cf e5 68 00 ff ff ff ff ff"
      "ff ff ff ff ff ff ff ff ff 00 00 00 01 18 00 00"
      "00 02 6b 0a 68 65 6c 6c 6f 00");
}

// Idempotent, base offset 100, sequence 7, three records: (user-1 -> v1, headers h1 = 01 and h2 = null, T),
// (null key -> v2, T + 5), (user-1 -> null, T - 3).
inline Bytes example_b() {
  return from_hex(
      "00 00 00 00 00 00 00 64 00 00 00 5f 00 00 00 00"
      "02 d2 6c 5d c7 00 00 00 00 00 02 00 00 01 8b cf"
      "e5 68 00 00 00 01 8b cf e5 68 05 00 00 04 00 00"
      "00 00 00 00 00 00 00 00 07 00 00 00 03 2e 00 00"
      "00 0c 75 73 65 72 2d 31 04 76 31 04 04 68 31 02"
      "01 04 68 32 01 10 00 0a 02 01 04 76 32 00 18 00"
      "05 04 0c 75 73 65 72 2d 31 01 00");
}

// Transactional data, offset 103, epoch 1, sequence 0, a -> 1, T + 10.
inline Bytes example_c() {
  return from_hex(
      "00 00 00 00 00 00 00 67 00 00 00 3a 00 00 00 00"
      "02 33 23 4b 99 00 10 00 00 00 00 00 00 01 8b cf"
      "e5 68 0a 00 00 01 8b cf e5 68 0a 00 00 04 00 00"
      "00 00 00 00 01 00 00 00 00 00 00 00 01 10 00 00"
      "00 02 61 02 31 00");
}

// Commit marker after C, offset 104, epoch 1, coordinator epoch 0, T + 11.
inline Bytes example_d() {
  return from_hex(
      "00 00 00 00 00 00 00 68 00 00 00 42 00 00 00 00"
      "02 ae be 46 05 00 30 00 00 00 00 00 00 01 8b cf"
      "e5 68 0b 00 00 01 8b cf e5 68 0b 00 00 04 00 00"
      "00 00 00 00 01 ff ff ff ff 00 00 00 01 20 00 00"
      "00 08 00 00 00 01 0c 00 00 00 00 00 00 00");
}

// The abort marker in D's place.
inline Bytes example_e() {
  return from_hex(
      "00 00 00 00 00 00 00 68 00 00 00 42 00 00 00 00"
      "02 5a 80 90 4d 00 30 00 00 00 00 00 00 01 8b cf"
      "e5 68 0b 00 00 01 8b cf e5 68 0b 00 00 04 00 00"
      "00 00 00 00 01 ff ff ff ff 00 00 00 01 20 00 00"
      "00 08 00 00 00 00 0c 00 00 00 00 00 00 00");
}

// A under log append time T + 123456.
inline Bytes example_f() {
  return from_hex(
      "00 00 00 00 00 00 00 00 00 00 00 3e 00 00 00 00"
      "02 77 6e 88 be 00 08 00 00 00 00 00 00 01 8b cf"
      "e5 68 00 00 00 01 8b cf e7 4a 40 ff ff ff ff ff"
      "ff ff ff ff ff ff ff ff ff 00 00 00 01 18 00 00"
      "00 02 6b 0a 68 65 6c 6c 6f 00");
}

// The records of G to J: k -> "hello hello hello hello", T and T + 1.
inline constexpr std::string_view example_text = "hello hello hello hello";
inline Bytes example_plain_section() {
  return from_hex(
      "3c 00 00 00 02 6b 2e 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 00"
      "3c 00 02 02 02 6b 2e 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 00");
}

// Header of G to J: two records, offsets 0 and 1, T and T + 1; length, CRC and codec as given.
inline Bytes compressed_example(std::string_view length, std::string_view crc, std::string_view codec,
                                std::string_view section) {
  Bytes bytes = from_hex("00 00 00 00 00 00 00 00");
  const auto add = [&bytes](std::string_view hex) {
    const Bytes more = from_hex(hex);
    bytes.insert(bytes.end(), more.begin(), more.end());
  };
  add(length);
  add("00 00 00 00 02");
  add(crc);
  add(codec);
  add("00 00 00 01 00 00 01 8b cf e5 68 00 00 00 01 8b cf e5 68 01 ff ff ff ff ff ff ff ff ff ff ff ff ff ff "
      "00 00 00 02");
  add(section);
  return bytes;
}

inline Bytes example_g_gzip() {
  return compressed_example("00 00 00 5b", "b4 8c 18 9c", "00 01",
                            "1f 8b 08 00 00 00 00 00 02 ff b3 61 60 60 60 ca d6 cb 48 cd c9 c9 57"
                            "c0 20 19 6c 18 98 98 f0 48 03 00 20 0f e3 98 3e 00 00 00");
}

inline Bytes example_h_lz4() {
  return compressed_example(
      "00 00 00 7e", "94 1c ef 81", "00 03",
      "04 22 4d 18 60 40 82 | 3e 00 00 80"
      "3c 00 00 00 02 6b 2e 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 00"
      "3c 00 02 02 02 6b 2e 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 00"
      "00 00 00 00");
}

inline Bytes example_i_snappy() {
  return compressed_example(
      "00 00 00 86", "75 6b e4 74", "00 02",
      "82 53 4e 41 50 50 59 00 00 00 00 01 00 00 00 01 | 00 00 00 41 | 3e f0 3d"
      "3c 00 00 00 02 6b 2e 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 00"
      "3c 00 02 02 02 6b 2e 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 20 68 65 6c 6c 6f 00");
}

inline Bytes example_j_zstd() {
  return compressed_example(
      "00 00 00 55", "d9 67 53 3a", "00 04",
      "28 b5 2f fd 00 58 dd 00 00 90 3c 00 00 00 02 6b 2e 68 65 6c 6c 6f 20 00 3c 00 02 02 02"
      "00 42 85 5a e6 f2 05");
}

// The remains of B after compaction when nothing survives but the producer's state must.
inline Bytes example_k() {
  return from_hex(
      "00 00 00 00 00 00 00 64 00 00 00 31 00 00 00 00"
      "02 eb e1 ef c1 00 00 00 00 00 02 ff ff ff ff ff"
      "ff ff ff 00 00 01 8b cf e5 68 05 00 00 04 00 00"
      "00 00 00 00 00 00 00 00 07 00 00 00 00");
}

// B after compaction at time T kept only its tombstone, delete horizon T + 86'400'000.
inline Bytes example_l() {
  return from_hex(
      "00 00 00 00 00 00 00 64 00 00 00 41 00 00 00 00"
      "02 fb 90 2d 08 00 40 00 00 00 02 00 00 01 8b d5"
      "0b c4 00 00 00 01 8b cf e5 67 fd 00 00 04 00 00"
      "00 00 00 00 00 00 00 00 07 00 00 00 01 1e 00 85"
      "f0 b2 52 04 0c 75 73 65 72 2d 31 01 00");
}

}  // namespace seriatim::test
