// Looks into a directory that another process writes to: who writes, how far readers are behind, whether
// every byte is right.
#include <sys/wait.h>
#include <unistd.h>

#include "example.hpp"

namespace {

/// The other process: writes ten records, lets a reader commit four, and stays until `goodbye` is closed.
[[noreturn]] void write_until(const std::filesystem::path& directory, int ready, int goodbye) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "orders"}).value();
  seriatim::Producer producer = engine.producer().value();
  for (int i = 0; i < 10; ++i) producer.send_sync({.topic = "orders", .value = "x"}).value();
  engine.admin().alter_group_offsets("billing", {{{"orders", 0}, {.offset = 4}}}).value();
  char byte = '+';
  if (::write(ready, &byte, 1) != 1) std::_Exit(1);
  while (::read(goodbye, &byte, 1) > 0) {
  }
  engine.close().value();
  std::_Exit(0);
}

void monitor(const std::filesystem::path& directory) {
  int ready[2];
  int goodbye[2];
  check(::pipe(ready) == 0 && ::pipe(goodbye) == 0, "pipes");
  const pid_t writer = ::fork();  // Before any engine is open here: an engine does not go through fork().
  if (writer == 0) {
    ::close(goodbye[1]);
    write_until(directory, ready[1], goodbye[0]);
  }
  char byte = 0;
  check(::read(ready[0], &byte, 1) == 1, "the writer to be ready");

  const auto info = seriatim::writer_of(directory).value();
  check(info.has_value() && info->pid == writer, "the writer's pid");
  std::printf("%s (pid %d) writes since %s\n", info->program.c_str(), info->pid, info->since.c_str());
  {
    const seriatim::Engine engine =
        seriatim::Engine::open(directory, {.mode = seriatim::OpenMode::read_only}).value();
    for (const auto& group : engine.admin().list_groups().value()) {
      for (const auto& offset : engine.admin().group_offsets(group).value()) {
        const auto lag = offset.log_end_offset - offset.committed.offset;
        std::printf("%s is %lld records behind in %s\n", group.c_str(), static_cast<long long>(lag),
                    offset.topic_partition.topic.c_str());
        check(lag == 6, "a lag of six");
      }
    }
    check(!engine.producer().ok(), "no producer in a read-only engine");
  }
  const auto report = seriatim::verify(directory).value();
  check(report.findings.empty() && report.records == 10, "ten sound records");

  ::close(goodbye[1]);
  int status = 0;
  check(::waitpid(writer, &status, 0) == writer && status == 0, "the writer to end well");
  check(!seriatim::writer_of(directory).value().has_value(), "nobody to write any more");
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, monitor); }
