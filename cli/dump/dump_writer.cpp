#include "dump/dump_writer.hpp"

#include "text/text_encoding.hpp"

namespace seriatim::cli {

void DumpWriter::row(const Json& object, std::string_view prefix) {
  if (format_ == OutputFormat::json) {
    out_.write(is_first_ ? "[\n" : ",\n");
    out_.write(json_text(object));
  } else if (format_ == OutputFormat::jsonl) {
    out_.write(json_text(object) + "\n");
  } else {
    std::string line(prefix);
    for (const auto& [name, value] : object.items()) {
      line += line.size() == prefix.size() ? "" : " ";
      line += name + ": " +
              (value.is_string() ? printable(value.get_ref<const std::string&>()) : json_text(value));
    }
    out_.write(line + "\n");
  }
  is_first_ = false;
}

void DumpWriter::finish() {
  if (format_ != OutputFormat::json) return;
  out_.write(is_first_ ? "[]\n" : "\n]\n");
}

}  // namespace seriatim::cli
