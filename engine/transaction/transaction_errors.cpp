#include "transaction/transaction_errors.hpp"

namespace seriatim::transaction {
namespace {

std::string of(std::string_view id) { return "transactional id \"" + std::string(id) + "\""; }

}  // namespace

Error fenced(std::string_view transactional_id) {
  return {Errc::producer_fenced,
          of(transactional_id) +
              " was opened again, so this producer of it is over, and what it had open was "
              "aborted; close it and use the newer one"};
}

Error still_open(std::string_view transactional_id) {
  return {Errc::concurrent_transactions,
          of(transactional_id) + " has a transaction open; commit or abort it before the next one begins"};
}

Error has_ended(std::string_view transactional_id) {
  return {Errc::invalid_txn_state, "this transaction of " + of(transactional_id) +
                                       " has ended; begin another with TransactionalProducer::begin"};
}

Error is_uncertain(std::string_view transactional_id) {
  return {Errc::transaction_abortable,
          "an append of this transaction of " + of(transactional_id) +
              " failed, and whether its record was written is not known; abort it and begin again"};
}

Error timed_out(std::string_view transactional_id, std::chrono::milliseconds timeout) {
  return {Errc::transaction_abortable,
          "the transaction of " + of(transactional_id) +
              " was open for longer than its transaction_timeout, " + std::to_string(timeout.count()) +
              " ms, and was aborted; begin again, with less work in it or a longer time-out"};
}

Error withdrawn(std::string_view transactional_id) {
  return {Errc::transaction_abortable,
          "the transaction of " + of(transactional_id) +
              " was aborted by an administrator (Admin::abort_transaction); begin again"};
}

Error is_committing(std::string_view transactional_id) {
  return {Errc::invalid_txn_state,
          "the commit of this transaction of " + of(transactional_id) +
              " has begun and may have been stored; call commit again until it succeeds"};
}

Error was_committed(std::string_view transactional_id) {
  return {Errc::invalid_txn_state,
          "this transaction of " + of(transactional_id) + " was committed; it cannot be aborted any more"};
}

Error too_large(std::string_view transactional_id, std::uint64_t bytes, std::uint64_t bytes_max) {
  return {Errc::record_too_large,
          "with this, the transaction of " + of(transactional_id) + " would decide on " +
              std::to_string(bytes) + " bytes of state, positions and partitions, of " +
              std::to_string(bytes_max) +
              " that one may; nothing was added. Commit what is there and go on in another, or raise "
              "EngineOptions::transaction_max_bytes, and journal_file_bytes above it"};
}

Error engine_closed(std::string_view transactional_id) {
  return {Errc::closed, "the engine was closed, and the transaction of " + of(transactional_id) +
                            " with it was aborted; open it again"};
}

Error not_known(std::string_view transactional_id) {
  return {Errc::transactional_id_not_found,
          "no producer ever used " + of(transactional_id) + "; `seriatim txn list` shows those there are"};
}

bool may_lack_room(const Error& error) noexcept {
  const Errc code = error.code();
  return code != Errc::storage_failed && code != Errc::closed && code != Errc::invalid_state;
}

}  // namespace seriatim::transaction
