// A journal in memory, and what the tests stage into it and read back.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "journal/journal.hpp"
#include "support/memory_vfs.hpp"

namespace seriatim::test {

inline format::Id test_id(std::uint8_t first) {
  format::Id id{};
  id[0] = std::byte{first};
  id[15] = std::byte{1};
  return id;
}

/// A batch frame whose body is `text`: of odd length pinned, else to be copied before `text` goes.
inline journal::StagedFrame frame_of(const std::string& text, Offset base_offset = 0) {
  if (text.size() % 2 == 0)
    return journal::StagedFrame::batch({test_id(9), 0, base_offset, 0, 0}, base::as_bytes(text), nullptr);
  auto body = std::make_shared<const std::string>(text);
  const base::ByteSpan bytes = base::as_bytes(*body);
  return journal::StagedFrame::batch({test_id(9), 0, base_offset, 0, 0}, bytes, std::move(body));
}

/// Remembers what it is shown: by LSN, the body of a batch, or a word for the others.
class Collector final : public journal::JournalVisitor {
 public:
  Result<void> batch(const journal::FramePlace& place, const format::JournalBatch& batch) override {
    return add(place, std::string(base::as_text(batch.batch)));
  }
  Result<void> synced_range(const journal::FramePlace& place,
                            const format::JournalSyncedRange& range) override {
    return add(place, "range " + std::to_string(range.length));
  }
  Result<void> committed_offsets(const journal::FramePlace& place,
                                 const format::JournalCommittedOffsets& commit) override {
    return add(place, "offsets of " + std::string(commit.group));
  }
  Result<void> decision(const journal::FramePlace& place, const format::JournalDecision& decision) override {
    return add(place, "decision of " + std::string(decision.transactional_id));
  }
  Result<void> forgotten_group(const journal::FramePlace& place,
                               const format::JournalForgottenGroup& forgotten) override {
    return add(place, "end of " + std::string(forgotten.group));
  }
  Result<void> share_progress(const journal::FramePlace& place,
                              const format::JournalShareProgress& progress) override {
    return add(place, "progress of " + std::string(progress.group));
  }
  Result<void> share_group(const journal::FramePlace& place,
                           const format::JournalShareGroup& group) override {
    return add(place, "settings of " + std::string(group.group));
  }

  std::map<std::uint64_t, std::string> frames{};
  std::uint64_t refuse_lsn = 0;

 private:
  Result<void> add(const journal::FramePlace& place, std::string text) {
    if (place.lsn == refuse_lsn) return Error(Errc::invalid_state, "refused by the test");
    REQUIRE(frames.emplace(place.lsn, std::move(text)).second);
    return {};
  }
};

/// One directory through any number of runs.
struct JournalWorld {
  static constexpr const char* directory = "data/journal";

  JournalWorld() { REQUIRE(vfs.create_directory("data")); }
  // A test's hook may be gone when a journal closes that a failed check left open.
  ~JournalWorld() {
    vfs.before_change = nullptr;
    vfs.after_sync = nullptr;
    front = nullptr;
    journal.reset();
  }

  journal::JournalOptions options() {
    journal::JournalOptions options{.vfs = front != nullptr ? *front : vfs};
    options.directory = directory;
    options.directory_id = test_id(1);
    options.incarnation = ++incarnation;
    options.file_bytes = journal::journal_file_bytes_min;
    return options;
  }

  Result<journal::JournalContents> read(journal::JournalVisitor& visitor, bool is_writer = true) {
    return journal::read_journal({.directory = directory,
                                  .directory_id = test_id(1),
                                  .covered_lsn = covered_lsn,
                                  .is_writer = is_writer,
                                  .salvages = salvages,
                                  .vfs = front != nullptr ? *front : vfs},
                                 visitor);
  }

  /// Reads back into `replayed` and opens for writing.
  void open() { open(options()); }
  void open(journal::JournalOptions options) {
    journal.reset();
    replayed = {};
    Collector collector;
    auto read_back = read(collector);
    if (!read_back) FAIL(read_back.error().message());
    contents = *read_back;
    replayed = std::move(collector.frames);
    auto opened = journal::Journal::open(std::move(options), contents);
    if (!opened) FAIL(opened.error().message());
    journal = *std::move(opened);
  }

  std::uint64_t stage(const std::string& text) {
    const auto lsn = journal->stage(frame_of(text));
    REQUIRE(lsn);
    return *lsn;
  }
  std::uint64_t commit(const std::string& text) {
    const std::uint64_t lsn = stage(text);
    const auto durable = journal->wait_durable(lsn);
    if (!durable) FAIL(durable.error().message());
    return lsn;
  }
  std::string path(std::uint64_t number) const {
    return os::join_path(directory, journal::journal_file_name(number));
  }

  MemoryVfs vfs{};
  os::Vfs* front = nullptr;  ///< Between the journal and vfs, if set.
  std::uint64_t incarnation = 100;
  std::uint64_t covered_lsn = 0;
  bool salvages = false;
  journal::JournalContents contents{};
  std::map<std::uint64_t, std::string> replayed{};
  std::unique_ptr<journal::Journal> journal{};
};

}  // namespace seriatim::test
