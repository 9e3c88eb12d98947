#include "format/index_entry.hpp"

#include <array>
#include <vector>

#include <doctest/doctest.h>

#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;
using seriatim::test::T;

TEST_CASE("the offset index that Kafka rebuilds is written and read") {
  const std::array<OffsetIndexEntry, 3> entries{OffsetIndexEntry{3, 4716}, OffsetIndexEntry{6, 9432},
                                                OffsetIndexEntry{11, 15736}};
  test::Bytes file(entries.size() * offset_index_entry_bytes);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    store_offset_index_entry(file.data() + i * offset_index_entry_bytes, entries[i]);
    CHECK(load_offset_index_entry(file.data() + i * offset_index_entry_bytes) == entries[i]);
  }
  CHECK(test::to_hex(file) ==
        test::to_hex(test::from_hex("00000003 0000126c 00000006 000024d8 0000000b 00003d78")));
}

TEST_CASE("the time index that Kafka rebuilds is written and read") {
  const std::array<TimeIndexEntry, 4> entries{TimeIndexEntry{T + 3, 3}, TimeIndexEntry{T + 6, 6},
                                              TimeIndexEntry{T + 11, 11}, TimeIndexEntry{T + 13, 13}};
  test::Bytes file(entries.size() * time_index_entry_bytes);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    store_time_index_entry(file.data() + i * time_index_entry_bytes, entries[i]);
    CHECK(load_time_index_entry(file.data() + i * time_index_entry_bytes) == entries[i]);
  }
  CHECK(test::to_hex(file) ==
        test::to_hex(test::from_hex("0000018bcfe56803 00000003 0000018bcfe56806 00000006"
                                    "0000018bcfe5680b 0000000b 0000018bcfe5680d 0000000d")));
}

TEST_CASE("the transaction index that Kafka rebuilds is written and read") {
  const ProducerId a = test::example_producer_id;
  const std::array<AbortedTransaction, 2> entries{AbortedTransaction{a, 0, 8, 1},
                                                  AbortedTransaction{a + 1, 1, 11, 12}};
  test::Bytes file(entries.size() * aborted_transaction_bytes);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    store_aborted_transaction(file.data() + i * aborted_transaction_bytes, entries[i]);
    AbortedTransaction loaded;
    REQUIRE(load_aborted_transaction(file.data() + i * aborted_transaction_bytes, loaded));
    CHECK(loaded == entries[i]);
  }
  CHECK(test::to_hex(file) ==
        test::to_hex(
            test::from_hex("0000 0000040000000000 0000000000000000 0000000000000008 0000000000000001"
                           "0000 0000040000000001 0000000000000001 000000000000000b 000000000000000c")));
}

TEST_CASE("an aborted transaction that contradicts itself is not loaded") {
  const AbortedTransaction good{7, 10, 20, 21};
  const auto loads = [](const AbortedTransaction& entry, std::int16_t version) {
    std::array<std::byte, aborted_transaction_bytes> bytes{};
    store_aborted_transaction(bytes.data(), entry);
    base::store_be(bytes.data(), version);
    AbortedTransaction out{1, 2, 3, 4};
    const bool loaded = load_aborted_transaction(bytes.data(), out);
    CHECK(out == (loaded ? entry : AbortedTransaction{1, 2, 3, 4}));
    return loaded;
  };
  CHECK(loads(good, 0));
  CHECK_FALSE(loads(good, 1));
  CHECK_FALSE(loads(good, -1));
  CHECK_FALSE(loads({-1, 10, 20, 21}, 0));
  CHECK_FALSE(loads({7, -1, 20, 21}, 0));
  CHECK_FALSE(loads({7, 21, 20, 21}, 0));
  CHECK_FALSE(loads({7, 10, 20, -1}, 0));
}
