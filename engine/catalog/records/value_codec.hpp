// The frame of every value in the catalog: LMDB has no checksums, so each value carries its own.
//
//   0  u8   schema version of the payload
//   1  u64  XXH3-64 over database name, key, version and payload
//   9  ...  payload
//
// The hash covers the key and the database, so that a value that turns up under another key is noticed. This
// frame stays as it is in all versions: that is how a newer version is told from damage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "catalog/records/catalog_schema.hpp"

namespace seriatim::catalog {

inline constexpr std::uint8_t value_version = 1;
inline constexpr std::size_t value_header_bytes = 9;

/// The stored form of `payload` under `key`.
std::string encode_value(Database database, std::string_view key, std::string_view payload,
                         std::uint8_t version = value_version);

/// The payload in `value`, which it points into.
/// Errors: corrupt_metadata (names database and key) if the value is short or its hash differs;
/// unsupported_version if it is whole but of a version this program does not know.
Result<base::ByteSpan> decode_value(Database database, std::string_view key, base::ByteSpan value);

}  // namespace seriatim::catalog
