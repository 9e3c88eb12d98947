// CRC-32C (Castagnoli), the checksum of a Kafka record batch.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace seriatim::base {

/// CRC-32C of `bytes`: reflected polynomial 0x82F63B78, initial and final xor 0xFFFFFFFF, so that the
/// nine ASCII digits 123456789 give 0xE3069283. Any thread.
std::uint32_t crc32c(ByteSpan bytes) noexcept;

/// The CRC of `a + b`, given `crc_of_a = crc32c(a)`: continues where it ended. Any thread.
std::uint32_t crc32c_extend(std::uint32_t crc_of_a, ByteSpan b) noexcept;

/// The same, where `crc_of_b = crc32c(b)` is known already: for 5 to 512 bytes `b` is then not read again, so
/// that both CRCs can be computed side by side. Any thread.
std::uint32_t crc32c_append(std::uint32_t crc_of_a, std::uint32_t crc_of_b, ByteSpan b) noexcept;

}  // namespace seriatim::base
