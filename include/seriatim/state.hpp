/// @file
/// `State`: a named key-value table that changes with transactions.
#pragma once

#include <seriatim/language.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/export.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

namespace detail {
struct EngineImpl;
}

/// A key and its value, copied.
struct StateEntry {
  std::vector<std::byte> key{};
  std::vector<std::byte> value{};
};

/// A named table of keys and values, as committed transactions left it (`Transaction::state` changes it). It
/// exists as long as it has a key. Made by `Engine::state`; keeps the engine alive.
///
/// A read-only engine sees changes about a second after they were committed.
/// Threads: any.
class SERIATIM_API State {
 public:
  /// Nothing if there is no such key.
  /// @param key  1..400 bytes.
  /// Errors: invalid_argument · corrupt_metadata · closed, invalid_state.
  /// Cost: a look-up in memory, or a short read transaction of LMDB.
  Result<std::optional<std::vector<std::byte>>> get(BytesView key) const;
  /// Entries in byte order of their keys, from the first that is not below `from_key` (empty or null: from
  /// the beginning), at most `limit`. For the next page go on from the last key with a zero byte behind it.
  /// Changes between two pages are seen or not, key by key.
  /// Errors: as `get`.
  /// Cost: copies the entries, up to 1 MiB each.
  Result<std::vector<StateEntry>> scan(BytesView from_key, std::size_t limit) const;
  const std::string& name() const noexcept { return name_; }

 private:
  friend class Engine;
  State(std::shared_ptr<detail::EngineImpl> engine, std::string name) noexcept
      : engine_(std::move(engine)), name_(std::move(name)) {}
  std::shared_ptr<detail::EngineImpl> engine_;
  std::string name_;
};

}  // namespace v0
}  // namespace seriatim
