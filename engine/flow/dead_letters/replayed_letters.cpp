#include "flow/dead_letters/replayed_letters.hpp"

#include <cstdint>
#include <type_traits>
#include <utility>

#include "flow/own_tables.hpp"

namespace seriatim::flow {
namespace {

constexpr const char* replayed_table = "__dlq_replayed";

// The largest byte first, so that keys have the order of their numbers, which are not negative.
template <class Integer>
void append_ordered(std::string& key, Integer number) {
  const auto bits = static_cast<std::make_unsigned_t<Integer>>(number);
  for (std::size_t shift = sizeof(Integer) * 8; shift > 0; shift -= 8)
    key.push_back(static_cast<char>((bits >> (shift - 8)) & 0xFFU));
}

}  // namespace

Result<ReplayedLetters> ReplayedLetters::open(const Engine& engine, std::string topic_id) {
  auto table = engine.state(replayed_table);
  if (!table) return table.error();
  return ReplayedLetters(*std::move(table), std::move(topic_id));
}

ReplayedLetters::ReplayedLetters(State table, std::string topic_id) noexcept
    : table_(std::move(table)), topic_id_(std::move(topic_id)) {}

std::string ReplayedLetters::key_of(PartitionId partition, Offset offset) const {
  std::string key = topic_id_;
  append_ordered(key, partition);
  append_ordered(key, offset);
  return key;
}

Result<bool> ReplayedLetters::contains(PartitionId partition, Offset offset) const {
  auto row = table_.get(key_of(partition, offset));
  if (!row) return row.error();
  return row->has_value();
}

Result<> ReplayedLetters::add(Transaction& transaction, const DeadLetterPosition& letter,
                              std::string_view where) const {
  return own_table(transaction, replayed_table).put(key_of(letter.partition, letter.offset), where);
}

Result<std::size_t> ReplayedLetters::forget(Transaction& transaction, const DeadLetterPosition& before,
                                            std::size_t limit) const {
  auto rows = table_.scan(key_of(before.partition, 0), limit);
  if (!rows) return rows.error();
  const std::string end = key_of(before.partition, before.offset);
  std::size_t forgotten = 0;
  for (const StateEntry& row : *rows) {
    const BytesView key(row.key.data(), row.key.size());
    if (key.text() >= end) break;
    if (auto erased = own_table(transaction, replayed_table).erase(key); !erased) return erased.error();
    ++forgotten;
  }
  return forgotten;
}

}  // namespace seriatim::flow
