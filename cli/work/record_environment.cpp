#include "work/record_environment.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include <unistd.h>

#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

// Linux takes no single variable above 128 KiB (MAX_ARG_STRLEN); Base64 makes four bytes of three.
constexpr std::size_t key_bytes_max = 90 * 1024;

constexpr std::array<std::string_view, 6> set_here{"SERIATIM_TOPIC",  "SERIATIM_PARTITION",
                                                   "SERIATIM_OFFSET", "SERIATIM_DELIVERY_COUNT",
                                                   "SERIATIM_KEY",    "SERIATIM_KEY_B64"};

bool is_set_here(std::string_view variable) {
  const std::string_view name = variable.substr(0, variable.find('='));
  return std::find(set_here.begin(), set_here.end(), name) != set_here.end();
}

}  // namespace

std::vector<std::string> record_environment(const std::vector<std::string>& inherited,
                                            const RecordView& record, std::int16_t delivery_count) {
  std::vector<std::string> variables;
  variables.reserve(inherited.size() + set_here.size());
  for (const std::string& variable : inherited) {
    if (!is_set_here(variable)) variables.push_back(variable);
  }
  variables.push_back("SERIATIM_TOPIC=" + std::string(record.topic()));
  variables.push_back("SERIATIM_PARTITION=" + std::to_string(record.partition()));
  variables.push_back("SERIATIM_OFFSET=" + std::to_string(record.offset()));
  variables.push_back("SERIATIM_DELIVERY_COUNT=" + std::to_string(delivery_count));
  const BytesView key = record.key();
  if (key.is_null() || key.size() > key_bytes_max) return variables;
  const std::string_view text = key.text();
  const bool is_text = is_utf8(text) && text.find('\0') == std::string_view::npos;
  variables.push_back(is_text ? "SERIATIM_KEY=" + std::string(text) : "SERIATIM_KEY_B64=" + base64(text));
  return variables;
}

std::vector<std::string> own_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  return variables;
}

}  // namespace seriatim::cli
