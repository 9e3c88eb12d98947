#include "catalog/lmdb/lmdb_transaction.hpp"

#include <string>

#include "base/assert.hpp"
#include "catalog/lmdb/lmdb_layout.hpp"
#include "catalog/records/catalog_schema.hpp"
#include "catalog/records/value_codec.hpp"

namespace seriatim::catalog {
namespace {

MDB_val val_of(std::string_view text) {
  // LMDB takes keys and values as void* and does not write to them.
  return {text.size(), const_cast<char*>(text.data())};
}

std::string_view text_of(const MDB_val& val) { return {static_cast<const char*>(val.mv_data), val.mv_size}; }

// The longest key of the schema.
static_assert(state_name_bytes_max + 1 + state_key_bytes_max <= lmdb::key_bytes_max);

bool is_possible_key(std::string_view key) { return !key.empty() && key.size() <= lmdb::key_bytes_max; }

class CursorOwner {
 public:
  explicit CursorOwner(MDB_cursor* cursor) : cursor_(cursor) {}
  ~CursorOwner() {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  }
  CursorOwner(const CursorOwner&) = delete;
  CursorOwner& operator=(const CursorOwner&) = delete;
  void release() noexcept { cursor_ = nullptr; }

 private:
  MDB_cursor* cursor_;
};

}  // namespace

std::uint64_t ReadTransaction::number() const { return mdb_txn_id(transaction_); }

const std::string& ReadTransaction::directory() const noexcept { return environment_.directory(); }

Error ReadTransaction::failed(int code, std::string_view doing, Database database,
                              std::string_view key) const {
  if (code == MDB_MAP_FULL) met_full_map_ = true;
  const std::string what = std::string(doing) + " key " + printable_key(key) + " of database \"" +
                           std::string(name_of(database)) + "\"";
  return environment_.write_failed(code, what);
}

Result<std::optional<base::ByteSpan>> ReadTransaction::get(Database database, std::string_view key) const {
  const std::optional<unsigned> opened = environment_.handles_[static_cast<std::size_t>(database)];
  if (!is_possible_key(key) || !opened) return std::optional<base::ByteSpan>();
  const unsigned handle = *opened;
  MDB_val wanted = val_of(key);
  MDB_val found{};
  const int code = guarded([&] { return mdb_get(transaction_, handle, &wanted, &found); });
  if (code == MDB_NOTFOUND) return std::optional<base::ByteSpan>();
  if (code != 0) return failed(code, "reading", database, key);
  return std::optional(base::as_bytes(text_of(found)));
}

Result<void> ReadTransaction::scan(Database database, std::string_view from, const Visitor& visitor) const {
  const std::optional<unsigned> handle = environment_.handles_[static_cast<std::size_t>(database)];
  if (!handle) return {};
  MDB_cursor* cursor = nullptr;
  const int opened = guarded([&] { return mdb_cursor_open(transaction_, *handle, &cursor); });
  if (opened != 0) return failed(opened, "scanning from", database, from);
  CursorOwner owner(cursor);
  MDB_val key = val_of(from);
  MDB_val value{};
  MDB_cursor_op step = from.empty() ? MDB_FIRST : MDB_SET_RANGE;
  for (;;) {
    const int code = guarded([&] { return mdb_cursor_get(cursor, &key, &value, step); });
    if (code == MDB_NOTFOUND) return {};
    if (code == assertion_failed) owner.release();
    if (code != 0) return failed(code, "scanning from", database, from);
    const Result<bool> go_on = visitor(text_of(key), base::as_bytes(text_of(value)));
    if (!go_on) return go_on.error();
    if (!*go_on) return {};
    step = MDB_NEXT;
  }
}

Result<void> WriteTransaction::put(Database database, std::string_view key, std::string_view value) {
  if (!is_possible_key(key)) {
    return Error(Errc::invalid_argument, "catalog: a key of " + std::to_string(key.size()) +
                                             " bytes cannot be stored, 1 to 511 can; use a shorter name");
  }
  const std::optional<unsigned> handle = environment_.handles_[static_cast<std::size_t>(database)];
  SERIATIM_ASSERT(handle);  // a writer has added what was missing
  MDB_val at = val_of(key);
  MDB_val bytes = val_of(value);
  const int code = guarded([&] { return mdb_put(transaction_, *handle, &at, &bytes, 0); });
  if (code != 0) return failed(code, "storing", database, key);
  has_changed_ = true;
  return {};
}

Result<void> WriteTransaction::put_number() {
  std::byte number_bytes[sizeof(std::uint64_t)];
  base::store_be(number_bytes, number());
  return put(Database::engine, transaction_key,
             encode_value(Database::engine, transaction_key, base::as_text(number_bytes)));
}

Result<bool> WriteTransaction::erase(Database database, std::string_view key) {
  if (!is_possible_key(key)) return false;
  const std::optional<unsigned> handle = environment_.handles_[static_cast<std::size_t>(database)];
  if (!handle) return false;
  MDB_val at = val_of(key);
  const int code = guarded([&] { return mdb_del(transaction_, *handle, &at, nullptr); });
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return failed(code, "erasing", database, key);
  has_changed_ = true;
  return true;
}

Result<unsigned> WriteTransaction::create_database(Database database) {
  const std::string name(name_of(database));
  unsigned handle = 0;
  const int code = guarded(
      [&] { return mdb_dbi_open(transaction_, name.c_str(), static_cast<unsigned>(MDB_CREATE), &handle); });
  if (code == MDB_MAP_FULL) met_full_map_ = true;
  if (code != 0) return environment_.write_failed(code, "making the database \"" + name + "\"");
  has_changed_ = true;
  return handle;
}

}  // namespace seriatim::catalog
