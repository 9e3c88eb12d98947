// Answers for records: taken, stored, told.
#include <algorithm>
#include <utility>

#include "base/boundary.hpp"
#include "consumer/log_queries.hpp"
#include "consumer/share/share_consumer_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

using consumer::name_text;

Result<> ShareConsumerImpl::acknowledge(std::string_view topic, PartitionId partition, Offset offset,
                                        AcknowledgeType type) {
  if (is_implicit()) {
    return Error(Errc::invalid_state,
                 "acknowledge was called in implicit mode, in which the next poll accepts what this one "
                 "returned; choose ShareAcknowledgementMode::explicit_ to answer for single records");
  }
  if (type < AcknowledgeType::accept || type > AcknowledgeType::renew) {
    return Error(Errc::invalid_argument, "AcknowledgeType " + std::to_string(static_cast<int>(type)) +
                                             " is none; choose accept, release, reject or renew");
  }
  if (type == AcknowledgeType::renew && !config().renew_acknowledge_enable) {
    return Error(Errc::invalid_record_state,
                 "share group " + options.group_id +
                     " does not renew locks (share.renew.acknowledge.enable); answer with another type");
  }
  const auto found = std::find_if(sources.begin(), sources.end(), [&](const auto& source) {
    return source->name().partition == partition && source->name().topic == topic;
  });
  if (found != sources.end() && (*found)->hand().answer(offset, type)) return {};
  return Error(Errc::invalid_state, name_text({std::string(topic), partition}) + " offset " +
                                        std::to_string(offset) +
                                        " cannot be acknowledged: the last poll did not return it, or it was "
                                        "committed since");
}

void ShareConsumerImpl::accept_implicitly() {
  if (!is_implicit()) return;
  for (const auto& source : sources) source->hand().accept_all();
}

Result<> ShareConsumerImpl::commit(Acks acks, Told told) {
  std::optional<Error> refused;
  auto stored = base::answered([&] { return commit_each(acks, refused); });
  if (!stored) {
    if (refused)
      engine->report(LogLevel::warn, "share group " + options.group_id + ": " + refused->message());
    return stored;
  }
  if (auto safe = acknowledge_frames(acks); !safe) return safe;
  if (!refused) return {};
  if (told == Told::by_call) return *refused;
  if (!callback)
    engine->report(LogLevel::warn, "share group " + options.group_id + ": " + refused->message());
  return {};
}

// A partition that refuses does not keep the answers of others from being stored. The callback is told behind
// the frames of its partition, which a death of the process does not take; of a power loss commit_sync tells.
Result<> ShareConsumerImpl::commit_each(Acks acks, std::optional<Error>& first_refused) {
  const ShareGroupConfig now = config();
  for (const auto& source : sources) {
    auto& hand = source->hand();
    if (!hand.has_answers()) continue;
    std::vector<Offset> offsets;
    if (callback) {
      offsets = hand.answered();
      std::sort(offsets.begin(), offsets.end());
    }
    auto outcome = source->commit(step(now));
    const bool stays_in_hand = !outcome && hand.has_answers();
    if (stays_in_hand) return outcome;
    if (!outcome && !first_refused) first_refused = outcome.error();
    if (!callback) continue;
    if (auto safe = acknowledge_frames(acks); !safe) return safe;
    callback(source->name(), offsets, outcome);
  }
  return {};
}

Result<> ShareConsumerImpl::acknowledge_frames(Acks acks) {
  std::uint64_t newest = frames_lsn;
  for (const auto& source : sources) newest = std::max(newest, source->newest_lsn());
  if (newest == 0 || (newest <= safe_lsn && acks != Acks::all)) return {};
  auto safe = engine->acknowledge(newest, acks);
  if (safe) safe_lsn = std::max(safe_lsn, newest);
  return safe;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
