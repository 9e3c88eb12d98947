// State between the journal, which makes its changes durable, and the catalog, which is its home: what is not
// there yet is kept here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/mutex.hpp"
#include "catalog/catalog.hpp"

namespace seriatim::directory {

/// Any thread.
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
  /// All of `name` from `from_key` on that is newer than the catalog's, in the order of the keys.
  std::map<std::string, Value> from(std::string_view name, base::ByteSpan from_key) const;

  /// Everything to be moved to the catalog.
  std::vector<catalog::StateChange> pending() const;
  /// Of the tables in `pending`, sorted.
  std::vector<std::string> names() const;
  /// The catalog has what `pending` told: forgets what is not newer than `lsn`.
  void stored(std::uint64_t lsn);
  /// Differs when something was entered since.
  std::uint64_t version() const;

 private:
  struct Entry {
    Value value{};
    std::uint64_t lsn = 0;
  };
  using Key = std::pair<std::string, std::string>;  // name and key

  mutable base::WordMutex mutex_;
  std::map<Key, Entry> entries_ SERIATIM_GUARDED_BY(mutex_);
  std::uint64_t version_ SERIATIM_GUARDED_BY(mutex_) = 0;
};

}  // namespace seriatim::directory
