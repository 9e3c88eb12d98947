#include "flow/route/route_board.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <seriatim/admin.hpp>

#include "flow/own_tables.hpp"
#include "flow/route/binding_rules.hpp"

namespace seriatim::flow {
namespace {

// Publishes to several topics that go on at a time share their syncs. Arbitrary.
constexpr int transactions_at_once = 4;

std::string transactional_id_of(const std::string& name, int number) {
  return "route:" + name + ":" + std::to_string(number);
}

std::vector<std::string> publish_ids(const std::string& name) {
  std::vector<std::string> ids;
  for (int i = 1; i <= transactions_at_once; ++i) ids.push_back(transactional_id_of(name, i));
  return ids;
}

std::uint64_t next_table_number() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

// The boards of this process that somebody uses.
struct RouteBoards {
  std::mutex mutex{};
  std::vector<std::weak_ptr<RouteBoard>> boards{};
};
RouteBoards& route_boards() {
  static RouteBoards boards;
  return boards;
}

bool has_same_options(const RouterOptions& a, const RouterOptions& b) {
  return a.acks == b.acks && a.alternate_topic == b.alternate_topic;
}

Result<> check_topics(const Engine& engine, const std::vector<std::string_view>& topics) {
  const auto known = engine.admin().list_topics();
  if (!known) return known.error();
  for (const std::string_view topic : topics) {
    if (std::binary_search(known->begin(), known->end(), topic)) continue;
    return Error(Errc::unknown_topic_or_partition,
                 "there is no topic " + std::string(topic) + " to route to; create it first");
  }
  return {};
}

Error unknown_binding(const std::string& name, BindingId id) {
  return {Errc::not_found, "router " + name + " has no binding " + std::to_string(id) +
                               "; Router::bindings lists them, `seriatim route list` too"};
}

// The bindings behind a change, and what has to be stored for it.
class PlannedChange {
 public:
  PlannedChange(std::vector<Binding> of, BindingId next) : bindings(std::move(of)), next_id(next) {}

  /// @return whether there was such a binding.
  bool remove(BindingId id) {
    const auto found = std::lower_bound(bindings.begin(), bindings.end(), id,
                                        [](const Binding& one, BindingId other) { return one.id < other; });
    if (found == bindings.end() || found->id != id) return false;
    bindings.erase(found);
    removed.push_back(id);
    return true;
  }
  /// Behind all that is removed.
  void add(const std::vector<Binding>& wanted) {
    if (wanted.empty()) return;
    std::unordered_map<std::string, BindingId> known;  // By what they say.
    for (const Binding& binding : bindings) known.emplace(encode(binding), binding.id);
    for (Binding binding : wanted) {
      binding = normalised(std::move(binding));
      const auto [same, is_new] = known.emplace(encode(binding), next_id);
      ids.push_back(same->second);
      if (!is_new) continue;
      binding.id = next_id++;
      added.push_back(binding);
      bindings.push_back(std::move(binding));
    }
  }

  std::vector<Binding> bindings;  ///< By id.
  std::vector<Binding> added{};
  std::vector<BindingId> removed{};
  std::vector<BindingId> ids{};  ///< Of BindingChange::bind.
  BindingId next_id;
};

Result<> store(TransactionTable table, const PlannedChange& plan) {
  for (const BindingId id : plan.removed) {
    if (auto erased = table.erase(binding_key(id)); !erased) return erased;
  }
  for (const Binding& binding : plan.added) {
    if (auto put = table.put(binding_key(binding.id), encode(binding)); !put) return put;
  }
  return table.put(next_id_key(), encode_next_id(plan.next_id));
}

}  // namespace

Result<std::shared_ptr<RouteBoard>> RouteBoard::of(const Engine& engine, const RouterOptions& options) {
  // Before the mutex: a forked child is answered here, whose other threads are not there to unlock it.
  auto state = engine.state(route_state(options.name));
  if (!state) return state.error();
  auto producer = engine.producer({.acks = options.acks});
  if (!producer) return producer.error();
  if (!options.alternate_topic.empty()) {
    if (auto checked = check_topics(engine, {options.alternate_topic}); !checked) return checked.error();
  }
  std::shared_ptr<RouteBoard> board;
  {
    RouteBoards& all = route_boards();
    const std::lock_guard lock(all.mutex);
    std::erase_if(all.boards, [](const std::weak_ptr<RouteBoard>& one) { return one.expired(); });
    for (const auto& one : all.boards) {
      auto other = one.lock();
      if (other != nullptr && other->is_of(engine, options.name)) board = std::move(other);
    }
    if (board == nullptr) {
      board = std::make_shared<RouteBoard>(engine, options, *std::move(state), *std::move(producer));
      all.boards.push_back(board);
    }
  }
  if (!has_same_options(board->options_, options)) {
    return Error(Errc::invalid_state, "router " + options.name +
                                          " is open with another alternate topic or other acks; open it "
                                          "with the same, or close it there first");
  }
  if (auto loaded = board->load(); !loaded) return loaded.error();
  return board;
}

RouteBoard::RouteBoard(const Engine& engine, const RouterOptions& options, State state, Producer producer)
    : engine_(engine),
      options_(options),
      state_(std::move(state)),
      producer_(std::move(producer)),
      transactions_(engine, publish_ids(options.name), options.acks),
      changes_(engine, {transactional_id_of(options.name, 0)}, Acks::all),
      table_(std::make_shared<const RouteTable>(std::vector<Binding>())),
      newest_(next_table_number()) {}

// The path is a part of the engine: two handles of one engine give the same, and as long as the board holds
// one, no other engine can.
bool RouteBoard::is_of(const Engine& engine, const std::string& name) const noexcept {
  return &engine_.directory() == &engine.directory() && options_.name == name;
}

Result<> RouteBoard::load() {
  const std::lock_guard lock(change_mutex_);
  if (is_loaded_) return {};
  // A board before this one may have left a change whose end nobody knew: it is over then.
  auto settled = changes_.run([](Transaction&) { return Result<>(); });
  if (!settled) return settled;
  auto done = read();
  is_loaded_ = done.ok();
  return done;
}

Result<> RouteBoard::read() {
  auto stored = read_bindings(state_);
  if (!stored) return stored.error();
  auto table = std::make_shared<const RouteTable>(std::move(stored->bindings));
  next_id_ = stored->next_id;
  publish(std::move(table));
  return {};
}

Result<> RouteBoard::make_certain() {
  if (!is_uncertain_) return {};
  auto settled = changes_.run([](Transaction&) { return Result<>(); });
  if (!settled) return settled;
  auto done = read();
  is_uncertain_ = !done;
  return done;
}

RouteBoard::Snapshot RouteBoard::snapshot() const {
  const std::lock_guard lock(table_mutex_);
  return {table_, newest_.load(std::memory_order_relaxed)};
}

void RouteBoard::publish(std::shared_ptr<const RouteTable> table) noexcept {
  const std::lock_guard lock(table_mutex_);
  table_.swap(table);  // The old one goes behind the mutex.
  newest_.store(next_table_number(), std::memory_order_release);
}

Result<std::vector<Binding>> RouteBoard::bindings() {
  const std::lock_guard lock(change_mutex_);
  if (auto certain = make_certain(); !certain) return certain.error();
  return snapshot().table->bindings();
}

Result<std::vector<BindingId>> RouteBoard::change(const BindingChange& change) {
  std::vector<std::string_view> topics;
  for (const Binding& binding : change.bind) {
    if (auto checked = check_binding(binding); !checked) return checked.error();
    const auto more = topics_of(binding);
    topics.insert(topics.end(), more.begin(), more.end());
  }
  if (auto checked = check_topics(engine_, topics); !checked) return checked.error();

  const std::lock_guard lock(change_mutex_);
  if (auto certain = make_certain(); !certain) return certain.error();
  PlannedChange plan(snapshot().table->bindings(), next_id_);
  for (const BindingId id : change.unbind) {
    if (!plan.remove(id)) return unknown_binding(options_.name, id);
  }
  plan.add(change.bind);
  if (plan.added.empty() && plan.removed.empty()) return std::move(plan.ids);
  // Behind the commit nothing may fail any more.
  auto next = std::make_shared<const RouteTable>(std::move(plan.bindings));
  auto committed = changes_.run(
      [&](Transaction& transaction) { return store(own_table(transaction, state_.name()), plan); });
  if (!committed) {
    is_uncertain_ = committed.error().outcome() == Outcome::unknown;
    return committed.error().with_context("changing the bindings of router " + options_.name);
  }
  next_id_ = plan.next_id;
  publish(std::move(next));
  return std::move(plan.ids);
}

}  // namespace seriatim::flow
