#include "catalog/records/catalog_records.hpp"

#include <doctest/doctest.h>

#include <string>

#include "catalog/records/committed_offset.hpp"
#include "catalog/records/transactional_id.hpp"
#include "support/hex.hpp"

namespace seriatim::catalog {
namespace {

Id counting_id() {
  Id id{};
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::byte>(i);
  return id;
}

std::string bytes(std::string_view hex) {
  const std::vector<std::byte> decoded = test::from_hex(hex);
  return std::string(base::as_text(decoded));
}

TEST_CASE("the bytes of each record are what the format says") {
  const TopicRecord topic{"ab", counting_id(), 3, {{"k", "v"}}, 0x0102};
  CHECK(encode(topic) == bytes("00000002 6162 000102030405060708090a0b0c0d0e0f 00000003 0000000000000102"
                               "00000001 00000001 6b 00000001 76"));
  CHECK(encode(PartitionState{1, 2, 3, 4, -1, 6}) ==
        bytes("0000000000000001 0000000000000002 0000000000000003 0000000000000004 ffffffffffffffff "
              "0000000000000006"));
  CHECK(encode(CommittedOffset{5, "m", 7}) == bytes("0000000000000005 0000000000000007 00000001 6d"));
  CHECK(encode(EngineRecord{counting_id(), true, 9}) ==
        bytes("000102030405060708090a0b0c0d0e0f 01 0000000000000009"));
  CHECK(encode(JournalTie{1, 2, 3}) == bytes("0000000000000001 0000000000000002 0000000000000003"));
  CHECK(encode(Moment{12}) == bytes("000000000000000c"));
  CHECK(encode(ProducerIds{}) == bytes("0000010000000000"));
  CHECK(encode(NamedProducer{1, 2, 3, 4}) ==
        bytes("0000000000000001 0002 0000000000000003 0000000000000004"));
  CHECK(encode(TransactionalId{1, 2, 3, 4}) == bytes("0000000000000001 0002 00000003 0000000000000004"));
}

template <class Record, class Decode>
void check_round_trip(const Record& record, Decode decode) {
  const std::string whole = encode(record);
  const Result<Record> back = decode(base::as_bytes(whole));
  REQUIRE(back.ok());
  CHECK(*back == record);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    const Result<Record> from_part = decode(base::as_bytes(std::string_view(whole).substr(0, cut)));
    REQUIRE_FALSE(from_part.ok());
    CHECK(from_part.error().code() == Errc::corrupt_metadata);
  }
  CHECK_FALSE(decode(base::as_bytes(whole + "x")).ok());
}

TEST_CASE("every record comes back whole, and neither cut nor with bytes left over") {
  check_round_trip(TopicRecord{"orders", counting_id(), 12, {{"a", ""}, {"retention.ms", "-1"}}, 99},
                   decode_topic);
  check_round_trip(PartitionState{10, 20, 8, 4'096, 20, 15}, decode_partition_state);
  check_round_trip(CommittedOffset{10, "some metadata", 1'700'000'000'000}, decode_committed_offset);
  check_round_trip(EngineRecord{counting_id(), false, 77}, decode_engine);
  check_round_trip(JournalTie{9, 8, 7}, decode_journal_tie);
  check_round_trip(Moment{~std::uint64_t{0}}, decode_moment);
  check_round_trip(ProducerIds{first_producer_id + 5}, decode_producer_ids);
  check_round_trip(NamedProducer{first_producer_id, 32'767, 1'700'000'000'000, -1}, decode_named_producer);
  check_round_trip(TransactionalId{first_producer_id, 7, 60'000, 1'700'000'000'000}, decode_transactional_id);
}

TEST_CASE("impossible contents are refused") {
  CHECK_FALSE(decode_topic(base::as_bytes(encode(TopicRecord{"t", counting_id(), 0, {}, 0}))).ok());
  CHECK_FALSE(decode_committed_offset(base::as_bytes(encode(CommittedOffset{-1, "", 0}))).ok());
  std::string engine = encode(EngineRecord{});
  engine[16] = 2;
  CHECK_FALSE(decode_engine(base::as_bytes(engine)).ok());
  // A length that would take more than there is, with a count that would take for ever.
  CHECK_FALSE(decode_topic(base::as_bytes(bytes("ffffffff 61"))).ok());
  CHECK_FALSE(
      decode_topic(base::as_bytes(bytes("00000000 00000000000000000000000000000000 00000001 0000000000000000"
                                        "ffffffff")))
          .ok());
}

TEST_CASE("impossible producers are refused") {
  CHECK_FALSE(decode_producer_ids(base::as_bytes(encode(ProducerIds{first_producer_id - 1}))).ok());
  CHECK_FALSE(decode_producer_ids(base::as_bytes(bytes("8000000000000000"))).ok());
  CHECK_FALSE(decode_named_producer(base::as_bytes(encode(NamedProducer{-1, 0, 0, 0}))).ok());
  CHECK_FALSE(decode_named_producer(base::as_bytes(encode(NamedProducer{0, -1, 0, 0}))).ok());
  CHECK_FALSE(decode_transactional_id(base::as_bytes(encode(TransactionalId{-1, 0, 0, 0}))).ok());
  CHECK_FALSE(decode_transactional_id(base::as_bytes(encode(TransactionalId{0, -1, 0, 0}))).ok());
  CHECK_FALSE(decode_transactional_id(base::as_bytes(encode(TransactionalId{0, 0, -1, 0}))).ok());
}

}  // namespace
}  // namespace seriatim::catalog
