#include "segment_scenarios.hpp"

#include <limits>
#include <random>
#include <string>

namespace seriatim::kafka_test {
namespace {

using format::Codec;
using format::FrameOptions;
using Batch = std::vector<OwnedInput>;

// An arbitrary instant, the one that the worked examples of the format use.
constexpr std::int64_t t0_ms = 1'700'000'000'000;
constexpr std::int64_t day_ms = 86'400'000;
// Above every id a Kafka cluster will have handed out.
constexpr ProducerId producer_a = ProducerId{1} << 42;
constexpr ProducerId producer_b = producer_a + 1;
// Sizes around the blocks of Kafka's snappy (32 KiB) and lz4 (64 KiB) streams, and far beyond.
constexpr std::size_t block_sizes[] = {32 << 10, (64 << 10) - 100, 64 << 10, (64 << 10) + 1, 300'000};

struct CodecLevel {
  Codec codec;
  std::optional<int> level;
};
constexpr CodecLevel codec_levels[] = {{Codec::none, {}},   {Codec::gzip, {}}, {Codec::gzip, 9},
                                       {Codec::snappy, {}}, {Codec::lz4, {}},  {Codec::lz4, 12},
                                       {Codec::zstd, {}},   {Codec::zstd, -5}, {Codec::zstd, 19}};

FrameOptions compressed(const CodecLevel& with) {
  FrameOptions options;
  options.codec = with.codec;
  options.level = with.level;
  return options;
}

FrameOptions from_producer(ProducerId id, ProducerEpoch epoch, Sequence sequence,
                           bool transactional = false) {
  FrameOptions options;
  options.producer_id = id;
  options.producer_epoch = epoch;
  options.base_sequence = sequence;
  options.transactional = transactional;
  return options;
}

OwnedInput record(std::int64_t timestamp_ms, std::optional<std::string> key,
                  std::optional<std::string> value) {
  return {timestamp_ms, std::move(key), std::move(value), {}};
}

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) { return static_cast<std::size_t>(random() % limit); }

std::string bytes(Random& random, std::size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random() & 0xFFU);
  return text;
}

// Runs `steps` in order up to the first error.
template <class... Steps>
Result<> in_order(Steps&&... steps) {
  Result<> result;
  (void)((result = steps(), result.ok()) && ...);
  return result;
}

Batch headers_batch() {
  OwnedInput few = record(t0_ms, "headers", "v");
  few.headers = {{"one", "1"},    {"null", std::nullopt},
                 {"empty", ""},   {"one", "again"},
                 {"", "no name"}, {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", std::string("\0\xFF\x7F\x80", 4)}};
  OwnedInput many = record(t0_ms, "many headers", "v");
  for (std::size_t i = 0; i < 200; ++i)
    many.headers.emplace_back("h" + std::to_string(i), std::string(i, 'x'));
  return {few, many};
}

Batch varint_batch() {
  Batch batch;  // Lengths on both sides of every varint width in reach.
  for (const std::size_t size : {0U, 1U, 62U, 63U, 64U, 65U, 8190U, 8191U, 8192U, 8193U}) {
    batch.push_back(
        record(t0_ms + static_cast<std::int64_t>(size), std::string(size, 'k'), std::string(size, 'v')));
  }
  return batch;
}

Result<> records(SegmentWriter& writer, std::uint64_t /*seed*/) {
  const Batch nulls = {
      record(t0_ms, {}, "null key"),  record(t0_ms, "", "empty key"), record(t0_ms, "empty value", ""),
      record(t0_ms, "tombstone", {}), record(t0_ms, {}, {}),          record(t0_ms, "", "")};
  const Batch times = {record(t0_ms + 100, "later", "1"),
                       record(t0_ms - day_ms - 3, "a day before", "2"),
                       record(t0_ms + 50, "between", "3"),
                       record(-1, "none", "4"),
                       record(0, "epoch", "5"),
                       record(std::numeric_limits<std::int64_t>::max() / 2, "far", "6")};
  return in_order([&] { return writer.append({record(t0_ms, "k", "hello")}, {}); },
                  [&] { return writer.append(nulls, {}); }, [&] { return writer.append(times, {}); },
                  [&] { return writer.append({record(-1, "no timestamp in the batch", "v")}, {}); },
                  [&] { return writer.append(headers_batch(), {}); },
                  [&] { return writer.append(varint_batch(), {}); });
}

// The allocation-free path for one record, with everything that changes a length in it.
Result<> singles(SegmentWriter& writer, std::uint64_t seed) {
  Random random(seed);
  Batch all = varint_batch();
  for (const OwnedInput& with_headers : headers_batch()) all.push_back(with_headers);
  all.push_back(record(t0_ms, {}, "null key"));
  all.push_back(record(-1, "", ""));
  for (const std::size_t size : block_sizes) all.push_back(record(t0_ms, "large", bytes(random, size)));
  Sequence sequence = 0;
  for (const OwnedInput& one : all) {
    if (auto done = writer.append_single(one, {}); !done) return done;
    if (auto done = writer.append_single(one, from_producer(producer_a, 0, sequence++)); !done) return done;
    if (auto done = writer.append_in_place(one, from_producer(producer_b, 3, sequence)); !done) return done;
  }
  return in_order([&] { return writer.append_single(record(t0_ms, "tombstone", {}), {}); },
                  [&] {
                    return writer.append_single(record(t0_ms, {}, {}),
                                                from_producer(producer_a, 0, sequence, true));
                  });
}

Result<> codecs(SegmentWriter& writer, std::uint64_t seed) {
  Random random(seed);
  for (const CodecLevel& with : codec_levels) {
    const Batch two = {record(t0_ms, "k", "hello hello hello hello"),
                       record(t0_ms + 1, "k", "hello hello hello hello")};
    if (auto done = writer.append(two, compressed(with)); !done) return done;
    if (auto done = writer.append({record(t0_ms, {}, {})}, compressed(with)); !done) return done;
    Batch many;
    for (std::int64_t i = 0; i < 300; ++i) {
      many.push_back(record(t0_ms + i, bytes(random, 8), bytes(random, 40)));
      many.back().headers.emplace_back("h", bytes(random, 5));
    }
    if (auto done = writer.append(many, compressed(with)); !done) return done;
  }
  return {};
}

Result<> large(SegmentWriter& writer, std::uint64_t seed) {
  Random random(seed);
  for (const CodecLevel& with : codec_levels) {
    for (const std::size_t size : block_sizes) {
      if (auto done = writer.append({record(t0_ms, "same", std::string(size, 'a'))}, compressed(with)); !done)
        return done;
      if (auto done = writer.append({record(t0_ms, "random", bytes(random, size))}, compressed(with)); !done)
        return done;
    }
    Batch many;
    for (std::int64_t i = 0; i < 2'000; ++i) {
      many.push_back(record(t0_ms + i, "key-" + std::to_string(i % 50),
                            "value " + std::to_string(i) + " of a batch that compresses well"));
    }
    if (auto done = writer.append(many, compressed(with)); !done) return done;
  }
  return {};
}

Result<> log_append_time(SegmentWriter& writer, std::uint64_t /*seed*/) {
  const Batch batch = {record(t0_ms, "k", "hello"), record(t0_ms + 5, "k", "world"), record(-1, "k", "!")};
  for (const CodecLevel& with : codec_levels) {
    FrameOptions options = compressed(with);
    if (auto done = writer.append_stamped(batch, options, t0_ms + 123'456); !done) return done;
    options.log_append_time = true;
    options.append_time_ms = t0_ms + 123'457;
    if (auto done = writer.append(batch, options); !done) return done;
    if (auto done = writer.append_single(batch[0], options); with.codec == Codec::none && !done) return done;
  }
  return {};
}

Result<> producers(SegmentWriter& writer, std::uint64_t /*seed*/) {
  const Sequence last = std::numeric_limits<Sequence>::max();
  const Batch two = {record(t0_ms, "a", "2"), record(t0_ms, "a", "3")};
  const Batch three = {record(t0_ms, "b", "1"), record(t0_ms, "b", "2"), record(t0_ms, "b", "wrapped to 0")};
  FrameOptions zstd = from_producer(producer_a, 32'766, 0, true);
  zstd.codec = Codec::zstd;
  const auto marker = [&](ProducerId id, ProducerEpoch epoch, format::ControlType type,
                          std::int64_t timestamp_ms) {
    writer.append_marker({type, id, epoch, timestamp_ms, 0});
  };
  auto written =
      in_order([&] { return writer.append({record(t0_ms, "a", "1")}, from_producer(producer_a, 0, 0)); },
               [&] { return writer.append(two, from_producer(producer_a, 0, 1)); },
               [&] { return writer.append(three, from_producer(producer_b, 7, last - 1)); },
               [&] { return writer.append(two, from_producer(producer_b, 7, 1, true)); },
               [&] { return writer.append(three, zstd); });
  if (!written) return written;
  marker(producer_b, 7, format::ControlType::commit, t0_ms + 1);
  marker(producer_a, 32'766, format::ControlType::abort, t0_ms + 2);
  marker(std::numeric_limits<ProducerId>::max(), 32'767, format::ControlType::commit, -1);
  return writer.append(two, from_producer(producer_b, 8, 0, true));
}

Result<> compacted(SegmentWriter& writer, std::uint64_t seed) {
  Random random(seed);
  for (const CodecLevel& with : codec_levels) {
    for (int round = 0; round < 6; ++round) {
      Batch batch;
      for (std::int64_t i = 0; i < 12; ++i) {
        const bool tombstone = below(random, 3) == 0;
        const std::int64_t timestamp_ms = t0_ms + static_cast<std::int64_t>(below(random, 1'000));
        batch.push_back(record(timestamp_ms, "key-" + std::to_string(i),
                               tombstone ? std::nullopt : std::optional(bytes(random, 30))));
      }
      const bool transactional = round % 2 == 1;
      const Sequence sequence = std::numeric_limits<Sequence>::max() - 5;  // Wraps within the batch.
      FrameOptions options =
          from_producer(transactional ? producer_b : producer_a, 0, sequence, transactional);
      options.codec = with.codec;
      options.level = with.level;
      options.log_append_time = round == 4;
      options.append_time_ms = options.log_append_time ? t0_ms + 5'000 : -1;
      format::RebuildOptions rebuild;
      if (round % 3 != 0) rebuild.delete_horizon_ms = t0_ms + day_ms;
      const std::uint64_t kept =
          round == 5 ? 0 : random();  // The last round leaves a remnant without records.
      const auto keep = [kept](std::size_t i) { return ((kept >> i) & 1U) != 0; };
      if (auto done = writer.append_compacted(batch, options, rebuild, keep); !done) return done;
    }
  }
  return writer.append({record(t0_ms, "after", "the remnants")}, {});
}

OwnedInput random_record(Random& random) {
  OwnedInput one;
  one.timestamp_ms = t0_ms + static_cast<std::int64_t>(below(random, 100'000));
  if (below(random, 5) != 0) one.key = bytes(random, below(random, 40));
  if (below(random, 8) != 0) one.value = bytes(random, below(random, below(random, 50) == 0 ? 20'000 : 200));
  for (std::size_t h = below(random, 3); h > 0; --h) {
    one.headers.emplace_back("h" + std::to_string(h),
                             below(random, 2) == 0 ? std::nullopt : std::optional(bytes(random, h)));
  }
  return one;
}

Result<> random_batches(SegmentWriter& writer, std::uint64_t seed) {
  Random random(seed);
  Sequence sequence = 0;
  for (int i = 0; i < 300; ++i) {
    Batch batch;
    const std::size_t count = 1 + below(random, below(random, 10) == 0 ? 400 : 8);
    for (std::size_t j = 0; j < count; ++j) batch.push_back(random_record(random));
    FrameOptions options = compressed(codec_levels[below(random, std::size(codec_levels))]);
    if (below(random, 2) == 0) {
      options.producer_id = producer_a;
      options.producer_epoch = 0;
      options.base_sequence = sequence;
      sequence += static_cast<Sequence>(count);
    }
    if (auto done = writer.append(batch, options); !done) return done;
  }
  return {};
}

}  // namespace

const std::vector<ScenarioEntry>& segment_scenarios() {
  static const std::vector<ScenarioEntry> scenarios = {
      {"records", records},
      {"singles", singles},
      {"codecs", codecs},
      {"large", large},
      {"log-append-time", log_append_time},
      {"producers", producers},
      {"compacted", compacted},
      {"random", random_batches},
  };
  return scenarios;
}

}  // namespace seriatim::kafka_test
