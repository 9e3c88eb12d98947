#include "format/journal/journal_decision.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "base/checked.hpp"

namespace seriatim::format {
namespace {

constexpr std::size_t decided_deaths_head_bytes =
    22;  // uint16 length of the group, topic id, int32 partition

constexpr std::uint32_t erased = std::numeric_limits<std::uint32_t>::max();

Error bad_decision(const std::string& what) {
  return {
      Errc::corrupt_metadata,
      "a journalled decision " + what +
          ". Its checksum is right, so it was written like this: report it as a bug of seriatim, with the "
          "file."};
}

class DecisionWriter {
 public:
  explicit DecisionWriter(base::MutableByteSpan to) noexcept : rest_(to) {}
  template <std::integral T>
  void integer(T value) noexcept {
    base::store_le(room(sizeof(T)).data(), value);
  }
  void bytes(base::ByteSpan from) noexcept { std::copy(from.begin(), from.end(), room(from.size()).begin()); }
  base::MutableByteSpan room(std::size_t count) noexcept {
    SERIATIM_ASSERT(count <= rest_.size());
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  bool is_full() const noexcept { return rest_.empty(); }

 private:
  base::MutableByteSpan rest_;
};

// A read beyond the end gives an empty value, and makes the reader not ok.
class DecisionReader {
 public:
  explicit DecisionReader(base::ByteSpan bytes) : rest_(bytes) {}
  template <std::integral T>
  T integer() {
    const auto from = bytes(sizeof(T));
    return from.empty() ? T{} : base::load_le<T>(from.data());
  }
  base::ByteSpan bytes(std::size_t count) {
    if (!is_ok_ || count > rest_.size()) {
      is_ok_ = false;
      return {};
    }
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  /// For a reader of another form, which takes its bytes off the beginning.
  base::ByteSpan& rest() noexcept { return rest_; }
  bool is_ok() const noexcept { return is_ok_; }
  bool is_done() const noexcept { return is_ok_ && rest_.empty(); }
  /// Whether that many items of at least that size may follow.
  bool may_hold(std::uint32_t count, std::size_t bytes_each) const noexcept {
    return is_ok_ && rest_.size() / bytes_each >= count;
  }

 private:
  base::ByteSpan rest_;
  bool is_ok_ = true;
};

DecidedPartition read_partition(DecisionReader& in) {
  DecidedPartition partition;
  const auto id = in.bytes(partition.topic_id.size());
  std::copy(id.begin(), id.end(), partition.topic_id.begin());
  partition.partition = in.integer<PartitionId>();
  partition.first_offset = in.integer<Offset>();
  partition.last_offset = in.integer<Offset>();
  return partition;
}

DecidedState read_state(DecisionReader& in) {
  const auto name_length = in.integer<std::uint16_t>();
  const auto key_length = in.integer<std::uint16_t>();
  const auto value_length = in.integer<std::uint32_t>();
  DecidedState state;
  state.name = base::as_text(in.bytes(name_length));
  state.key = in.bytes(key_length);
  if (value_length != erased) state.value = in.bytes(value_length);
  return state;
}

// Behind the rest, whose size is known before: runs are as long as they are.
void append_deaths(std::vector<std::byte>& payload, const std::vector<DecidedDeaths>& deaths) {
  const auto append_room = [&payload](std::size_t bytes) {
    payload.resize(payload.size() + bytes);
    return DecisionWriter(base::MutableByteSpan(payload).last(bytes));
  };
  append_room(decided_deaths_section_bytes).integer(base::narrow<std::uint32_t>(deaths.size()));
  for (const auto& dead : deaths) {
    DecisionWriter out = append_room(decided_deaths_head_bytes + dead.group.size());
    out.integer(base::narrow<std::uint16_t>(dead.group.size()));
    out.bytes(base::as_bytes(dead.group));
    out.bytes(dead.topic_id);
    out.integer(dead.partition);
    append_share_offsets(payload, dead.runs);
  }
}

// Of a payload that goes on behind the state.
Result<std::vector<DecidedDeaths>> read_deaths(DecisionReader& in) {
  std::vector<DecidedDeaths> deaths;
  const auto count = in.integer<std::uint32_t>();
  const bool is_possible = count > 0 && in.may_hold(count, decided_deaths_head_bytes);
  for (std::uint32_t i = 0; is_possible && i < count && in.is_ok(); ++i) {
    DecidedDeaths dead;
    dead.group = base::as_text(in.bytes(in.integer<std::uint16_t>()));
    const auto id = in.bytes(dead.topic_id.size());
    std::copy(id.begin(), id.end(), dead.topic_id.begin());
    dead.partition = in.integer<PartitionId>();
    if (!in.is_ok()) break;
    auto runs = take_share_offsets(in.rest());
    if (!runs) return runs.error();
    dead.runs = *std::move(runs);
    deaths.push_back(std::move(dead));
  }
  if (is_possible && in.is_done()) return deaths;
  return bad_decision("has deaths that do not end where their number says");
}

bool makes_sense(const JournalDecision& decision) noexcept {
  const auto is_possible = [](const DecidedPartition& at) {
    return at.partition >= 0 && at.first_offset >= 0 && at.last_offset >= at.first_offset;
  };
  const auto is_possible_death = [](const DecidedDeaths& dead) {
    return dead.partition >= 0 && !dead.group.empty() && !dead.runs.empty();
  };
  return decision.producer_id >= 0 && decision.producer_epoch >= 0 &&
         std::all_of(decision.partitions.begin(), decision.partitions.end(), is_possible) &&
         std::all_of(decision.deaths.begin(), decision.deaths.end(), is_possible_death);
}

}  // namespace

void encode_journal_decision(const JournalDecision& decision, std::vector<std::byte>& payload) {
  std::size_t size = decision_head_bytes + decision.transactional_id.size() +
                     decision.partitions.size() * decided_partition_bytes;
  for (const auto& offsets : decision.offsets) {
    size += decided_group_head_bytes + journal_offsets_bytes(offsets);
  }
  for (const auto& state : decision.state) {
    size += decided_state_head_bytes + state.name.size() + state.key.size();
    if (state.value) size += state.value->size();
  }

  payload.resize(size);
  DecisionWriter out(payload);
  out.integer(decision.producer_id);
  out.integer(decision.producer_epoch);
  out.integer(decision.next_epoch);
  out.integer(decision.time_ms);
  out.integer(base::narrow<std::uint32_t>(decision.partitions.size()));
  out.integer(base::narrow<std::uint32_t>(decision.offsets.size()));
  out.integer(base::narrow<std::uint32_t>(decision.state.size()));
  out.integer(base::narrow<std::uint16_t>(decision.transactional_id.size()));
  out.bytes(base::as_bytes(decision.transactional_id));
  for (const auto& at : decision.partitions) {
    out.bytes(at.topic_id);
    out.integer(at.partition);
    out.integer(at.first_offset);
    out.integer(at.last_offset);
  }
  for (const auto& offsets : decision.offsets) {
    const std::size_t bytes = journal_offsets_bytes(offsets);
    out.integer(base::narrow<std::uint32_t>(bytes));
    store_journal_offsets(out.room(bytes), offsets);
  }
  for (const auto& state : decision.state) {
    out.integer(base::narrow<std::uint16_t>(state.name.size()));
    out.integer(base::narrow<std::uint16_t>(state.key.size()));
    out.integer(state.value ? base::narrow<std::uint32_t>(state.value->size()) : erased);
    out.bytes(base::as_bytes(state.name));
    out.bytes(state.key);
    if (state.value) out.bytes(*state.value);
  }
  SERIATIM_ASSERT(out.is_full());
  if (!decision.deaths.empty()) append_deaths(payload, decision.deaths);
}

Result<JournalDecision> parse_journal_decision(base::ByteSpan payload) {
  const auto cut_off = [&] {
    return bad_decision("of " + std::to_string(payload.size()) + " bytes does not end where its lengths say");
  };
  DecisionReader in(payload);
  JournalDecision decision;
  decision.producer_id = in.integer<ProducerId>();
  decision.producer_epoch = in.integer<ProducerEpoch>();
  decision.next_epoch = in.integer<ProducerEpoch>();
  decision.time_ms = in.integer<std::int64_t>();
  const auto partitions = in.integer<std::uint32_t>();
  const auto groups = in.integer<std::uint32_t>();
  const auto states = in.integer<std::uint32_t>();
  decision.transactional_id = base::as_text(in.bytes(in.integer<std::uint16_t>()));
  if (!in.may_hold(partitions, decided_partition_bytes)) return cut_off();
  for (std::uint32_t i = 0; i < partitions; ++i) decision.partitions.push_back(read_partition(in));
  if (!in.may_hold(groups, decided_group_head_bytes)) return cut_off();
  for (std::uint32_t i = 0; i < groups; ++i) {
    const auto group = in.bytes(in.integer<std::uint32_t>());
    if (!in.is_ok()) return cut_off();
    auto offsets = parse_journal_offsets(group);
    if (!offsets) return offsets.error();
    decision.offsets.push_back(*std::move(offsets));
  }
  if (!in.may_hold(states, decided_state_head_bytes)) return cut_off();
  for (std::uint32_t i = 0; i < states && in.is_ok(); ++i) decision.state.push_back(read_state(in));
  if (!in.is_ok()) return cut_off();
  if (!in.is_done()) {
    auto deaths = read_deaths(in);
    if (!deaths) return deaths.error();
    decision.deaths = *std::move(deaths);
  }
  if (!makes_sense(decision)) return bad_decision("has an impossible producer or place");
  return decision;
}

}  // namespace seriatim::format
