#include "group/share/share_storage.hpp"

#include <algorithm>
#include <utility>

namespace seriatim::group {
namespace {

DeliveryState lasting_state(DeliveryState state) noexcept {
  return state == DeliveryState::archiving ? DeliveryState::acquired : state;
}

// Whether the window has all offsets of the run in its state, delivered as often.
bool has_alike(const ShareWindow& window, const DeliveredRun& run) noexcept {
  Offset next = run.offsets.first;
  for (auto known = window.runs().find(next); known != window.runs().end() && next <= run.offsets.last;
       ++known) {
    const DeliveredRun& has = known->second.delivered;
    const bool is_alike = has.offsets.first <= next && lasting_state(has.state) == lasting_state(run.state) &&
                          has.delivery_count == run.delivery_count;
    if (!is_alike) return false;
    next = has.offsets.last + 1;
  }
  return next > run.offsets.last;
}

Error bad_share_row(std::size_t bytes) {
  return {Errc::corrupt_metadata, "catalog: " + std::to_string(bytes) +
                                      " bytes are not a whole row of a share group; restore the catalog from "
                                      "a backup"};
}

}  // namespace

format::ShareRun to_stored(const DeliveredRun& run) noexcept {
  return {.offsets = {run.offsets.first, run.offsets.last},
          .state = static_cast<std::uint8_t>(lasting_state(run.state)),
          .delivery_count = run.delivery_count};
}

DeliveredRun to_delivered(const format::ShareRun& run) noexcept {
  return {.offsets = {run.offsets.first, run.offsets.last},
          .state = static_cast<DeliveryState>(run.state),
          .delivery_count = run.delivery_count};
}

DeliveryProgress to_progress(Offset start_offset, const std::vector<format::ShareRun>& runs) {
  DeliveryProgress progress{.start_offset = start_offset};
  progress.runs.reserve(runs.size());
  for (const format::ShareRun& run : runs) progress.runs.push_back(to_delivered(run));
  return progress;
}

Offset end_of(const DeliveryProgress& progress) noexcept {
  const Offset behind_runs = progress.runs.empty() ? 0 : progress.runs.back().offsets.last + 1;
  return std::max(progress.start_offset, behind_runs);
}

DeliveryProgress below(const DeliveryProgress& progress, Offset end) {
  DeliveryProgress part{.start_offset = std::min(progress.start_offset, end)};
  for (DeliveredRun run : progress.runs) {
    run.offsets.last = std::min(run.offsets.last, end - 1);
    if (run.offsets.first <= run.offsets.last) part.runs.push_back(run);
  }
  return part;
}

// As ShareWindow::apply does it: first the runs of the change, then what is done at the beginning is let go.
Offset start_after(const ShareWindow& window, const ShareChange& change) noexcept {
  Offset start = std::max(window.start_offset(), change.start_offset.value_or(0));
  auto changed = change.runs.begin();
  for (;;) {
    while (changed != change.runs.end() && changed->delivered.offsets.last < start) ++changed;
    const bool is_changed = changed != change.runs.end() && changed->delivered.offsets.first <= start;
    if (is_changed) {
      if (!is_finished(changed->delivered.state)) return start;
      start = changed->delivered.offsets.last + 1;
      continue;
    }
    const auto known = window.runs().find(start);
    const bool is_done =
        known != window.runs().end() && known->first <= start && is_finished(known->second.delivered.state);
    if (!is_done) return start;
    start = known->second.delivered.offsets.last + 1;
    if (changed != change.runs.end()) start = std::min(start, changed->delivered.offsets.first);
  }
}

void collect_lasting(const ShareWindow& window, const ShareChange& change, Offset start,
                     std::vector<format::ShareRun>& runs) {
  runs.clear();
  for (const WindowRun& run : change.runs) {
    if (run.delivered.offsets.last < start || has_alike(window, run.delivered)) continue;
    runs.push_back(to_stored(run.delivered));
  }
}

void encode_share_row(const DeliveryProgress& progress, std::vector<std::byte>& payload) {
  std::vector<format::ShareRun> runs;
  runs.reserve(progress.runs.size());
  for (const DeliveredRun& run : progress.runs) runs.push_back(to_stored(run));
  payload.resize(sizeof(Offset));
  base::store_be(payload.data(), progress.start_offset);
  format::append_share_runs(payload, runs);
}

Result<DeliveryProgress> decode_share_row(base::ByteSpan payload) {
  if (payload.size() < sizeof(Offset)) return bad_share_row(payload.size());
  const auto start = base::load_be<Offset>(payload.data());
  base::ByteSpan rest = payload.subspan(sizeof(Offset));
  const auto runs = format::take_share_runs(rest);
  if (!runs) return runs.error();
  if (start < 0 || !rest.empty()) return bad_share_row(payload.size());
  return to_progress(start, *runs);
}

format::ShareConfigPairs views_of(const ShareSettings& settings) {
  return {settings.begin(), settings.end()};
}

ShareSettings copy_of(const format::ShareConfigPairs& pairs) {
  ShareSettings settings;
  for (const auto& [name, value] : pairs) settings.emplace(name, value);
  return settings;
}

void encode_share_settings(const ShareSettings& settings, std::vector<std::byte>& payload) {
  payload.clear();
  format::append_share_config(payload, views_of(settings));
}

Result<ShareSettings> decode_share_settings(base::ByteSpan payload) {
  base::ByteSpan rest = payload;
  const auto pairs = format::take_share_config(rest);
  if (!pairs) return pairs.error();
  if (!rest.empty()) return bad_share_row(payload.size());
  return copy_of(*pairs);
}

}  // namespace seriatim::group
