// The opening of a `Deduplicator`: whoever held the name is fenced before its ids are read.
#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include <seriatim/admin.hpp>

#include "flow/dedupe/deduplicator_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::size_t loaded_at_once = 128;  // With their results, which may be long. Arbitrary.

std::string dedupe_transactional_id(std::string_view name, std::size_t number) {
  return "dedupe:" + std::string(name) + ":" + std::to_string(number);
}

Result<TransactionalProducer> open_dedupe_producer(const Engine& engine, const DeduplicatorOptions& options,
                                                   std::size_t number) {
  TransactionalProducerOptions opened = options.transactions;
  opened.transactional_id = dedupe_transactional_id(options.name, number);
  return engine.transactional_producer(std::move(opened));
}

bool are_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

DeduplicatorImpl::DeduplicatorImpl(State table, TransactionalProducer own, DeduplicatorOptions given,
                                   flow::RecipeClock clock)
    : table_(std::move(table)),
      options_(std::move(given)),
      now_(std::move(clock)),
      claims_(options_.wait),
      slots_(options_.transactions_max),
      ledger_({.time = options_.window_time, .count = options_.window_count}),
      sweeper_(*this, std::move(own)) {}

Result<std::shared_ptr<DeduplicatorImpl>> DeduplicatorImpl::make(const Engine& engine,
                                                                 DeduplicatorOptions options,
                                                                 flow::RecipeClock clock) {
  auto table = engine.state(flow::dedupe_state(options.name));
  if (!table) return table.error();
  auto own = open_dedupe_producer(engine, options, 0);
  if (!own) return own.error();
  auto impl = std::make_shared<DeduplicatorImpl>(*std::move(table), *std::move(own), std::move(options),
                                                 std::move(clock));
  // Nobody else changes the table once they are all ours.
  if (auto opened = impl->open_slots(engine); !opened) return opened.error();
  if (auto fenced = impl->fence_others(engine); !fenced) return fenced.error();
  return impl;
}

Result<Deduplicator> DeduplicatorImpl::open(const Engine& engine, DeduplicatorOptions options,
                                            flow::RecipeClock clock) {
  auto impl = make(engine, std::move(options), std::move(clock));
  if (!impl) return impl.error();
  if (auto loaded = (*impl)->load(); !loaded) return loaded.error();
  if (auto stored = (*impl)->store_limits(engine); !stored) return stored.error();
  Deduplicator opened(*std::move(impl));
  DeduplicatorImpl& made = *opened.impl_;
  if (made.options_.sweeps_in_background) {
    auto task = engine.task("dedupe " + made.options_.name, [&made] { return made.sweeper_.run(); });
    if (!task) return task.error();
    made.task_ = *std::move(task);
  }
  return opened;
}

// Without a look at the rows, which may be damaged.
Result<std::uint64_t> DeduplicatorImpl::purge_name(const Engine& engine, DeduplicatorOptions options) {
  auto impl = make(engine, std::move(options), flow::system_time);
  if (!impl) return impl.error();
  return (*impl)->sweeper_.purge(flow::dedupe_window_state((*impl)->options_.name));
}

Result<> DeduplicatorImpl::open_slots(const Engine& engine) {
  for (std::size_t i = 0; i < options_.transactions_max; ++i) {
    auto producer = open_dedupe_producer(engine, options_, i + 1);
    if (!producer) return producer.error();
    slots_.give(*std::move(producer));
  }
  return {};
}

// An instance before this one may have had more transactions.
Result<> DeduplicatorImpl::fence_others(const Engine& engine) {
  std::set<std::string> ours;
  for (std::size_t i = 0; i <= options_.transactions_max; ++i)
    ours.insert(dedupe_transactional_id(options_.name, i));
  const Admin admin = engine.admin();
  auto known = admin.list_transactions();
  if (!known) return known.error();
  const std::string prefix = "dedupe:" + options_.name + ":";
  for (const TransactionDescription& one : *known) {
    const std::string& id = one.transactional_id;
    const bool is_of_name = id.starts_with(prefix) && are_digits(std::string_view(id).substr(prefix.size()));
    if (!is_of_name || ours.contains(id)) continue;
    auto fenced = admin.fence_producer(id);
    if (!fenced && fenced.error().code() != Errc::transactional_id_not_found) return fenced;
  }
  return {};
}

Result<> DeduplicatorImpl::load() {
  std::string from;
  for (;;) {
    auto page = table_.scan(from, loaded_at_once);
    if (!page) return page.error();
    for (const StateEntry& entry : *page) {
      from.assign(reinterpret_cast<const char*>(entry.key.data()), entry.key.size());
      const auto row = flow::decode_dedupe_row(entry.value);
      if (!row) return flow::unreadable_dedupe(table_.name(), from);
      ledger_.load(row->mark);
    }
    if (page->size() < loaded_at_once) return {};
    from.push_back('\0');
  }
}

// With it, an instance that was fenced while it opened finds out.
Result<> DeduplicatorImpl::store_limits(const Engine& engine) {
  const std::string table = flow::dedupe_window_state(options_.name);
  auto state = engine.state(table);
  if (!state) return state.error();
  auto stored = state->get(flow::dedupe_window_key);
  if (!stored) return stored.error();
  const flow::DedupeLimits limits{.time = options_.window_time, .count = options_.window_count};
  if (*stored && flow::decode_dedupe_limits(**stored) == limits) return sweeper_.probe();
  return sweeper_.put(table, flow::dedupe_window_key, flow::encode(limits));
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
