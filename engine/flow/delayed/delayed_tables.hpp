// The tables of one name of delayed messages, to be read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/flow/delayed_messages.hpp>
#include <seriatim/result.hpp>
#include <seriatim/state.hpp>

namespace seriatim::flow {

/// Rows that a scan copies at a time: of the largest ones 32 MiB.
inline constexpr std::size_t delayed_page_rows = 32;

/// The row of a message, wherever it is.
struct DelayedRow {
  DelayedPosition at{};
  bool is_parked = false;
  bool has_id_row = false;
  std::vector<std::byte> pending{};         ///< As a pending row.
  std::optional<DelayedMessage> message{};  ///< Nothing: the row cannot be read.
};

/// Threads: any.
class DelayedTables {
 public:
  /// Errors: as Engine::state.
  static Result<DelayedTables> open(const Engine& engine, std::string_view name);

  const State& pending() const noexcept { return pending_; }
  const State& parked() const noexcept { return parked_; }
  const State& ids() const noexcept { return ids_; }

  /// Errors: as State::get; corrupt_metadata.
  Result<std::optional<DelayedRow>> find(std::string_view id) const;
  /// As DelayedMessages::list.
  Result<std::vector<DelayedMessage>> list(DelayedListing which, const DelayedPosition& after,
                                           std::size_t limit) const;
  /// As DelayedMessages::count.
  Result<std::uint64_t> count(DelayedListing which) const;

 private:
  DelayedTables(State pending, State parked, State ids) noexcept;
  Result<std::optional<Timestamp>> due_of(std::string_view id) const;

  State pending_;
  State parked_;
  State ids_;
};

}  // namespace seriatim::flow
