#include "text/json_text.hpp"

#include <algorithm>
#include <array>

#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

// JSON's short escapes; 'u' for the other control characters, 0 for what stands for itself.
constexpr std::array<char, 256> escapes = [] {
  std::array<char, 256> letters{};
  for (std::size_t control = 0; control < 0x20; ++control) letters[control] = 'u';
  letters['\b'] = 'b';
  letters['\f'] = 'f';
  letters['\n'] = 'n';
  letters['\r'] = 'r';
  letters['\t'] = 't';
  letters['"'] = '"';
  letters['\\'] = '\\';
  return letters;
}();

void append_escaped(std::string& out, unsigned char byte, char letter) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '\\';
  out += letter;
  if (letter != 'u') return;
  out += "00";
  out += digits[byte >> 4];
  out += digits[byte & 0xF];
}

bool is_text(const Json& value) {
  if (value.is_string()) return is_utf8(value.get_ref<const std::string&>());
  return !value.is_array() || std::all_of(value.begin(), value.end(), is_text);
}

// Whether the library can write `value` as it stands.
bool is_writable(const Json& value) {
  if (value.is_array()) return std::all_of(value.begin(), value.end(), is_writable);
  if (!value.is_object()) return is_text(value);
  for (const auto& [name, field] : value.items()) {
    if (!is_utf8(name) || !is_writable(field)) return false;
  }
  return true;
}

// Strings in Base64, at any depth of arrays. A row in an array keeps names of its own.
Json encoded(const Json& value);

Json in_base64(const Json& value) {
  if (value.is_string()) return base64(value.get_ref<const std::string&>());
  if (value.is_object()) return encoded(value);
  if (!value.is_array()) return value;
  Json elements = Json::array();
  for (const Json& element : value) elements.push_back(in_base64(element));
  return elements;
}

Json encoded(const Json& value) {
  if (value.is_array()) {
    Json elements = Json::array();
    const bool as_text = is_text(value);
    for (const Json& element : value) elements.push_back(as_text ? encoded(element) : in_base64(element));
    return elements;
  }
  if (!value.is_object()) return is_text(value) ? value : in_base64(value);
  Json fields = Json::object();
  for (const auto& [name, field] : value.items()) {
    // A name that is not UTF-8 has no field to tell its encoding: it is shown as a terminal would see it.
    const std::string shown = printable(name);
    const std::string& key = is_utf8(name) ? name : shown;
    if (is_text(field)) {
      fields[key] = encoded(field);
    } else {
      fields[key + "_b64"] = in_base64(field);
    }
  }
  return fields;
}

}  // namespace

bool append_json_string(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out += '"';
  while (!bytes.empty()) {
    const std::size_t plain = plain_prefix(bytes);
    out += bytes.substr(0, plain);
    bytes.remove_prefix(plain);
    if (bytes.empty()) break;
    const auto first = static_cast<unsigned char>(bytes.front());
    const std::size_t length = utf8_length(bytes);
    if (length == 0) {
      out.resize(start);
      return false;
    }
    if (const char letter = escapes[first]) {
      append_escaped(out, first, letter);
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(length);
  }
  out += '"';
  return true;
}

std::string json_text(const Json& value, int indent) {
  return is_writable(value) ? value.dump(indent) : encoded(value).dump(indent);
}

}  // namespace seriatim::cli
