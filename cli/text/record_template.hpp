// The `-f` template of `consume`: kcat's tokens, with braces for encodings.
//
//   %t topic     %p partition  %o offset               %T timestamp (ms)
//   %k key       %v value (also %s)  %K key size       %S value size
//   %h headers   %% percent
//   %k{hex} %k{base64} %v{hex} %v{base64} %T{rfc3339}
//
// A size of null is -1, as in kcat. Escapes: \n \t \r \0 \\ \xHH.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/record.hpp>
#include <seriatim/result.hpp>

namespace seriatim::cli {

class RecordTemplate {
 public:
  /// Errors: invalid_argument, with the tokens known.
  /// Threads: any.
  static Result<RecordTemplate> parse(std::string_view text);

  /// Appends `record` to `out`.
  /// @param null_text  what stands for a null key or value.
  void render(const RecordView& record, std::string_view null_text, std::string& out) const;

 private:
  enum class Encoding : std::uint8_t { plain, hex, base64, rfc3339 };
  struct Part {
    char token = 0;  ///< 0: `text` as it is.
    Encoding encoding = Encoding::plain;
    std::string text{};
  };
  static Result<Encoding> parse_encoding(std::string_view name, char token);
  static void render_token(const Part& part, const RecordView& record, std::string_view null_text,
                           std::string& out);

  std::vector<Part> parts_{};
};

}  // namespace seriatim::cli
