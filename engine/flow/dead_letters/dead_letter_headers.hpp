// The headers of a dead letter. Names are those of Kafka's share groups (KIP-1191) where it has them.
#pragma once

#include <string_view>

#include <seriatim/flow/dead_letters.hpp>
#include <seriatim/record.hpp>

#include "flow/header_list.hpp"
#include "flow/letter_headers.hpp"

namespace seriatim::flow {

/// Behind the name of a topic.
inline constexpr std::string_view dead_letter_suffix = ".DLQ";

/// Adds the headers that say what the letter's fields say about the death.
void add_death(HeaderList& headers, const DeadLetter& letter);
/// A letter, copied; `is_replayed` is left as it is.
DeadLetter dead_letter_of(const RecordView& record);

}  // namespace seriatim::flow
