// route bind, unbind, publish.
#include "route/route_commands.hpp"

#include <charconv>
#include <chrono>
#include <memory>
#include <utility>

#include "base/text.hpp"
#include "command_tree.hpp"
#include "context.hpp"

namespace seriatim::cli {
namespace {

struct BindArguments {
  std::string name{};
  std::string topic{};
  std::optional<std::string> key{};
  std::optional<std::string> pattern{};
  std::vector<std::string> headers{};
  bool any = false;
  bool fan_out = false;
  std::vector<std::string> priorities{};
};

struct UnbindArguments {
  std::string name{};
  std::string id{};
};

struct RoutePublishArguments {
  RouteMessageArguments message{};
  std::string value{};
  std::optional<std::string> key{};
  std::string ttl{};
  std::string alternate{};
};

// All of `text`, as a number of at most `largest`.
std::optional<std::uint64_t> parse_whole_number(std::string_view text, std::uint64_t largest) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > largest) return std::nullopt;
  return number;
}

// Errors: invalid_argument.
Result<std::map<std::uint8_t, std::string>> parse_priority_topics(const std::vector<std::string>& words) {
  std::map<std::uint8_t, std::string> topics;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    const auto lowest = parse_whole_number(std::string_view(word).substr(0, equals), 255);
    if (!lowest || equals == std::string::npos) {
      return Error(Errc::invalid_argument,
                   "--priority " + word + " is not N=TOPIC with a lowest priority from 0 to 255");
    }
    topics[static_cast<std::uint8_t>(*lowest)] = word.substr(equals + 1);
  }
  return topics;
}

// Errors: invalid_argument.
Result<Binding> binding_of(const BindArguments& arguments) {
  const int conditions = static_cast<int>(arguments.key.has_value()) +
                         static_cast<int>(arguments.pattern.has_value()) +
                         static_cast<int>(!arguments.headers.empty()) + static_cast<int>(arguments.fan_out);
  if (conditions != 1)
    return Error(Errc::invalid_argument, "give one of --key, --pattern, -H (once or more) and --fan-out");
  if (arguments.any && arguments.headers.empty())
    return Error(Errc::invalid_argument, "--any is about headers; give some with -H, or leave it out");
  auto headers = parse_named_headers(arguments.headers);
  if (!headers.ok()) return headers.error();
  auto priorities = parse_priority_topics(arguments.priorities);
  if (!priorities.ok()) return priorities.error();
  Binding binding{
      .topic = arguments.topic, .headers = *std::move(headers), .priority_topics = *std::move(priorities)};
  if (arguments.key) binding.routing_key = *arguments.key;
  if (arguments.pattern) {
    binding.kind = BindingKind::pattern;
    binding.routing_key = *arguments.pattern;
  }
  if (!binding.headers.empty())
    binding.kind = arguments.any ? BindingKind::headers_any : BindingKind::headers_all;
  if (arguments.fan_out) binding.kind = BindingKind::fan_out;
  return binding;
}

Result<ExitCode> bind_topic(Context& context, const BindArguments& arguments) {
  const auto binding = binding_of(arguments);
  if (!binding.ok()) return binding.error();
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  // With the nearest name, if there is none.
  if (const auto known = describe_topic(*engine, arguments.topic); !known.ok()) return known.error();
  {
    Result<Router> router = Router::open(*engine, {.name = arguments.name});
    if (!router.ok()) return router.error();
    const auto id = router->bind(*binding);
    if (!id.ok()) return id.error();
    context.out.write(std::to_string(*id) + "\n");
  }
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

Result<ExitCode> unbind_topic(Context& context, const UnbindArguments& arguments) {
  const auto id = parse_whole_number(arguments.id, ~BindingId{0});
  if (!id)
    return Error(Errc::invalid_argument, arguments.id + " is no id of a binding; route list shows them");
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  if (const auto known = check_router_known(*engine, arguments.name); !known.ok()) return known.error();
  {
    Result<Router> router = Router::open(*engine, {.name = arguments.name});
    if (!router.ok()) return router.error();
    if (const auto done = router->unbind(*id); !done.ok()) return done.error();
  }
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  context.note("binding " + arguments.id + " of router " + arguments.name + " is gone");
  return ExitCode::ok;
}

Result<Routed> publish_once(const Engine& engine, const RoutePublishArguments& arguments,
                            const RoutedMessage& message) {
  Result<Router> router =
      Router::open(engine, {.name = arguments.message.name, .alternate_topic = arguments.alternate});
  if (!router.ok()) return router.error();
  return router->publish(message);
}

Result<ExitCode> publish_message(Context& context, const RoutePublishArguments& arguments) {
  const auto headers = parse_named_headers(arguments.message.headers);
  if (!headers.ok()) return headers.error();
  const auto views = views_of(*headers);
  RoutedMessage message{.routing_key = arguments.message.routing_key,
                        .record = {.key = arguments.key ? BytesView(*arguments.key) : BytesView(),
                                   .value = arguments.value,
                                   .headers = views},
                        .priority = static_cast<std::uint8_t>(arguments.message.priority.value_or(0))};
  if (!arguments.ttl.empty()) {
    const auto ttl_ms = base::parse_duration_ms(arguments.ttl);
    if (!ttl_ms.ok()) return ttl_ms.error();
    message.ttl = std::chrono::milliseconds(*ttl_ms);
  }
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  if (const auto known = check_router_known(*engine, arguments.message.name); !known.ok())
    return known.error();
  const auto routed = publish_once(*engine, arguments, message);
  if (!routed.ok()) return routed.error();
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  for (const RoutedTo& to : routed->targets) {
    context.out.write(to.topic + ":" + std::to_string(to.record.partition) + "@" +
                      std::to_string(to.record.offset) + "\n");
  }
  return ExitCode::ok;
}

Command bind_command() {
  auto arguments = std::make_shared<BindArguments>();
  return {.name = "bind",
          .summary = "Binds a topic to a router, and prints the id of the binding",
          .positionals = {router_positional(arguments->name),
                          {.name = "TOPIC", .help = "Gets the messages", .target = &arguments->topic}},
          .options = {{.names = "--key",
                       .value_name = "KEY",
                       .help = "Messages of exactly this routing key",
                       .target = &arguments->key},
                      {.names = "--pattern",
                       .value_name = "PATTERN",
                       .help = "Messages whose routing key matches: * is one word, # any number of words",
                       .target = &arguments->pattern},
                      {.names = "-H,--header",
                       .value_name = "K[=V]",
                       .help = "Messages with this header; repeated: with all of them",
                       .target = &arguments->headers},
                      {.names = "--any",
                       .help = "With -H: messages with at least one of the headers",
                       .target = &arguments->any},
                      {.names = "--fan-out", .help = "Every message", .target = &arguments->fan_out},
                      {.names = "--priority",
                       .value_name = "N=TOPIC",
                       .help = "Messages of priority N and above go to TOPIC instead; may be repeated",
                       .target = &arguments->priorities}},
          .examples = {"seriatim -d data route bind shop eu-orders --pattern 'order.eu.#'",
                       "seriatim -d data route bind shop jobs --key job --priority 5=jobs-urgent",
                       "seriatim -d data route bind shop audit -H source=web -H audit"},
          .run = [arguments](Context& context) { return bind_topic(context, *arguments); }};
}

Command unbind_command() {
  auto arguments = std::make_shared<UnbindArguments>();
  return {.name = "unbind",
          .summary = "Takes a binding away",
          .positionals = {router_positional(arguments->name),
                          {.name = "ID", .help = "Which; route list shows it", .target = &arguments->id}},
          .examples = {"seriatim -d data route unbind shop 3"},
          .run = [arguments](Context& context) { return unbind_topic(context, *arguments); }};
}

Command route_publish_command() {
  auto arguments = std::make_shared<RoutePublishArguments>();
  return {
      .name = "publish",
      .summary = "Appends a message to every topic whose binding matches, and prints where it is",
      .positionals = {router_positional(arguments->message.name),
                      routing_key_positional(arguments->message.routing_key),
                      {.name = "VALUE", .help = "Value of the record", .target = &arguments->value}},
      .options =
          {{.names = "-k,--key", .value_name = "KEY", .help = "Key of the record", .target = &arguments->key},
           message_headers_option(arguments->message.headers),
           message_priority_option(arguments->message.priority),
           {.names = "--ttl",
            .value_name = "DURATION",
            .help = "Time after which the record is expired (default: never)",
            .target = &arguments->ttl},
           {.names = "--alternate",
            .value_name = "TOPIC",
            .help = "Gets the message if no binding matches (default: that is an error)",
            .target = &arguments->alternate}},
      .examples = {"seriatim -d data route publish shop order.eu.paid '{\"sum\":12}' -k user-42 --ttl 15m"},
      .run = [arguments](Context& context) { return publish_message(context, *arguments); }};
}

}  // namespace

Command route_command() {
  return {.name = "route",
          .summary = "Binds topics to routers, and publishes by their bindings",
          .children = {route_list_command(), route_test_command(), bind_command(), unbind_command(),
                       route_publish_command()}};
}

}  // namespace seriatim::cli
