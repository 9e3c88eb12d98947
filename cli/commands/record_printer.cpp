#include "commands/record_printer.hpp"

#include "text/json_record.hpp"
#include "text/quantity.hpp"

namespace seriatim::cli {

std::vector<Option> print_options(PrintArguments& arguments) {
  return {
      {.names = "-J,--json-lines",
       .help = "One JSON object a line: topic, partition, offset, timestamp, key, value, headers",
       .target = &arguments.json},
      {.names = "-f,--format",
       .value_name = "FORMAT",
       .help = "Template: %t topic %p partition %o offset %T timestamp %k key %v value %K %S sizes %h "
               "headers; %v{hex} %v{base64} %T{rfc3339}",
       .target = &arguments.format},
      {.names = "-K,--key-delimiter",
       .value_name = "DELIM",
       .help = "Print the key and DELIM before each value",
       .target = &arguments.key_delimiter},
      {.names = "-D,--delimiter",
       .value_name = "DELIM",
       .help = "Delimiter after each record (default: \\n); none after -f",
       .target = &arguments.delimiter},
      {.names = "-Z,--null", .help = "Print null keys and values as NULL", .target = &arguments.show_null},
  };
}

Result<RecordPrinter> RecordPrinter::make(const PrintArguments& arguments) {
  RecordPrinter printer;
  if (arguments.json && (arguments.format || arguments.key_delimiter)) {
    return Error(Errc::invalid_argument, "-J prints whole records; leave out -f and -K");
  }
  printer.json_ = arguments.json;
  if (arguments.show_null) printer.null_text_ = "NULL";
  if (arguments.format) {
    Result<RecordTemplate> parsed = RecordTemplate::parse(*arguments.format);
    if (!parsed.ok()) return parsed.error();
    printer.template_ = std::move(*parsed);
  }
  Result<std::string> delimiter = parse_delimiter(arguments.delimiter);
  if (!delimiter.ok()) return delimiter.error();
  printer.delimiter_ = std::move(*delimiter);
  if (arguments.key_delimiter) {
    Result<std::string> key_delimiter = parse_delimiter(*arguments.key_delimiter);
    if (!key_delimiter.ok()) return key_delimiter.error();
    printer.key_delimiter_ = std::move(*key_delimiter);
  }
  return printer;
}

void RecordPrinter::print(const RecordView& record, OutputStream& out) {
  line_.clear();
  if (json_) {
    append_json(line_, record);
    line_ += '\n';
  } else if (template_) {
    template_->render(record, null_text_, line_);
  } else {
    const auto append = [&](BytesView bytes) {
      line_ += bytes.is_null() ? std::string_view(null_text_) : bytes.text();
    };
    if (key_delimiter_) {
      append(record.key());
      line_ += *key_delimiter_;
    }
    append(record.value());
    line_ += delimiter_;
  }
  out.write(line_);
}

}  // namespace seriatim::cli
