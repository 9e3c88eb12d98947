#include "flow/delayed/delayed_tables.hpp"

#include <algorithm>
#include <utility>

#include "flow/delayed/delayed_codec.hpp"
#include "flow/delayed/delayed_ids.hpp"

namespace seriatim::flow {
namespace {

std::string key_text(const std::vector<std::byte>& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

// The least key that is larger.
std::string behind(std::string key) {
  key.push_back('\0');
  return key;
}

Result<DelayedMessage> listed_message(DelayedListing which, const State& table, const StateEntry& entry) {
  const auto at = decode_delayed_key(entry.key);
  if (!at) return unreadable_delayed(table.name(), entry.key);
  auto message = which == DelayedListing::parked ? decode_parked_message(*at, entry.value)
                                                 : decode_delayed(*at, entry.value);
  if (!message) return unreadable_delayed(table.name(), entry.key);
  return *std::move(message);
}

}  // namespace

DelayedTables::DelayedTables(State pending, State parked, State ids) noexcept
    : pending_(std::move(pending)), parked_(std::move(parked)), ids_(std::move(ids)) {}

Result<DelayedTables> DelayedTables::open(const Engine& engine, std::string_view name) {
  auto pending = engine.state(delayed_state(name));
  if (!pending) return pending.error();
  auto parked = engine.state(parked_delayed_state(name));
  if (!parked) return parked.error();
  auto ids = engine.state(delayed_ids_state(name));
  if (!ids) return ids.error();
  return DelayedTables(*std::move(pending), *std::move(parked), *std::move(ids));
}

Result<std::optional<Timestamp>> DelayedTables::due_of(std::string_view id) const {
  auto bytes = ids_.get(id);
  if (!bytes) return bytes.error();
  if (!*bytes) return made_due(id);
  auto due = decode_due(**bytes);
  if (!due) return unreadable_delayed(ids_.name(), std::as_bytes(std::span(id)));
  return due;
}

Result<std::optional<DelayedRow>> DelayedTables::find(std::string_view id) const {
  auto due = due_of(id);
  if (!due) return due.error();
  if (!*due) return std::optional<DelayedRow>();
  DelayedRow row{.at = {.due = **due, .id = std::string(id)}};
  const std::string key = delayed_key(row.at);
  auto pending = pending_.get(key);
  if (!pending) return pending.error();
  if (*pending) {
    row.pending = **std::move(pending);
    row.message = decode_delayed(row.at, row.pending);
  } else {
    auto parked = parked_.get(key);
    if (!parked) return parked.error();
    if (!*parked) return std::optional<DelayedRow>();
    auto decoded = decode_parked(**parked);
    if (!decoded) return unreadable_delayed(parked_.name(), std::as_bytes(std::span(key)));
    row.is_parked = true;
    row.pending.assign(decoded->row.begin(), decoded->row.end());
    row.message = decode_parked_message(row.at, **parked);
  }
  row.has_id_row = has_id_row(row.pending);
  return std::optional<DelayedRow>(std::move(row));
}

Result<std::vector<DelayedMessage>> DelayedTables::list(DelayedListing which, const DelayedPosition& after,
                                                        std::size_t limit) const {
  const State& table = which == DelayedListing::parked ? parked_ : pending_;
  std::vector<DelayedMessage> messages;
  std::string from = after.id.empty() ? delayed_key(after) : behind(delayed_key(after));
  while (messages.size() < limit) {
    const std::size_t wanted = std::min(limit - messages.size(), delayed_page_rows);
    auto page = table.scan(from, wanted);
    if (!page) return page.error();
    for (const StateEntry& entry : *page) {
      auto message = listed_message(which, table, entry);
      if (!message) return message.error();
      messages.push_back(*std::move(message));
    }
    if (page->size() < wanted) break;
    from = behind(key_text(page->back().key));
  }
  return messages;
}

Result<std::uint64_t> DelayedTables::count(DelayedListing which) const {
  const State& table = which == DelayedListing::parked ? parked_ : pending_;
  std::uint64_t rows = 0;
  for (std::string from;;) {
    auto page = table.scan(from, delayed_page_rows);
    if (!page) return page.error();
    rows += page->size();
    if (page->size() < delayed_page_rows) return rows;
    from = behind(key_text(page->back().key));
  }
}

}  // namespace seriatim::flow
