// Bytes as text: whether they are UTF-8, and Base64 (RFC 4648, with padding) where they are not.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace seriatim::cli {

/// Whether `bytes` is well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes) noexcept;
/// Length of the run at the start of `bytes` that JSON and a terminal show as it is: printable ASCII without
/// `"` and `\`, DEL included.
std::size_t plain_prefix(std::string_view bytes) noexcept;
/// Length of the well-formed UTF-8 sequence at the start of `rest` (not empty); 0 if there is none.
std::size_t utf8_length(std::string_view rest) noexcept;
std::string base64(std::string_view bytes);
void append_base64(std::string& out, std::string_view bytes);
/// nullopt if `text` is not whole, padded Base64.
std::optional<std::string> from_base64(std::string_view text);
/// `bytes` fit for a terminal: control characters and what is not UTF-8 as \xHH, so that a stored record
/// cannot drive the terminal.
std::string printable(std::string_view bytes);
/// The same of a message that may have several lines: their ends stay.
std::string printable_lines(std::string_view bytes);

}  // namespace seriatim::cli
