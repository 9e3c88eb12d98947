#include "state/durable_facts.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>

#include "catalog/catalog.hpp"
#include "catalog/pending_table.hpp"
#include "catalog/record_store.hpp"
#include "format/journal/journal_payload.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::test {
namespace {

constexpr std::string_view prefix = "notes/";

Result<std::string> decode_note(base::ByteSpan payload) { return std::string(base::as_text(payload)); }

/// A kind that nobody knows but this file: how often a group was forgotten.
class Notes final : public state::DurableFacts {
 public:
  Result<> replay(const state::ReplayedFrame& frame) override {
    if (frame.type != format::JournalFrameType::forgotten_group) return {};
    const auto forgotten = format::parse_journal_forgotten_group(frame.payload);
    if (!forgotten) return forgotten.error();
    decltype(newer_)::Entries fresh;
    fresh[std::string(forgotten->group)].value = "forgotten by " + std::to_string(frame.lsn);
    newer_.enter(fresh, frame.lsn);
    return {};
  }
  bool has_changes() const override { return newer_.has_changes(); }
  void gather(catalog::TableWrites& to) override {
    for (const auto& [group, entry] : newer_.gather())
      to.put(catalog::Database::engine, std::string(prefix) + group, entry.value);
  }
  std::uint64_t newest_lsn() const override { return newer_.newest_lsn(); }
  void stored(std::uint64_t covered_lsn) noexcept override { newer_.stored(covered_lsn); }

  static Result<std::map<std::string, std::string>> all(const catalog::Catalog& catalog) {
    std::map<std::string, std::string> found;
    auto read = catalog.read([&](const catalog::ReadTransaction& in) {
      found.clear();
      constexpr auto table = catalog::Database::engine;
      return in.scan(table, prefix, [&](std::string_view key, base::ByteSpan value) -> Result<bool> {
        if (!key.starts_with(prefix)) return false;
        auto note = catalog::parse_record(in, table, key, value, decode_note);
        if (!note) return note.error();
        found[std::string(key.substr(prefix.size()))] = *std::move(note);
        return true;
      });
    });
    if (!read) return read.error();
    return found;
  }

 private:
  catalog::PendingTable<std::string, std::string> newer_;
};

}  // namespace

TEST_CASE("a kind of fact that the catalog knows nothing of is stored by a checkpoint and read again") {
  const catalog::MadeCatalog made;
  Notes notes;
  const auto forget = [&](std::uint64_t lsn, std::string_view group) {
    must(notes.replay({lsn, format::JournalFrameType::forgotten_group, base::as_bytes(group)}));
  };
  forget(4, "g");
  forget(6, "h");
  {
    catalog::Catalog catalog = made.open();
    catalog::Checkpoint checkpoint{.covered_lsn = notes.newest_lsn()};
    notes.gather(checkpoint.writes);
    must(catalog.checkpoint(checkpoint));
    notes.stored(6);
    CHECK_FALSE(notes.has_changes());
  }
  const catalog::Catalog catalog = made.open();
  CHECK(must(Notes::all(catalog)) ==
        std::map<std::string, std::string>{{"g", "forgotten by 4"}, {"h", "forgotten by 6"}});
  CHECK(must(catalog.engine()).covered_lsn == 6);
}

}  // namespace seriatim::test
