#include <seriatim/error.hpp>

#include <array>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include <seriatim/exception.hpp>
#include <seriatim/result.hpp>

namespace seriatim {
inline namespace v0 {
namespace {

struct Row {
  Errc code;
  std::string_view name;
  bool retriable;
  bool fatal;
  bool requires_abort = false;
};

// One row per code; tests/unit/base/error_test.cpp checks that none is missing.
constexpr std::array rows{
    Row{Errc::invalid_argument, "INVALID_ARGUMENT", false, false},
    Row{Errc::invalid_topic, "INVALID_TOPIC", false, false},
    Row{Errc::invalid_partitions, "INVALID_PARTITIONS", false, false},
    Row{Errc::invalid_config, "INVALID_CONFIG", false, false},
    Row{Errc::unknown_topic_or_partition, "UNKNOWN_TOPIC_OR_PARTITION", false, false},
    Row{Errc::topic_already_exists, "TOPIC_ALREADY_EXISTS", false, false},
    Row{Errc::record_too_large, "RECORD_TOO_LARGE", false, false},
    Row{Errc::invalid_record, "INVALID_RECORD", false, false},
    Row{Errc::invalid_timestamp, "INVALID_TIMESTAMP", false, false},
    Row{Errc::offset_out_of_range, "OFFSET_OUT_OF_RANGE", false, false},
    Row{Errc::no_offset_for_partition, "NO_OFFSET_FOR_PARTITION", false, false},
    Row{Errc::offset_metadata_too_large, "OFFSET_METADATA_TOO_LARGE", false, false},
    Row{Errc::policy_violation, "POLICY_VIOLATION", false, false},
    Row{Errc::invalid_state, "INVALID_STATE", false, false},
    Row{Errc::unsupported_codec, "UNSUPPORTED_CODEC", false, false},
    Row{Errc::queue_full, "QUEUE_FULL", true, false},
    Row{Errc::timed_out, "TIMED_OUT", true, false},
    Row{Errc::wakeup, "WAKEUP", true, false},
    Row{Errc::closed, "CLOSED", false, true},
    Row{Errc::read_only, "READ_ONLY", false, false},
    Row{Errc::locked, "LOCKED", true, false},
    Row{Errc::permission_denied, "PERMISSION_DENIED", false, false},
    Row{Errc::too_many_open_files, "TOO_MANY_OPEN_FILES", true, false},
    Row{Errc::storage_full, "STORAGE_FULL", true, false},
    Row{Errc::storage_failed, "STORAGE_FAILED", false, true},
    Row{Errc::io_error, "IO_ERROR", false, false},
    Row{Errc::not_found, "NOT_FOUND", false, false},
    Row{Errc::out_of_memory, "OUT_OF_MEMORY", true, false},
    Row{Errc::corrupt_record, "CORRUPT_RECORD", false, false},
    Row{Errc::corrupt_metadata, "CORRUPT_METADATA", false, true},
    Row{Errc::unsupported_version, "UNSUPPORTED_VERSION", false, true},
    Row{Errc::not_a_data_directory, "NOT_A_DATA_DIRECTORY", false, false},
    Row{Errc::out_of_order_sequence_number, "OUT_OF_ORDER_SEQUENCE_NUMBER", false, false, true},
    Row{Errc::invalid_producer_epoch, "INVALID_PRODUCER_EPOCH", false, true},
    Row{Errc::producer_fenced, "PRODUCER_FENCED", false, true},
    Row{Errc::invalid_txn_state, "INVALID_TXN_STATE", false, false},
    Row{Errc::concurrent_transactions, "CONCURRENT_TRANSACTIONS", true, false},
    Row{Errc::invalid_transaction_timeout, "INVALID_TRANSACTION_TIMEOUT", false, false},
    Row{Errc::transaction_abortable, "TRANSACTION_ABORTABLE", false, false, true},
    Row{Errc::unknown_producer_id, "UNKNOWN_PRODUCER_ID", false, false},
    Row{Errc::unknown_member_id, "UNKNOWN_MEMBER_ID", false, false},
    Row{Errc::transactional_id_not_found, "TRANSACTIONAL_ID_NOT_FOUND", false, false},
    Row{Errc::unreleased_instance_id, "UNRELEASED_INSTANCE_ID", false, false},
    Row{Errc::non_empty_group, "NON_EMPTY_GROUP", false, false},
    Row{Errc::group_id_not_found, "GROUP_ID_NOT_FOUND", false, false},
    Row{Errc::invalid_record_state, "INVALID_RECORD_STATE", false, false},
};

constexpr Row unknown_row{Errc{}, "UNKNOWN", false, false};

const Row& row_of(Errc code) noexcept {
  for (const Row& row : rows) {
    if (row.code == code) return row;
  }
  return unknown_row;
}

}  // namespace

namespace {
const Error& no_memory(Outcome outcome);
}

struct Error::Rep {
  Errc code;
  std::string message;
  int sys_errno;
  Outcome outcome;
};

std::string_view name(Errc code) noexcept { return row_of(code).name; }

Error::Error(Errc code, std::string message, int sys_errno, Outcome outcome)
    : rep_(std::make_shared<const Rep>(Rep{code, std::move(message), sys_errno, outcome})) {}

namespace {

// Made while there is memory: when one of these is to be returned there is none.
const Error& no_memory(Outcome outcome) {
  static constexpr const char* text =
      "an allocation failed: the process has no memory left (its cgroup's limit, ulimit -v, or "
      "vm.max_map_count). What was acknowledged is safe; free memory or raise the limit, and try again";
  static const std::array errors{Error(Errc::out_of_memory, text, 0, Outcome::not_written),
                                 Error(Errc::out_of_memory, text, 0, Outcome::unknown)};
  return errors[outcome == Outcome::unknown ? 1 : 0];
}
[[maybe_unused]] const Error& made_at_load = no_memory(Outcome::unknown);

}  // namespace

Errc Error::code() const noexcept { return rep_->code; }
std::string_view Error::name() const noexcept { return row_of(rep_->code).name; }
const std::string& Error::message() const noexcept { return rep_->message; }
int Error::sys_errno() const noexcept { return rep_->sys_errno; }
Outcome Error::outcome() const noexcept { return rep_->outcome; }
bool Error::retriable() const noexcept { return row_of(rep_->code).retriable; }
bool Error::fatal() const noexcept { return row_of(rep_->code).fatal; }
bool Error::requires_abort() const noexcept { return row_of(rep_->code).requires_abort; }

// Where there is no memory to say more, less is said: an error on its way must not be lost.
Error Error::with_context(std::string_view context) const try {
  return {rep_->code, std::string(context) + ": " + rep_->message, rep_->sys_errno, rep_->outcome};
} catch (const std::bad_alloc&) {
  return *this;
}

Error Error::with_outcome(Outcome outcome) const try {
  if (outcome == rep_->outcome) return *this;
  return {rep_->code, rep_->message, rep_->sys_errno, outcome};
} catch (const std::bad_alloc&) {
  return fatal() ? *this : no_memory(outcome);
}

Exception::Exception(Error error)
    : std::runtime_error(std::string(error.name()) + ": " + error.message()), error_(std::move(error)) {}
Exception::~Exception() = default;

void throw_error(const Error& error) { throw Exception(error); }

namespace {

Error error_of(const std::system_error& failure) {
  if (failure.code() != std::errc::resource_unavailable_try_again) {
    return {Errc::io_error, std::string("a system call failed: ") + failure.what() + "; try again",
            failure.code().value()};
  }
  return {
      Errc::out_of_memory,
      std::string("the system gives no thread (") + failure.what() +
          "): raise the limit of processes (ulimit -u, pids.max of the cgroup) or of memory, and try again",
      failure.code().value()};
}

}  // namespace

Error current_error() noexcept {
  try {
    try {
      throw;
    } catch (const Exception& exception) {
      return exception.error();
    } catch (const std::bad_alloc&) {
      return no_memory(Outcome::not_written);
    } catch (const std::system_error& failure) {
      return error_of(failure);
    } catch (const std::exception& exception) {
      return {Errc::io_error, std::string("an exception came to the library's border: ") + exception.what() +
                                  "; a callback of the program threw it, or it is a bug to be reported"};
    }
  } catch (...) {
    // Saying what it was takes memory, too.
    return no_memory(Outcome::not_written);
  }
}

}  // namespace v0
}  // namespace seriatim
