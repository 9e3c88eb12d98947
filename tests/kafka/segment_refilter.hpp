// Repeats what Kafka's cleaner did to a segment with our BatchRebuilder: which records stayed is taken from
// the cleaner's output, how they are written is ours.
#pragma once

#include <iosfwd>
#include <string>

#include <seriatim/result.hpp>

namespace seriatim::kafka_test {

/// Writes to `out_path` the batches of `after_path`, each made anew from the batch of `before_path` with the
/// same base offset; a batch that Kafka copied is copied. Prints {"copied":n,"rebuilt":n} to `report`.
/// Errors: not_found, io_error: files. corrupt_record: `after_path` holds what cannot come from
/// `before_path`.
Result<> refilter(const std::string& before_path, const std::string& after_path, const std::string& out_path,
                  std::ostream& report);

}  // namespace seriatim::kafka_test
