#include "catalog/records/table_writes.hpp"

#include <utility>

#include "catalog/records/value_codec.hpp"

namespace seriatim::catalog {
namespace {

std::string place_of_write(Database table, std::string_view key) {
  return "key " + printable_key(key) + " of database \"" + std::string(name_of(table)) + "\"";
}

}  // namespace

void TableWrites::put(Database table, std::string key, std::string_view payload) {
  if (!takes_key(table, key)) return;
  const std::size_t bytes_max = payload_bytes_max_of(table);
  if (payload.size() > bytes_max) {
    return leave_out(
        place_of_write(table, key),
        Error(Errc::invalid_argument, "its value has " + std::to_string(payload.size()) + " bytes; at most " +
                                          std::to_string(bytes_max) + " are stored"));
  }
  std::string value = encode_value(table, key, payload);
  writes_.push_back({table, Kind::put, std::move(key), std::move(value)});
}

void TableWrites::erase(Database table, std::string key) {
  if (takes_key(table, key)) writes_.push_back({table, Kind::erase, std::move(key), {}});
}

void TableWrites::erase_all(Database table, std::string prefix) {
  if (takes_key(table, prefix)) writes_.push_back({table, Kind::erase_all, std::move(prefix), {}});
}

void TableWrites::leave_out(std::string_view whose, const Error& why) {
  left_out_.push_back(
      why.with_context(std::string(whose) + " cannot be stored and is left out of the checkpoint"));
}

bool TableWrites::takes_key(Database table, std::string_view key) {
  if (!key.empty() && key.size() <= key_bytes_max) return true;
  leave_out(place_of_write(table, key),
            Error(Errc::invalid_argument, "it has " + std::to_string(key.size()) + " bytes; keys have 1 to " +
                                              std::to_string(key_bytes_max)));
  return false;
}

}  // namespace seriatim::catalog
