#include "catalog/stored_share.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/share_rows.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

std::string share_text(const std::optional<std::vector<std::byte>>& payload) {
  return payload ? std::string(base::as_text(*payload)) : std::string("nothing");
}

struct ShareCatalog {
  ShareCatalog() {
    make_catalog(dir / "catalog");
    catalog.emplace(must(Catalog::open(dir / "catalog", options())));
    must(catalog->create_topic(topic_record("t", 1, 2)));
    must(catalog->create_topic(topic_record("u", 2, 2)));
  }
  void store(const TableWrites& writes) const { must(catalog->checkpoint({.writes = writes})); }
  std::string progress(std::string_view group, std::uint32_t topic, PartitionId partition) const {
    return share_text(must(share_progress(*catalog, group, id_of(topic), partition)));
  }

  test::TempDir dir{};
  mutable std::optional<Catalog> catalog{};
};

TEST_CASE("progress and configuration of share groups are found as they were stored") {
  const ShareCatalog made;
  CHECK(made.progress("g", 1, 0) == "nothing");
  TableWrites writes;
  put_share_progress(writes, "g", id_of(1), 1, base::as_bytes("one"));
  put_share_progress(writes, "g", id_of(2), 0, base::as_bytes("two"));
  put_share_progress(writes, "gg", id_of(1), 1, base::as_bytes("other"));
  put_share_config(writes, "only", base::as_bytes("settings"));
  made.store(writes);
  CHECK(made.progress("g", 1, 1) == "one");
  CHECK(made.progress("g", 1, 0) == "nothing");
  const auto rows = must(share_progress_of(*made.catalog, "g"));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].topic_id == id_of(1));
  CHECK(rows[0].partition == 1);
  CHECK(base::as_text(rows[1].payload) == "two");
  CHECK(must(share_groups(*made.catalog)) == std::vector<std::string>{"g", "gg", "only"});
  CHECK(share_text(must(share_config(*made.catalog, "only"))) == "settings");
  CHECK_FALSE(must(share_config(*made.catalog, "g")).has_value());
}

TEST_CASE("the end of a share group leaves others, and what is added behind it") {
  const ShareCatalog made;
  TableWrites writes;
  for (const std::string_view group : {"a", "g", "gg"}) {
    put_share_progress(writes, group, id_of(1), 0, base::as_bytes("old"));
    put_share_config(writes, group, base::as_bytes("old"));
  }
  made.store(writes);
  TableWrites end;
  forget_share_group(end, "g");
  put_share_progress(end, "g", id_of(1), 1, base::as_bytes("new"));
  forget_share_progress(end, "a", id_of(1), 0);
  forget_share_progress(end, "a", id_of(1), 1);  // It is not there.
  made.store(end);
  CHECK(made.progress("g", 1, 0) == "nothing");
  CHECK(made.progress("g", 1, 1) == "new");
  CHECK_FALSE(must(share_config(*made.catalog, "g")).has_value());
  CHECK(made.progress("gg", 1, 0) == "old");
  CHECK(made.progress("a", 1, 0) == "nothing");
  CHECK(share_text(must(share_config(*made.catalog, "a"))) == "old");
}

TEST_CASE("a deleted topic takes the progress of all groups in it along") {
  const ShareCatalog made;
  TableWrites writes;
  for (const std::string_view group : {"a", "b"}) {
    put_share_progress(writes, group, id_of(1), 0, base::as_bytes("gone"));
    put_share_progress(writes, group, id_of(2), 0, base::as_bytes("kept"));
  }
  made.store(writes);
  must(made.catalog->mark_deleted("t"));
  for (const std::string_view group : {"a", "b"}) {
    CHECK(made.progress(group, 1, 0) == "nothing");
    CHECK(made.progress(group, 2, 0) == "kept");
  }
}

}  // namespace
}  // namespace seriatim::catalog
