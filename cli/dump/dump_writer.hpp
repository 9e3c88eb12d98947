// Rows of different shapes, written as they come: dump must not hold a whole segment in memory.
#pragma once

#include <string_view>

#include "interrupt.hpp"
#include "text/output.hpp"

namespace seriatim::cli {

/// As a table: "name: value name: value", as kafka-dump-log does it.
class DumpWriter {
 public:
  DumpWriter(OutputStream& out, OutputFormat format) : out_(out), format_(format) {}
  /// @param object  the row.
  /// @param prefix  in a table, before the row: "| " for what belongs to the row above.
  void row(const Json& object, std::string_view prefix = {});
  /// Ends the array that --output json is.
  void finish();
  /// Nothing more is wanted: a signal asked to stop, or nobody takes the output.
  bool is_over() const noexcept { return is_interrupted() || out_.has_failed(); }

 private:
  OutputStream& out_;
  OutputFormat format_;
  bool is_first_ = true;
};

}  // namespace seriatim::cli
