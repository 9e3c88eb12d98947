// `TableWrites`: the facts of a checkpoint as writes into the catalog's databases. Each kind of fact encodes
// its own, so that the catalog knows of no kind. It takes none that LMDB would refuse: a checkpoint is stored
// whole or not at all, so one such fact would keep all others from it, and the journal from ever being
// shortened.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/error.hpp>

#include "catalog/records/catalog_schema.hpp"

namespace seriatim::catalog {

/// Threads: one at a time.
class TableWrites {
 public:
  enum class Kind : std::uint8_t { put, erase, erase_all };
  struct Write {
    Database table{};
    Kind kind = Kind::put;
    std::string key{};    ///< Of `erase_all`: what the erased keys begin with.
    std::string value{};  ///< As it is stored, with version and checksum; of `put` only.
  };

  /// Stores or replaces. The payload gets the version and the checksum of every value (value_codec.hpp).
  void put(Database table, std::string key, std::string_view payload);
  /// A key that is not there is no error.
  void erase(Database table, std::string key);
  /// Erases all keys that begin with `prefix`.
  void erase_all(Database table, std::string prefix);
  /// A fact that its kind's rules refuse: it failed its caller before it was journalled, so that another
  /// version has journalled the one that is met here.
  void leave_out(std::string_view whose, const Error& why);

  bool empty() const noexcept { return writes_.empty(); }
  /// In the order in which they are made: of several for one key the last stays.
  const std::vector<Write>& in_order() const noexcept { return writes_; }
  /// Each fact that is not among them, and why: to be told, since nobody waits for it.
  const std::vector<Error>& left_out() const noexcept { return left_out_; }

 private:
  /// Leaves out what LMDB would refuse.
  bool takes_key(Database table, std::string_view key);

  std::vector<Write> writes_;
  std::vector<Error> left_out_;
};

}  // namespace seriatim::catalog
