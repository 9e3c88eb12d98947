// How records leave `consume`, `tail` and `get`: as values, as JSON lines, or through a template.
#pragma once

#include <optional>
#include <string>

#include <seriatim/record.hpp>
#include <seriatim/result.hpp>

#include "command.hpp"
#include "text/output_stream.hpp"
#include "text/record_template.hpp"

namespace seriatim::cli {

struct PrintArguments {
  bool json = false;
  std::optional<std::string> format{};
  std::optional<std::string> key_delimiter{};
  std::string delimiter = "\\n";
  bool show_null = false;
};

/// The options that fill `arguments`; they point into it.
std::vector<Option> print_options(PrintArguments& arguments);

class RecordPrinter {
 public:
  /// Errors: invalid_argument: a bad template or delimiter, or -J together with -f.
  static Result<RecordPrinter> make(const PrintArguments& arguments);
  void print(const RecordView& record, OutputStream& out);

 private:
  bool json_ = false;
  std::optional<RecordTemplate> template_{};
  std::optional<std::string> key_delimiter_{};
  std::string delimiter_{};
  std::string null_text_{};
  std::string line_{};  // Kept for its memory.
};

}  // namespace seriatim::cli
