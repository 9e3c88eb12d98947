// `Deduplicator`, `DedupeTransaction`: options, handles.
#include <seriatim/flow/deduplicator.hpp>

#include <string>
#include <utility>

#include <seriatim/exception.hpp>

#include "flow/dedupe/deduplicator_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t dedupe_name_bytes_max = 80;
constexpr std::size_t dedupe_transactions_max = 64;
constexpr std::size_t dedupe_result_bytes_max = 1'000'000;

Error bad_option(std::string_view option, const std::string& is, std::string_view must_be) {
  return {Errc::invalid_argument, "DeduplicatorOptions::" + std::string(option) + " is " + is +
                                      "; it must be " + std::string(must_be)};
}

Result<> check_dedupe_options(const DeduplicatorOptions& options) {
  const std::string& name = options.name;
  if (name.empty() || name.size() > dedupe_name_bytes_max || name.find('\0') != std::string::npos) {
    return bad_option("name", "of " + std::to_string(name.size()) + " bytes",
                      "1 to 80, none of them zero, the same after every restart");
  }
  if (options.window_time.count() < 1)
    return bad_option("window_time", std::to_string(options.window_time.count()) + " ms", "1 ms or more");
  if (options.window_count == 0) return bad_option("window_count", "0", "1 or more");
  if (options.result_bytes_max > dedupe_result_bytes_max) {
    return bad_option("result_bytes_max", std::to_string(options.result_bytes_max),
                      "0 to " + std::to_string(dedupe_result_bytes_max));
  }
  if (options.transactions_max == 0 || options.transactions_max > dedupe_transactions_max) {
    return bad_option("transactions_max", std::to_string(options.transactions_max),
                      "1 to " + std::to_string(dedupe_transactions_max));
  }
  if (options.wait.count() < 0)
    return bad_option("wait", std::to_string(options.wait.count()) + " ms", "0 ms or more");
  if (!options.transactions.transactional_id.empty()) {
    return bad_option("transactions.transactional_id", "\"" + options.transactions.transactional_id + "\"",
                      "empty: the ids are the deduplicator's own");
  }
  return {};
}

Error dedupe_moved_from(std::string_view what) {
  return {Errc::closed, "this " + std::string(what) + " was moved from; use the one it was moved to"};
}

}  // namespace

DedupeTransaction::DedupeTransaction(std::shared_ptr<detail::DeduplicatorImpl> impl,
                                     std::unique_ptr<detail::DedupeWork> work) noexcept
    : impl_(std::move(impl)), work_(std::move(work)) {}
DedupeTransaction::DedupeTransaction(DedupeTransaction&&) noexcept = default;
DedupeTransaction& DedupeTransaction::operator=(DedupeTransaction&& other) noexcept {
  if (this == &other) return *this;
  end();
  impl_ = std::move(other.impl_);
  work_ = std::move(other.work_);
  return *this;
}
DedupeTransaction::~DedupeTransaction() { end(); }
void DedupeTransaction::end() noexcept {
  if (work_) impl_->put_away(std::move(work_));
}

Transaction& DedupeTransaction::transaction() & noexcept { return work_->transaction; }

Result<DedupeSeen> DedupeTransaction::check(std::string_view id) try {
  if (!work_) return dedupe_moved_from("DedupeTransaction");
  return impl_->check(*work_, id);
} catch (...) {
  return current_error();
}
Result<> DedupeTransaction::record(std::string_view id, BytesView result) try {
  if (!work_) return dedupe_moved_from("DedupeTransaction");
  return impl_->record(*work_, id, result);
} catch (...) {
  return current_error();
}
Result<DedupeSeen> DedupeTransaction::once(std::string_view id, const DedupeHandler& handler) try {
  if (!work_) return dedupe_moved_from("DedupeTransaction");
  if (!handler) return Error(Errc::invalid_argument, "the handler of a message is empty; give a function");
  auto seen = impl_->check(*work_, id);
  if (!seen || !seen->is_first) return seen;
  auto result = handler(work_->transaction);
  if (!result) return result.error();
  auto recorded = impl_->record(*work_, id, *result ? BytesView(**result) : BytesView());
  if (!recorded) return recorded.error();
  seen->result = *std::move(result);
  return seen;
} catch (...) {
  return current_error();
}
Result<> DedupeTransaction::commit() try {
  if (!work_) return dedupe_moved_from("DedupeTransaction");
  return impl_->commit(*work_);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<> DedupeTransaction::abort() try {
  if (!work_) return dedupe_moved_from("DedupeTransaction");
  return impl_->abort(*work_);
} catch (...) {
  return current_error();
}

Deduplicator::Deduplicator(std::shared_ptr<detail::DeduplicatorImpl> impl) noexcept
    : impl_(std::move(impl)) {}
Deduplicator::Deduplicator(Deduplicator&&) noexcept = default;
Deduplicator& Deduplicator::operator=(Deduplicator&& other) noexcept {
  if (impl_ && impl_ != other.impl_) impl_->stop();
  impl_ = std::move(other.impl_);
  return *this;
}
Deduplicator::~Deduplicator() {
  if (impl_) impl_->stop();
}

Result<Deduplicator> Deduplicator::open(const Engine& engine, DeduplicatorOptions options) try {
  if (auto checked = check_dedupe_options(options); !checked) return checked.error();
  return detail::DeduplicatorImpl::open(engine, std::move(options));
} catch (...) {
  return current_error();
}

Result<DedupeTransaction> Deduplicator::begin() try {
  if (!impl_) return dedupe_moved_from("Deduplicator");
  return impl_->begin();
} catch (...) {
  return current_error();
}
Result<DedupeTransaction> Deduplicator::join(Transaction transaction) try {
  if (!impl_) return dedupe_moved_from("Deduplicator");
  return impl_->join(std::move(transaction));
} catch (...) {
  return current_error();
}
Result<bool> Deduplicator::forget(std::string_view id) try {
  if (!impl_) return dedupe_moved_from("Deduplicator");
  return impl_->forget(id);
} catch (...) {
  return current_error();
}
Result<std::uint64_t> Deduplicator::sweep() try {
  if (!impl_) return dedupe_moved_from("Deduplicator");
  return impl_->sweeper().sweep();
} catch (...) {
  return current_error();
}
DedupeCounts Deduplicator::counts() const {
  if (!impl_) return {};
  return impl_->counts();
}

}  // namespace v0
}  // namespace seriatim
