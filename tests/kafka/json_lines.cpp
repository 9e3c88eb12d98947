#include "json_lines.hpp"

#include <array>
#include <cstdio>

#include "hex_text.hpp"

namespace seriatim::kafka_test {
namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

class Object {
 public:
  Object& raw(std::string_view name, std::string_view fragment) {
    if (text_.size() > 1) text_ += ',';
    text_ += quoted(name) + ":" + std::string(fragment);
    return *this;
  }
  Object& number(std::string_view name, std::int64_t value) { return raw(name, std::to_string(value)); }
  Object& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  std::string close() const { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

std::string crc_text(std::uint32_t crc) {
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", crc);
  return quoted(text.data());
}

std::string headers_text(std::span<const HeaderView> headers) {
  std::string text = "[";
  for (const HeaderView& header : headers) {
    if (text.size() > 1) text += ',';
    text += "[" + hex(header.key) + "," + hex(header.value) + "]";
  }
  return text + "]";
}

// Kafka's names of the types; -1 is what its reader makes of a type it does not know.
std::string_view control_name(const format::ControlRecord& control) {
  if (control.is_commit()) return "commit";
  return control.is_abort() ? "abort" : "unknown";
}

}  // namespace

std::string batch_line(const format::BatchHeader& header, std::uint64_t position, bool crc_is_valid) {
  Object fields;
  fields.number("position", static_cast<std::int64_t>(position))
      .number("size", static_cast<std::int64_t>(header.size_bytes()))
      .number("base_offset", header.base_offset)
      .number("last_offset", header.last_offset())
      .number("leader_epoch", header.leader_epoch)
      .number("magic", header.magic)
      .raw("crc", crc_text(header.crc))
      .flag("valid", crc_is_valid)
      .raw("codec", quoted(format::name(header.codec())))
      .flag("log_append_time", header.uses_log_append_time())
      .flag("transactional", header.is_transactional())
      .flag("control", header.is_control())
      .flag("delete_horizon", header.has_delete_horizon())
      .number("base_timestamp", header.base_timestamp_ms)
      .number("max_timestamp", header.max_timestamp_ms)
      .number("producer_id", header.producer_id)
      .number("producer_epoch", header.producer_epoch)
      .number("base_sequence", header.base_sequence)
      .number("last_sequence", header.last_sequence())
      .number("count", header.record_count);
  return Object().raw("batch", fields.close()).close();
}

std::string record_line(const RecordLine& record) {
  Object fields;
  fields.number("offset", record.offset)
      .number("timestamp", record.timestamp_ms)
      .number("sequence", record.sequence)
      .raw("key", hex(record.key))
      .raw("value", hex(record.value))
      .raw("headers", headers_text(record.headers));
  if (record.control) {
    fields.raw("control", quoted(control_name(*record.control)));
    if (record.control->ends_transaction())
      fields.number("coordinator_epoch", record.control->coordinator_epoch);
  }
  return Object().raw("record", fields.close()).close();
}

std::string end_line(std::uint64_t position) {
  return Object()
      .raw("end", Object().number("position", static_cast<std::int64_t>(position)).close())
      .close();
}

// Messages are ours and quote no file content: nothing in them needs escaping.
std::string fault_line(std::uint64_t position, std::string_view message) {
  Object fields;
  fields.number("position", static_cast<std::int64_t>(position)).raw("message", quoted(message));
  return Object().raw("fault", fields.close()).close();
}

}  // namespace seriatim::kafka_test
