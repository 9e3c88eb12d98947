#include "catalog/records/value_codec.hpp"

#include "base/xxh3.hpp"

namespace seriatim::catalog {
namespace {

// The zero bytes and the fixed-size length keep (database, key, payload) apart: no two triples give one
// input.
std::uint64_t hash_of(Database database, std::string_view key, std::uint8_t version,
                      std::string_view payload) {
  std::string input;
  input.reserve(name_of(database).size() + key.size() + payload.size() + 10);
  input += name_of(database);
  input.push_back('\0');
  std::byte length[sizeof(std::uint64_t)];
  base::store_be(length, static_cast<std::uint64_t>(key.size()));
  input += base::as_text(length);
  input += key;
  input.push_back(static_cast<char>(version));
  input += payload;
  return base::xxh3_64(base::as_bytes(input));
}

std::string place_of(Database database, std::string_view key) {
  return "database \"" + std::string(name_of(database)) + "\", key " + printable_key(key);
}

}  // namespace

std::string encode_value(Database database, std::string_view key, std::string_view payload,
                         std::uint8_t version) {
  std::string value(value_header_bytes, '\0');
  value[0] = static_cast<char>(version);
  base::store_be(reinterpret_cast<std::byte*>(value.data()) + 1, hash_of(database, key, version, payload));
  value += payload;
  return value;
}

Result<base::ByteSpan> decode_value(Database database, std::string_view key, base::ByteSpan value) {
  if (value.size() < value_header_bytes) {
    return Error(Errc::corrupt_metadata, "catalog " + place_of(database, key) + ": a value of " +
                                             std::to_string(value.size()) +
                                             " bytes is too short to hold version and checksum; restore the "
                                             "catalog from a backup");
  }
  const auto version = static_cast<std::uint8_t>(value[0]);
  const base::ByteSpan payload = value.subspan(value_header_bytes);
  if (base::load_be<std::uint64_t>(value.data() + 1) !=
      hash_of(database, key, version, base::as_text(payload))) {
    return Error(Errc::corrupt_metadata,
                 "catalog " + place_of(database, key) +
                     ": the checksum of the value does not match its bytes; restore the "
                     "catalog from a backup");
  }
  if (version != value_version) {
    return Error(Errc::unsupported_version,
                 "catalog " + place_of(database, key) + ": written in version " + std::to_string(version) +
                     ", this program knows version " + std::to_string(value_version) +
                     "; nothing is damaged, use the program version that wrote it or a newer one");
  }
  return payload;
}

}  // namespace seriatim::catalog
