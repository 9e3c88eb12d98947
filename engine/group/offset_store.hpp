// Committed offsets between the journal, which makes them durable, and the catalog, which is their home: what
// is not there yet is kept here, so that a commit costs a journal frame and no transaction.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "catalog/catalog.hpp"
#include "catalog/pending_table.hpp"
#include "format/journal/journal_payload.hpp"
#include "journal/journal.hpp"

namespace seriatim::group {

/// Whether a topic of this name and id is there, as it was at one moment.
using IsCurrentTopic = std::function<bool(const std::string& name, const catalog::Id& id)>;

/// Stands for a position that is forgotten (docs/data_directory.md, frames of type 3).
inline constexpr Offset forgotten_position = -1;
inline bool is_forgotten(const catalog::CommittedOffset& committed) noexcept {
  return committed.offset == forgotten_position;
}

/// A position of a group, or that there is none any more, of a topic that was looked up.
struct PositionCommit {
  TopicPartition at{};
  catalog::Id topic_id{};
  catalog::CommittedOffset committed{};
};

/// That there is none any more.
PositionCommit forgotten_at(const TopicPartition& at, const catalog::Id& topic_id, std::int64_t now_ms);

/// A position as a look found it.
struct SeenPosition {
  catalog::CommittedOffset committed{};
  catalog::Id topic_id{};
  std::uint64_t lsn = 0;  ///< Of the frame that told it; 0: the catalog did.
};
using SeenPositions = std::map<TopicPartition, SeenPosition>;

/// The contents of a frame of the journal that stores them. Views of `group` and `commits`.
format::JournalCommittedOffsets journal_offsets(std::string_view group,
                                                const std::vector<PositionCommit>& commits);

/// Threads: any; gathering and all that is declared behind it: one at a time.
class OffsetStore {
 public:
  /// Stages one frame for all of `commits` and remembers them. They are visible at once.
  /// @return the frame's LSN.
  /// Errors: as Journal::stage; nothing is remembered then.
  Result<std::uint64_t> commit(journal::Journal& journal, std::string_view group,
                               const std::vector<PositionCommit>& commits);
  /// Enters the offsets of another frame of the journal: one that recovery found, or a transaction's
  /// decision, once it is safe. An offset of a later frame stays.
  void enter(std::string_view group, const std::vector<PositionCommit>& commits, std::uint64_t lsn);

  /// Stages one frame that forgets these positions, unless the group has committed one of them since they
  /// were seen, or may have.
  /// @param removals  read before they were looked for.
  /// @return the frame's LSN; nothing: nothing was staged.
  /// Errors: as Journal::stage; nothing is forgotten then.
  Result<std::optional<std::uint64_t>> forget_unchanged(journal::Journal& journal, std::string_view group,
                                                        const SeenPositions& seen, std::uint64_t removals,
                                                        std::int64_t now_ms);
  /// As PendingTable::removals, of the positions.
  std::uint64_t removals() const { return positions_.removals(); }

  /// Stages the frame that forgets the group, and forgets what it had committed.
  /// @return the frame's LSN.
  /// Errors: as Journal::stage; nothing is forgotten then.
  Result<std::uint64_t> forget_group(journal::Journal& journal, std::string_view group);
  /// Enters a forgotten group of a frame that recovery found.
  void enter_forgotten(std::string_view group, std::uint64_t lsn);

  /// Newer than what the catalog has, and perhaps forgotten; nullopt: the catalog knows best, unless the
  /// group is forgotten.
  std::optional<catalog::CommittedOffset> find(std::string_view group, const TopicPartition& at,
                                               const catalog::Id& topic_id) const;
  /// The positions of a group that are newer than the catalog's, and those that are forgotten, of topics that
  /// are still there.
  SeenPositions group(std::string_view group, const IsCurrentTopic& is_current) const;
  /// The groups that have a position here, sorted.
  std::vector<std::string> groups() const;
  /// The groups of which a position is forgotten, sorted: the catalog may have no other.
  std::vector<std::string> thinned_groups() const;
  /// Whether what the catalog has of the group is forgotten. Asked before the catalog is.
  bool is_forgotten(std::string_view group) const;
  /// The groups of which that is so, sorted.
  std::vector<std::string> forgotten() const;

  /// Whether `gather` would find anything.
  bool has_changes() const { return positions_.has_changes() || forgotten_.has_changes(); }
  /// Adds what is to be moved to the catalog: all that frames have said that were staged before the call, but
  /// for those the catalog has by an earlier gathering. Offsets of topics that are not there are left
  /// out: a commit that ran beside a deletion may have come after `forget_topic`, and no topic may be deleted
  /// until the catalog has what was gathered.
  void gather(const IsCurrentTopic& is_current, catalog::TableWrites& to);
  /// The catalog has what `gather` told, and all that frames up to `covered_lsn` tell: forgets these.
  void stored(std::uint64_t covered_lsn) noexcept;
  /// Forgets all that frames up to `lsn` tell: the catalog has it, and something that is better.
  void forget(std::uint64_t lsn) noexcept;
  /// A topic was deleted; one of the same name is another.
  void forget_topic(const catalog::Id& topic_id);
  /// Of the newest frame that anything was told by; 0: nothing was. Read behind `gather`, it is none older
  /// than what that has told.
  std::uint64_t newest_lsn() const;
  bool empty() const { return positions_.empty() && forgotten_.empty(); }

 private:
  // A transaction may tell of a topic that was deleted since: it must not take the place of what is known of
  // its successor.
  struct Key {
    std::string group{};
    TopicPartition at{};
    catalog::Id topic_id{};
    auto operator<=>(const Key&) const = default;
  };
  struct Nothing {};
  using Positions = catalog::PendingTable<Key, catalog::CommittedOffset>;
  using Forgotten = catalog::PendingTable<std::string, Nothing>;

  static Positions::Entries entries_of(std::string_view group, const std::vector<PositionCommit>& commits);
  /// The frame that forgot the group; 0: none of those that are pending.
  std::uint64_t forgotten_lsn(std::string_view group) const;
  /// Calls `visit` with each key and entry of the group that is not forgotten, until it returns false.
  template <class Visit>
  void for_each_of(std::string_view group, const Visit& visit) const;
  /// The groups that have an entry, of a position or of a forgotten one.
  std::vector<std::string> groups_with(bool is_forgotten_one) const;

  // A position of a frame before the one that forgot its group is not there, wherever it is: so a look asks
  // for the latter first, and a checkpoint lets go of it last.
  Positions positions_;
  Forgotten forgotten_;
};

}  // namespace seriatim::group
