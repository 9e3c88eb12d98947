// Windows as they are stored, also in a read-only engine.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/admin.hpp>
#include <seriatim/exception.hpp>

#include "flow/dedupe/deduplicator_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t dedupe_page_entries = 128;  // With their results, which may be long. Arbitrary.

Result<flow::DedupeLimits> stored_limits(const Engine& engine, std::string_view name) {
  const std::string table = flow::dedupe_window_state(name);
  auto state = engine.state(table);
  if (!state) return state.error();
  auto stored = state->get(flow::dedupe_window_key);
  if (!stored) return stored.error();
  if (!*stored) {
    return Error(Errc::not_found, "no deduplicator was opened with the name \"" + std::string(name) +
                                      "\" in " + engine.directory().string() +
                                      "; seriatim dedupe list shows those that were");
  }
  auto limits = flow::decode_dedupe_limits(**stored);
  if (!limits) return flow::unreadable_dedupe(table, flow::dedupe_window_key);
  return *limits;
}

Result<std::vector<DedupeEntry>> entries_from(const State& table, std::string_view from, std::size_t limit) {
  auto page = table.scan(from, limit);
  if (!page) return page.error();
  std::vector<DedupeEntry> entries;
  entries.reserve(page->size());
  for (const StateEntry& entry : *page) {
    std::string id(reinterpret_cast<const char*>(entry.key.data()), entry.key.size());
    auto row = flow::decode_dedupe_row(entry.value);
    if (!row) return flow::unreadable_dedupe(table.name(), id);
    entries.push_back({.id = std::move(id), .time = row->mark.time, .result = std::move(row->result)});
  }
  return entries;
}

void count(DedupeDescription& described, const DedupeEntry& entry) {
  ++described.ids;
  if (entry.result) {
    ++described.results;
    described.result_bytes += entry.result->size();
  }
  if (!described.oldest || entry.time < *described.oldest) described.oldest = entry.time;
  if (!described.newest || entry.time > *described.newest) described.newest = entry.time;
}

}  // namespace

Result<std::vector<std::string>> list_deduplicators(const Engine& engine) try {
  auto states = engine.admin().list_states();
  if (!states) return states.error();
  const std::string prefix = flow::dedupe_window_state({});
  std::vector<std::string> names;
  for (const std::string& state : *states) {
    if (state.starts_with(prefix)) names.push_back(state.substr(prefix.size()));
  }
  return names;
} catch (...) {
  return current_error();
}

Result<DedupeDescription> describe_deduplicator(const Engine& engine, std::string_view name) try {
  auto limits = stored_limits(engine, name);
  if (!limits) return limits.error();
  auto table = engine.state(flow::dedupe_state(name));
  if (!table) return table.error();
  DedupeDescription described{
      .name = std::string(name), .window_time = limits->time, .window_count = limits->count};
  std::string from;
  for (;;) {
    auto page = entries_from(*table, from, dedupe_page_entries);
    if (!page) return page.error();
    for (const DedupeEntry& entry : *page) count(described, entry);
    if (page->size() < dedupe_page_entries) return described;
    from = page->back().id + '\0';
  }
} catch (...) {
  return current_error();
}

Result<std::vector<DedupeEntry>> list_dedupe_ids(const Engine& engine, std::string_view name,
                                                 std::string_view from_id, std::size_t limit) try {
  auto table = engine.state(flow::dedupe_state(name));
  if (!table) return table.error();
  return entries_from(*table, from_id, limit);
} catch (...) {
  return current_error();
}

Result<std::uint64_t> delete_deduplicator(const Engine& engine, std::string_view name) try {
  const auto limits = stored_limits(engine, name);
  if (!limits && limits.error().code() != Errc::corrupt_metadata) return limits.error();
  return detail::DeduplicatorImpl::purge_name(
      engine, {.name = std::string(name), .transactions_max = 1, .sweeps_in_background = false});
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
