// State between the journal, which makes its changes durable, and the catalog, which is its home: what is not
// there yet is kept here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "catalog/catalog.hpp"
#include "catalog/pending_table.hpp"

namespace seriatim::state {

/// Threads: any; gathering and all that is declared behind it: one at a time.
class StateStore {
 public:
  using Bytes = std::vector<std::byte>;
  /// Nothing: the key was erased.
  using Value = std::optional<Bytes>;

  /// Enters the changes of a decision, once it is safe; its values are taken. A value of a later decision
  /// stays.
  void enter(std::vector<catalog::StateChange>&& changes, std::uint64_t lsn);

  /// Newer than what the catalog has; nullopt: the catalog knows best.
  std::optional<Value> find(std::string_view name, base::ByteSpan key) const;
  /// The first of `name` from `from_key` on that are newer than the catalog's.
  struct Page {
    std::vector<std::pair<std::string, Value>> entries{};  ///< In the order of the keys.
    bool is_last = true;                                   ///< There are no more of them.
  };
  /// @param limit  1 or more; the page may have fewer, and not be the last all the same.
  Page page(std::string_view name, base::ByteSpan from_key, std::size_t limit) const;
  /// Of the tables with anything newer, sorted.
  std::vector<std::string> names() const;

  /// Whether `gather` would find anything.
  bool has_changes() const { return table_.has_changes(); }
  /// Adds all that was entered since the last gathering that the catalog has.
  void gather(catalog::TableWrites& to);
  /// The catalog has what `gather` told, and all that frames up to `covered_lsn` tell: forgets these.
  void stored(std::uint64_t covered_lsn) noexcept { table_.stored(covered_lsn); }

 private:
  using Key = std::pair<std::string, std::string>;  // name and key
  /// nullptr: erased. Shared, since a look copies it with the lock held.
  using Stored = std::shared_ptr<const Bytes>;
  using Table = catalog::PendingTable<Key, Stored>;

  Table table_;
};

}  // namespace seriatim::state
