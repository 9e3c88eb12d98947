#include "text/record_template.hpp"

#include "text/quantity.hpp"
#include "text/readable_time.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

constexpr std::string_view tokens = "tpoTkvsKSh";

Error bad_template(std::string_view what) {
  return {Errc::invalid_argument, "the format " + std::string(what) +
                                      ". Tokens: %t topic, %p partition, %o offset, %T timestamp, %k key, %v "
                                      "value, %K and %S their sizes, %h headers, "
                                      "%% percent; %k and %v take {hex} or {base64}, %T takes {rfc3339}"};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4];
    text += digits[byte & 0xF];
  }
  return text;
}

std::int64_t size_of(BytesView bytes) {
  return bytes.is_null() ? -1 : static_cast<std::int64_t>(bytes.size());
}

}  // namespace

Result<RecordTemplate::Encoding> RecordTemplate::parse_encoding(std::string_view name, char token) {
  const bool is_bytes = token == 'k' || token == 'v' || token == 's';
  if (is_bytes && name == "hex") return Encoding::hex;
  if (is_bytes && name == "base64") return Encoding::base64;
  if (token == 'T' && name == "rfc3339") return Encoding::rfc3339;
  return bad_template("has %" + std::string(1, token) + "{" + std::string(name) + "}, which does not exist");
}

Result<RecordTemplate> RecordTemplate::parse(std::string_view text) {
  const Result<std::string> unescaped = parse_delimiter(text);
  if (!unescaped.ok()) return unescaped.error();
  const std::string_view source = *unescaped;
  RecordTemplate result;
  std::string literal;
  for (std::size_t at = 0; at < source.size(); ++at) {
    if (source[at] != '%') {
      literal += source[at];
      continue;
    }
    if (++at == source.size()) return bad_template("ends with a single %");
    const char token = source[at];
    if (token == '%') {
      literal += '%';
      continue;
    }
    if (tokens.find(token) == std::string_view::npos)
      return bad_template("has %" + std::string(1, token) + ", which does not exist");
    Part part{.token = token};
    if (at + 1 < source.size() && source[at + 1] == '{') {
      const std::size_t closing = source.find('}', at);
      if (closing == std::string_view::npos) return bad_template("has a { without a }");
      const Result<Encoding> encoding = parse_encoding(source.substr(at + 2, closing - at - 2), token);
      if (!encoding.ok()) return encoding.error();
      part.encoding = *encoding;
      at = closing;
    }
    if (!literal.empty()) result.parts_.push_back({.text = std::move(literal)});
    literal.clear();
    result.parts_.push_back(std::move(part));
  }
  if (!literal.empty()) result.parts_.push_back({.text = std::move(literal)});
  return result;
}

void RecordTemplate::render(const RecordView& record, std::string_view null_text, std::string& out) const {
  for (const Part& part : parts_) {
    if (part.token == 0) {
      out += part.text;
    } else {
      render_token(part, record, null_text, out);
    }
  }
}

void RecordTemplate::render_token(const Part& part, const RecordView& record, std::string_view null_text,
                                  std::string& out) {
  const auto bytes = [&](BytesView view) {
    if (view.is_null()) {
      out += null_text;
    } else if (part.encoding == Encoding::plain) {
      out += view.text();
    } else {
      out += part.encoding == Encoding::hex ? hex(view.text()) : base64(view.text());
    }
  };
  switch (part.token) {
    case 't':
      out += record.topic();
      return;
    case 'p':
      out += std::to_string(record.partition());
      return;
    case 'o':
      out += std::to_string(record.offset());
      return;
    case 'k':
      return bytes(record.key());
    case 'v':
    case 's':
      return bytes(record.value());
    case 'K':
      out += std::to_string(size_of(record.key()));
      return;
    case 'S':
      out += std::to_string(size_of(record.value()));
      return;
    case 'T':
      out += part.encoding == Encoding::rfc3339
                 ? readable_time(record.timestamp())
                 : std::to_string(record.timestamp().time_since_epoch().count());
      return;
    default:
      break;
  }
  for (std::size_t i = 0; i < record.header_count(); ++i) {
    const HeaderView header = record.header(i);
    out += i == 0 ? "" : ",";
    out += header.key;
    out += '=';
    out += header.value.is_null() ? null_text : header.value.text();
  }
}

}  // namespace seriatim::cli
