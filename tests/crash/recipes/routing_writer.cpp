// The process that routing_kill_test.py kills: threads that publish through one router, and one that changes
// its bindings. Each acknowledgement is written down after its call has returned.
//
//   routing_writer DIR REPORT [RUN]
//
// Prints what is there: "T TOPIC VALUE,VALUE,..." for each topic, "B ID,ID,..." for the bindings. With RUN, a
// number that no earlier run had, it prints "ready" then, and publishes until it is killed.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <seriatim/seriatim.hpp>

#include <seriatim/flow/router.hpp>

namespace {

using namespace seriatim;

constexpr int publishers = 2;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "routing_writer: %s\n", what.c_str());
  std::_Exit(1);
}

// One write call: a line is there whole or, if the kill came into it, without its end.
void note(int report, const std::string& line) {
  if (::write(report, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    die("cannot write the report");
}

void print_found(const Engine& engine, const Router& router) {
  for (const std::string topic : {"a", "b", "c"}) {
    std::string line = "T " + topic + " ";
    Consumer consumer = engine.consumer({.max_poll_records = 100'000}).value();
    consumer.assign_topic(topic).value();
    for (;;) {
      const auto records = consumer.poll(std::chrono::milliseconds(0)).value();
      if (records.empty()) break;
      for (const RecordView& record : records) line.append(record.value().text()).append(",");
    }
    std::puts(line.c_str());
  }
  std::string line = "B ";
  for (const Binding& binding : router.bindings().value()) line += std::to_string(binding.id) + ",";
  std::puts(line.c_str());
}

// By turns to three topics and to one.
void publish_for_ever(Router& router, int report, const std::string& who) {
  for (int i = 0;; ++i) {
    const bool is_to_all = i % 2 == 0;
    const std::string value = (is_to_all ? "all:" : "one:") + who + ":" + std::to_string(i);
    const auto routed =
        router.publish({.routing_key = is_to_all ? "to.all" : "one", .record = {.value = value}});
    if (!routed) die(routed.error().message());
    if (routed->targets.size() != (is_to_all ? 3U : 1U)) die("to the wrong number of topics");
    note(report, "P " + value + "\n");
  }
}

void bind_for_ever(Router& router, int report, const std::string& run) {
  for (int i = 0;; ++i) {
    const auto id = router.bind({.topic = "c", .routing_key = "never:" + run + ":" + std::to_string(i)});
    if (!id) die(id.error().message());
    note(report, "B " + std::to_string(*id) + "\n");
    if (i % 3 == 0) continue;
    note(report, "u " + std::to_string(*id) + "\n");  // About to be taken away.
    if (const auto unbound = router.unbind(*id); !unbound) die(unbound.error().message());
    note(report, "U " + std::to_string(*id) + "\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) die("usage: routing_writer DIR REPORT [RUN]");
  // Small journal files, so that kills meet their change; checkpoints beside commits.
  const Engine engine = Engine::open(argv[1], {.checkpoint_interval = std::chrono::milliseconds(30),
                                               .journal_max_bytes = 1 << 20,
                                               .journal_file_bytes = 64 << 10})
                            .value();
  for (const char* topic : {"a", "b", "c"})
    engine.admin().create_topic({.name = topic, .if_not_exists = true}).value();
  Router router = Router::open(engine, {.name = "r", .acks = Acks::leader}).value();
  router
      .change({.bind = {{.topic = "a", .kind = BindingKind::fan_out},
                        {.topic = "b", .kind = BindingKind::pattern, .routing_key = "to.#"},
                        {.topic = "c", .kind = BindingKind::pattern, .routing_key = "*.all"}}})
      .value();
  print_found(engine, router);
  if (argc == 3) {
    engine.close().value();
    return 0;
  }
  const int report = ::open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (report < 0) die("cannot open the report");
  std::puts("ready");
  std::fflush(stdout);
  const std::string run = argv[3];
  std::vector<std::jthread> threads;
  for (int i = 0; i < publishers; ++i) {
    threads.emplace_back(
        [&router, report, who = run + "." + std::to_string(i)] { publish_for_ever(router, report, who); });
  }
  bind_for_ever(router, report, run);
}
