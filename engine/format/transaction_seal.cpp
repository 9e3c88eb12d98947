#include "format/transaction_seal.hpp"

#include <limits>

#include "base/assert.hpp"
#include "base/xxh3.hpp"

namespace seriatim::format {
namespace {

constexpr std::uint32_t seal_magic = 0x73545831;  // "sTX1"
constexpr std::size_t seal_hash_at = 20;
constexpr std::uint64_t seal_field_max = std::numeric_limits<std::uint32_t>::max();

// Of another segment's entries it is not the seal.
std::uint64_t seal_hash(base::ByteSpan covered, Offset base_offset) noexcept {
  return base::xxh3_64(covered, static_cast<std::uint64_t>(base_offset));
}

}  // namespace

bool can_be_stored(const TransactionSeal& seal, Offset base_offset) noexcept {
  return seal.log_bytes <= seal_field_max && seal.end_offset >= base_offset &&
         static_cast<std::uint64_t>(seal.end_offset - base_offset) <= seal_field_max &&
         seal.first_open_offset >= 0 && seal.first_open_offset <= seal.end_offset;
}

std::vector<std::byte> encode_sealed_transactions(std::span<const AbortedTransaction> entries,
                                                  const TransactionSeal& seal, Offset base_offset) {
  SERIATIM_ASSERT(can_be_stored(seal, base_offset));
  auto file = encode_aborted_transactions(entries);
  const std::size_t at = file.size();
  file.resize(at + transaction_seal_bytes);
  std::byte* const to = file.data() + at;
  base::store_be(to, seal_magic);
  base::store_be(to + 4, static_cast<std::uint32_t>(seal.log_bytes));
  base::store_be(to + 8, static_cast<std::uint32_t>(seal.end_offset - base_offset));
  base::store_be(to + 12, seal.first_open_offset);
  base::store_be(to + seal_hash_at, seal_hash(base::ByteSpan(file).first(at + seal_hash_at), base_offset));
  return file;
}

std::optional<TransactionSeal> load_transaction_seal(base::ByteSpan file, Offset base_offset) noexcept {
  if (file.size() % aborted_transaction_bytes != transaction_seal_bytes) return std::nullopt;
  const std::byte* const from = file.data() + file.size() - transaction_seal_bytes;
  if (base::load_be<std::uint32_t>(from) != seal_magic) return std::nullopt;
  const auto covered = file.first(file.size() - transaction_seal_bytes + seal_hash_at);
  if (base::load_be<std::uint64_t>(from + seal_hash_at) != seal_hash(covered, base_offset))
    return std::nullopt;
  const TransactionSeal seal{
      .log_bytes = base::load_be<std::uint32_t>(from + 4),
      .end_offset = base_offset + static_cast<Offset>(base::load_be<std::uint32_t>(from + 8)),
      .first_open_offset = base::load_be<std::int64_t>(from + 12)};
  if (!can_be_stored(seal, base_offset)) return std::nullopt;
  return seal;
}

}  // namespace seriatim::format
