#include "catalog/records/share_rows.hpp"

#include <doctest/doctest.h>

#include <string>

#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

TEST_CASE("rows of a share group whose name is refused, or that are too large, are left out and told") {
  TableWrites writes;
  const std::string long_name(256, 'n');
  put_share_progress(writes, "", id_of(1), 0, base::as_bytes("x"));
  put_share_progress(writes, long_name, id_of(1), 0, base::as_bytes("x"));
  forget_share_progress(writes, long_name, id_of(1), 0);
  put_share_config(writes, long_name, base::as_bytes("x"));
  forget_share_group(writes, long_name);
  put_share_config(writes, "g", base::as_bytes(std::string(payload_bytes_max + 1, 'x')));
  CHECK(writes.empty());
  CHECK(writes.left_out().size() == 6);
  put_share_progress(writes, std::string(255, 'n'), id_of(1), 0, base::as_bytes("x"));
  CHECK(writes.in_order().size() == 1);
}

}  // namespace
}  // namespace seriatim::catalog
