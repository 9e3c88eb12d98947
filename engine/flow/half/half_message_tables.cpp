// Half messages of a directory that was written when their tables had other names.
#include <cstddef>
#include <string>
#include <vector>

#include "flow/half/half_messages_impl.hpp"
#include "flow/own_tables.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// Entries of one transaction; fewer where their values are large. Arbitrary.
constexpr std::size_t entries_at_once = 256;

BytesView bytes_of(const std::vector<std::byte>& bytes) { return {bytes.data(), bytes.size()}; }

// Errors: record_too_large: the transaction has no room for it any more, and goes on without it.
Result<> move_entry(const StateEntry& entry, TransactionTable& from, TransactionTable& to) {
  const BytesView key = bytes_of(entry.key);
  if (auto put = to.put(key, bytes_of(entry.value)); !put) return put;
  auto erased = from.erase(key);
  if (erased) return {};
  if (auto undone = to.erase(key); !undone) return undone;
  return erased;
}

}  // namespace

Result<> HalfMessagesImpl::move_older_tables() {
  if (auto moved = move_table(flow::older_undecided_state(name()), undecided_.name()); !moved) return moved;
  return move_table(flow::older_decided_state(name()), decided_.name());
}

// Each entry is in one of the two tables at any time: a crash leaves the rest to the next open.
Result<> HalfMessagesImpl::move_table(const std::string& from, const std::string& to) {
  auto older = engine_.state(from);
  if (!older) return older.error();
  for (;;) {
    auto page = older->scan({}, entries_at_once);
    if (!page) return page.error();
    if (page->empty()) return {};
    auto changed = change([&](Transaction& transaction) -> Result<> {
      auto source = transaction.state(from);
      auto target = flow::own_table(transaction, to);
      for (const StateEntry& entry : *page) {
        auto moved = move_entry(entry, source, target);
        const bool is_full = !moved && moved.error().code() == Errc::record_too_large;
        if (is_full && &entry != &page->front()) return {};
        if (!moved) return moved;
      }
      return {};
    });
    if (!changed) {
      std::string context = "moving half messages from state ";
      context.append(from).append(" to ").append(to);
      return changed.error().with_context(context);
    }
  }
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
