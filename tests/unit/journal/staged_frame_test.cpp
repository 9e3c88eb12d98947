#include "journal/staged_frame.hpp"

#include <doctest/doctest.h>

#include "format/batch_header.hpp"
#include "support/log_builder.hpp"

using namespace seriatim;
using journal::StagedFrame;

TEST_CASE("the frame of a batch that is not published yet has the batch as it is published") {
  const auto log = test::LogBuilder(7).batch({.size_bytes = 300});
  const auto& published = log.bytes();
  auto placed = published;
  placed[format::magic_at] = std::byte{format::unpublished_magic};
  const format::JournalPlace place{.partition = 3, .base_offset = 7, .position = 11};
  StagedFrame frame = StagedFrame::unpublished_batch(place, placed, nullptr);
  StagedFrame whole = StagedFrame::batch(place, published, nullptr);
  CHECK(frame.frame_bytes() == whole.frame_bytes());
  const auto payload_of = [](StagedFrame& of) {
    std::vector<std::byte> payload(of.fields(), of.fields() + of.fields_size);
    payload.insert(payload.end(), of.body.begin(), of.body.end());
    return payload;
  };
  CHECK(payload_of(frame) == payload_of(whole));
}
