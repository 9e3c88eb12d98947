#include "catalog/lmdb/meta_mend.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "catalog/lmdb/data_file_check.hpp"
#include "catalog/lmdb/page_walk.hpp"
#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/value_codec.hpp"

namespace seriatim::catalog {
namespace {

constexpr std::size_t number_at = 144;
constexpr std::size_t last_page_at = 136;

template <class T>
void store_native(std::vector<std::byte>& bytes, std::size_t position, T value) {
  std::memcpy(bytes.data() + position, &value, sizeof(value));
}

// A state that can be followed page by page.
struct SoundState {
  std::uint64_t number = 0;     // that it carries in itself
  std::uint64_t last_page = 0;  // the last one it refers to
};

std::optional<SoundState> walk_state(const std::string& directory, const lmdb::Meta& meta) {
  std::optional<std::uint64_t> number;
  const Result<PageCount> walked =
      walk_pages(directory, meta,
                 [&](std::string_view database, std::string_view key, base::ByteSpan value) -> Result<void> {
                   if (database == name_of(Database::engine) && key == transaction_key)
                     number = number_in(value);
                   return {};
                 });
  if (!walked || !number) return std::nullopt;
  return SoundState{*number, walked->last};
}

// A meta page that LMDB writes over a failed one has the old last page under new roots: that field is not
// asked.
std::optional<SoundState> find_state(const std::string& directory, const MetaSlot& slot,
                                     std::uint64_t number) {
  if (slot.bytes.size() < lmdb::meta_bytes) return std::nullopt;
  const std::string file = data_file(directory);
  const auto page_bytes = lmdb::load<std::uint32_t>(slot.bytes, 40);
  if (page_bytes < lmdb::page_bytes_min) return std::nullopt;
  std::error_code failure;
  const std::uintmax_t file_bytes = std::filesystem::file_size(file, failure);
  if (failure) return std::nullopt;
  std::vector<std::byte> bytes = slot.bytes;
  store_native(bytes, last_page_at, file_bytes / page_bytes + lmdb::dirty_pages_max - 1);
  const Result<lmdb::Meta> meta = parse_meta_page(file, bytes, number, slot.position);
  return meta ? walk_state(directory, *meta) : std::nullopt;
}

// The page of `slot` with the number and the last page that its state has.
MetaMend with_number(const MetaSlot& slot, const SoundState& state, std::uint64_t followed) {
  MetaMend mend{followed, slot.position, slot.bytes};
  store_native(mend.bytes, number_at, state.number);
  const auto last_page = lmdb::load<std::uint64_t>(slot.bytes, last_page_at);
  const bool is_kept = slot.meta.ok() && last_page >= state.last_page;
  store_native(mend.bytes, last_page_at, is_kept ? last_page : state.last_page);
  return mend;
}

// `state` once more, in the place of an older page from which nothing can be read.
MetaMend copied_to(const MetaSlot& to, std::uint64_t to_number, const MetaSlot& state) {
  MetaMend mend{state.claimed, to.position, state.bytes};
  store_native(mend.bytes, 0, to_number);
  store_native(mend.bytes, number_at, state.claimed - 1);
  return mend;
}

}  // namespace

std::optional<std::uint64_t> number_in(base::ByteSpan value) {
  const Result<base::ByteSpan> payload = decode_value(Database::engine, transaction_key, value);
  if (!payload || payload->size() != sizeof(std::uint64_t)) return std::nullopt;
  return base::load_be<std::uint64_t>(payload->data());
}

Result<std::optional<MetaMend>> find_meta_mend(const std::string& directory) {
  using Found = std::optional<MetaMend>;
  Result<std::array<MetaSlot, 2>> slots = read_meta_slots(directory);
  if (!slots && slots.error().code() == Errc::corrupt_metadata) return Found();
  if (!slots) return std::move(slots).error();
  const std::size_t newer = (*slots)[1].claimed > (*slots)[0].claimed ? 1 : 0;
  const MetaSlot& followed = (*slots)[newer];
  const MetaSlot& other = (*slots)[1 - newer];
  if (!followed.meta) return Found();  // A later state than any other, and nobody knows what it said.
  const std::optional<SoundState> state = walk_state(directory, *followed.meta);
  if (!state || state->number % 2 != newer) return Found();
  const std::optional<SoundState> beside = find_state(directory, other, 1 - newer);
  if (state->number != followed.claimed) {
    // Its number was raised. The other page tells whether it was the last one all the same.
    const bool is_other_sound = beside && beside->number == other.claimed;
    const bool follow_each_other =
        is_other_sound && (beside->number + 1 == state->number || state->number + 1 == beside->number);
    if (!follow_each_other) return Found();
    return Found(with_number(followed, *state, std::max(state->number, beside->number)));
  }
  if (beside && beside->number == followed.claimed + 1)
    return Found(with_number(other, *beside, beside->number));
  if (beside && beside->number > followed.claimed) return Found();
  const bool is_usable = other.meta && other.meta->page_bytes == followed.meta->page_bytes &&
                         other.claimed + 1 == followed.claimed;
  return is_usable ? Found() : Found(copied_to(other, 1 - newer, followed));
}

Result<MetaMend> without_other_state(const std::string& directory, std::uint64_t number) {
  const Result<std::array<MetaSlot, 2>> slots = read_meta_slots(directory);
  if (!slots) return slots.error();
  const MetaSlot& kept = (*slots)[number % 2];
  if (kept.meta && kept.claimed == number) return copied_to((*slots)[1 - number % 2], 1 - number % 2, kept);
  return Error(Errc::corrupt_metadata, data_file(directory) + ": no meta page is of transaction " +
                                           std::to_string(number) + damaged_catalog_advice);
}

}  // namespace seriatim::catalog
