#include "format/index_entry.hpp"

namespace seriatim::format {
namespace {

constexpr std::int16_t aborted_transaction_version = 0;

}  // namespace

bool load_aborted_transaction(const std::byte* from, AbortedTransaction& out) noexcept {
  const AbortedTransaction entry{.producer_id = base::load_be<std::int64_t>(from + 2),
                                 .first_offset = base::load_be<std::int64_t>(from + 10),
                                 .last_offset = base::load_be<std::int64_t>(from + 18),
                                 .last_stable_offset = base::load_be<std::int64_t>(from + 26)};
  const bool valid = base::load_be<std::int16_t>(from) == aborted_transaction_version &&
                     entry.producer_id >= 0 && entry.first_offset >= 0 &&
                     entry.last_offset >= entry.first_offset && entry.last_stable_offset >= 0;
  if (valid) out = entry;
  return valid;
}

void store_aborted_transaction(std::byte* to, const AbortedTransaction& entry) noexcept {
  base::store_be(to, aborted_transaction_version);
  base::store_be(to + 2, entry.producer_id);
  base::store_be(to + 10, entry.first_offset);
  base::store_be(to + 18, entry.last_offset);
  base::store_be(to + 26, entry.last_stable_offset);
}

std::vector<std::byte> encode_aborted_transactions(std::span<const AbortedTransaction> entries) {
  std::vector<std::byte> bytes(entries.size() * aborted_transaction_bytes);
  for (std::size_t i = 0; i < entries.size(); ++i)
    store_aborted_transaction(bytes.data() + i * aborted_transaction_bytes, entries[i]);
  return bytes;
}

}  // namespace seriatim::format
