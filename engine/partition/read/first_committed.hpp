// The next record that a read_committed reader is shown. Markers, aborted records and what compaction left
// empty are none.
#pragma once

#include <optional>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "partition/partition_log.hpp"

namespace seriatim::partition {

/// The offset of the first committed record at or behind `from`; nullopt: there is none below `bound`.
/// @param from   a lower one than the log start is taken for that.
/// @param bound  the last stable offset at some time.
/// Errors: corrupt_record in what had to be read; unsupported_codec; those of mapping a segment.
/// Cost: two binary searches and a look at each batch header up to the record; where compaction took records
/// out of a batch on the way, the records of that batch.
Result<std::optional<Offset>> find_first_committed(const PartitionLogPtr& log, Offset from, Offset bound);

}  // namespace seriatim::partition
