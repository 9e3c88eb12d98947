// JSON values and strings as text that is valid whatever the bytes are.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace seriatim::cli {

/// Keeps the order of the fields.
using Json = nlohmann::ordered_json;

/// Appends `bytes` as a JSON string with its quotation marks, as the JSON library writes it.
/// @return false, with `out` as it was, if `bytes` are not UTF-8.
bool append_json_string(std::string& out, std::string_view bytes);

/// Writes `value`. A field whose text, or one text in whose array, is not UTF-8 is written as NAME_b64, with
/// all its texts in Base64.
/// @param indent  spaces a level; -1: everything on one line.
std::string json_text(const Json& value, int indent = -1);

}  // namespace seriatim::cli
