#include "flow/route/binding_codec.hpp"

#include <cstdint>
#include <type_traits>
#include <utility>

#include "flow/route/binding_rules.hpp"

namespace seriatim::flow {
namespace {

constexpr std::uint8_t binding_version = 1;
constexpr std::string_view route_state_prefix = "__route:";
constexpr char binding_key_prefix = 'b';
constexpr std::size_t binding_page_entries = 256;

// Numbers are little-endian; texts are a length of 4 bytes and their bytes.
template <class Integer>
void put_binding_number(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    out.push_back(static_cast<char>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xFFU));
}
void put_binding_text(std::string& out, std::string_view text) {
  put_binding_number(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

// Once it fails it stays failed, and gives zeros.
class BindingReader {
 public:
  explicit BindingReader(std::string_view bytes) : rest_(bytes) {}

  template <class Integer>
  Integer number() {
    std::uint64_t value = 0;
    const std::string_view bytes = take(sizeof(Integer));
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    return static_cast<Integer>(value);
  }
  std::string text() { return std::string(take(number<std::uint32_t>())); }
  bool has_failed() const { return has_failed_; }
  bool is_at_end() const { return !has_failed_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (has_failed_ || size > rest_.size()) {
      has_failed_ = true;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool has_failed_ = false;
};

std::optional<Binding> decode_binding(std::string_view bytes) {
  BindingReader in(bytes);
  if (in.number<std::uint8_t>() != binding_version) return std::nullopt;
  Binding binding;
  binding.kind = static_cast<BindingKind>(in.number<std::uint8_t>());
  binding.topic = in.text();
  binding.routing_key = in.text();
  for (auto left = in.number<std::uint32_t>(); left > 0 && !in.has_failed(); --left) {
    std::string name = in.text();
    const bool has_value = in.number<std::uint8_t>() != 0;
    binding.headers.emplace_back(std::move(name), has_value ? std::optional(in.text()) : std::nullopt);
  }
  for (auto left = in.number<std::uint32_t>(); left > 0 && !in.has_failed(); --left) {
    const auto lowest = in.number<std::uint8_t>();
    binding.priority_topics[lowest] = in.text();
  }
  if (!in.is_at_end() || !check_binding(binding)) return std::nullopt;
  return binding;
}

// Big-endian, so that rows are in the order of their ids.
std::optional<BindingId> id_of_key(std::string_view key) {
  if (key.size() != 1 + sizeof(BindingId) || key.front() != binding_key_prefix) return std::nullopt;
  BindingId id = 0;
  for (const char byte : key.substr(1)) id = (id << 8U) | static_cast<unsigned char>(byte);
  return id;
}

std::string_view stored_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool add_row(std::string_view key, std::string_view value, StoredBindings& stored) {
  if (key == next_id_key()) {
    BindingReader in(value);
    const bool is_known = in.number<std::uint8_t>() == binding_version;
    stored.next_id = in.number<BindingId>();
    return is_known && in.is_at_end();
  }
  const auto id = id_of_key(key);
  auto binding = decode_binding(value);
  if (!id || !binding) return false;
  binding->id = *id;
  stored.bindings.push_back(*std::move(binding));
  return true;
}

}  // namespace

std::string route_state(std::string_view name) {
  std::string state(route_state_prefix);
  return state += name;
}

std::optional<std::string> router_of_state(std::string_view state) {
  if (state.substr(0, route_state_prefix.size()) != route_state_prefix) return std::nullopt;
  return std::string(state.substr(route_state_prefix.size()));
}

std::string binding_key(BindingId id) {
  std::string key(1, binding_key_prefix);
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>((id >> shift) & 0xFFU));
  return key;
}

std::string encode(const Binding& binding) {
  std::string out;
  put_binding_number(out, binding_version);
  put_binding_number(out, static_cast<std::uint8_t>(binding.kind));
  put_binding_text(out, binding.topic);
  put_binding_text(out, binding.routing_key);
  put_binding_number(out, static_cast<std::uint32_t>(binding.headers.size()));
  for (const auto& [name, value] : binding.headers) {
    put_binding_text(out, name);
    put_binding_number(out, static_cast<std::uint8_t>(value.has_value()));
    if (value) put_binding_text(out, *value);
  }
  put_binding_number(out, static_cast<std::uint32_t>(binding.priority_topics.size()));
  for (const auto& [lowest, topic] : binding.priority_topics) {
    put_binding_number(out, lowest);
    put_binding_text(out, topic);
  }
  return out;
}

std::string_view next_id_key() { return "n"; }

std::string encode_next_id(BindingId next) {
  std::string out;
  put_binding_number(out, binding_version);
  put_binding_number(out, next);
  return out;
}

Result<StoredBindings> read_bindings(const State& state) {
  StoredBindings stored;
  std::string from;
  for (;;) {
    auto page = state.scan(from, binding_page_entries);
    if (!page) return page.error();
    for (const StateEntry& entry : *page) {
      from = stored_text(entry.key);
      if (add_row(from, stored_text(entry.value), stored)) continue;
      return Error(Errc::corrupt_metadata, "state " + state.name() +
                                               ": a row is not that of a binding, or of a newer seriatim; "
                                               "`seriatim state scan` shows them");
    }
    if (page->size() < binding_page_entries) return stored;
    from.push_back('\0');
  }
}

}  // namespace seriatim::flow
