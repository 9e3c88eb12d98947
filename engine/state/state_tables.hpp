// The state tables of an engine: what transactions have changed, over what the catalog has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/state.hpp>

#include "base/bytes.hpp"
#include "catalog/catalog.hpp"
#include "state/durable_facts.hpp"
#include "state/state_store.hpp"

namespace seriatim::state {

/// Threads: any; the functions of DurableFacts as there.
class StateTables final : public DurableFacts {
 public:
  /// @param catalog  outlives this; there when anything is asked.
  explicit StateTables(const std::optional<catalog::Catalog>& catalog) : catalog_(catalog) {}

  /// Enters the changes of a decision, once it is safe; its values are taken. A value of a later decision
  /// stays.
  void enter(std::vector<catalog::StateChange>&& changes, std::uint64_t lsn) {
    newer_.enter(std::move(changes), lsn);
  }
  /// Errors: as catalog::state_value.
  Result<std::optional<std::vector<std::byte>>> value(std::string_view name, base::ByteSpan key) const;
  /// At most `limit` entries from `from_key` on, in byte order of the keys.
  /// Errors: as catalog::scan_state.
  /// Cost: in proportion to `limit` and to erased keys in between.
  Result<std::vector<StateEntry>> scan(std::string_view name, base::ByteSpan from_key,
                                       std::size_t limit) const;
  /// Of the tables with keys, sorted.
  Result<std::vector<std::string>> names() const;

  Result<> replay(const ReplayedFrame& frame) override;
  bool has_changes() const override { return newer_.has_changes(); }
  void gather(catalog::TableWrites& to) override { newer_.gather(to); }
  void stored(std::uint64_t covered_lsn) noexcept override { newer_.stored(covered_lsn); }

 private:
  const std::optional<catalog::Catalog>& catalog_;
  StateStore newer_;
};

}  // namespace seriatim::state
