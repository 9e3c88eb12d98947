// Bytes as text: whether they are UTF-8, and Base64 (RFC 4648, with padding) where they are not.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace seriatim::tools {

/// Whether `bytes` is well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes) noexcept;
std::string base64(std::string_view bytes);
/// nullopt if `text` is not whole, padded Base64.
std::optional<std::string> from_base64(std::string_view text);
/// `bytes` fit for a terminal: control characters and what is not UTF-8 as \xHH, so that a stored record
/// cannot drive the terminal.
std::string printable(std::string_view bytes);

}  // namespace seriatim::tools
