// The answers of a transaction's calls when they come too late, too early, or twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <seriatim/error.hpp>

namespace seriatim::transaction {

Error fenced(std::string_view transactional_id);
Error still_open(std::string_view transactional_id);
Error has_ended(std::string_view transactional_id);
Error is_uncertain(std::string_view transactional_id);
Error timed_out(std::string_view transactional_id, std::chrono::milliseconds timeout);
Error withdrawn(std::string_view transactional_id);
Error is_committing(std::string_view transactional_id);
Error was_committed(std::string_view transactional_id);
Error too_large(std::string_view transactional_id, std::uint64_t bytes, std::uint64_t bytes_max);
Error engine_closed(std::string_view transactional_id);
Error not_known(std::string_view transactional_id);

/// Whether what was to become safe did not for want of room in the journal, as far as the error tells: a
/// checkpoint may help. It would wait for the caller's own claim, which is what invalid_state says.
bool may_lack_room(const Error& error) noexcept;

}  // namespace seriatim::transaction
