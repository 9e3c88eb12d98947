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

#include "base/mutex.hpp"
#include "catalog/catalog.hpp"
#include "directory/topics/topic.hpp"
#include "format/journal/journal_payload.hpp"
#include "journal/journal.hpp"

namespace seriatim::directory {

/// A position of a group, of a topic that was looked up.
struct PositionCommit {
  TopicPartition at{};
  catalog::Id topic_id{};
  catalog::CommittedOffset committed{};
};

/// The contents of a frame of the journal that stores them. Views of `group` and `commits`.
format::JournalCommittedOffsets journal_offsets(std::string_view group,
                                                const std::vector<PositionCommit>& commits);

/// Any thread.
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

  /// Stages the frame that forgets the group, and forgets what it had committed.
  /// @return the frame's LSN.
  /// Errors: as Journal::stage; nothing is forgotten then.
  Result<std::uint64_t> forget_group(journal::Journal& journal, std::string_view group);
  /// Enters a forgotten group of a frame that recovery found.
  void enter_forgotten(std::string_view group, std::uint64_t lsn);

  /// Newer than what the catalog has; nullopt: the catalog knows best, unless the group is forgotten.
  std::optional<catalog::CommittedOffset> find(std::string_view group, const TopicPartition& at,
                                               const catalog::Id& topic_id) const;
  /// The positions of a group that are newer than the catalog's, of topics that are still those of `topics`.
  std::map<TopicPartition, catalog::CommittedOffset> group(std::string_view group,
                                                           const TopicMap& topics) const;
  std::vector<std::string> groups() const;
  /// Whether what the catalog has of the group is forgotten. Asked before the catalog is.
  bool is_forgotten(std::string_view group) const;
  /// The groups of which that is so, sorted. For a checkpoint, asked before `pending`: of a group that is
  /// forgotten in between nothing is told then.
  std::vector<std::string> forgotten() const;

  /// Everything to be moved to the catalog, by group: all that frames have said that were staged before the
  /// call. Offsets of topics that are not in `topics` are left out: a commit that ran beside a
  /// deletion may have come after `forget_topic`, and the catalog knows topics by name only.
  std::map<std::string, std::vector<catalog::OffsetCommit>> pending(const TopicMap& topics) const;
  /// The catalog has what `pending` and `forgotten` told: lets go of what is not newer.
  void stored(std::uint64_t lsn);
  /// A topic was deleted; one of the same name is another.
  void forget_topic(const catalog::Id& topic_id);
  /// Of the newest frame that anything was told by; 0: nothing was. Read behind `pending`, it is none older
  /// than what that has told.
  std::uint64_t newest_lsn() const;
  /// Differs when something was committed since.
  std::uint64_t version() const;
  bool empty() const;

 private:
  // A transaction may tell of a topic that was deleted since: it must not take the place of what is known of
  // its successor.
  struct Key {
    std::string group{};
    TopicPartition at{};
    catalog::Id topic_id{};
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    catalog::CommittedOffset committed{};
    std::uint64_t lsn = 0;
  };

  using Entries = std::map<Key, Entry>;
  using Forgotten = std::map<std::string, std::uint64_t, std::less<>>;
  static Entries entries_of(std::string_view group, const std::vector<PositionCommit>& commits);
  void take(Entries& fresh, std::uint64_t lsn) noexcept SERIATIM_REQUIRES(mutex_);
  /// @param fresh  one of the group, made before.
  void forget_locked(Forgotten& fresh, std::uint64_t lsn) noexcept SERIATIM_REQUIRES(mutex_);

  mutable base::WordMutex mutex_;
  Entries entries_ SERIATIM_GUARDED_BY(mutex_);
  /// By group, the frame that forgot it.
  Forgotten forgotten_ SERIATIM_GUARDED_BY(mutex_);
  std::uint64_t newest_lsn_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::uint64_t version_ SERIATIM_GUARDED_BY(mutex_) = 0;
};

}  // namespace seriatim::directory
