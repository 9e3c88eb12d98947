// The first program of a stranger: store a record and read it back. Takes the data directory as
// argument.
#include <chrono>
#include <cstdio>
#include <filesystem>

#include <seriatim/seriatim.hpp>
#include <seriatim/version.hpp>

namespace {

seriatim::Result<> store_and_read(const std::filesystem::path& dir) {
  auto engine = seriatim::Engine::open(dir);
  if (!engine) return engine.error();
  if (auto created = engine->admin().create_topic({.name = "greetings"}); !created) return created.error();
  auto producer = engine->producer();
  if (!producer) return producer.error();
  const auto stored = producer->send_sync({.topic = "greetings", .key = "k", .value = "hello"});
  if (!stored) return stored.error();

  auto consumer = engine->consumer({.group_id = "readers"});
  if (!consumer) return consumer.error();
  if (auto assigned = consumer->assign_topic("greetings"); !assigned) return assigned.error();
  const auto records = consumer->poll(std::chrono::seconds(10));
  if (!records) return records.error();
  if (records->count() != 1 || (*records)[0].value().text() != "hello") {
    return seriatim::Error(seriatim::Errc::invalid_state, "the record read is not the one stored");
  }
  return consumer->commit_sync(*records);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: consumer DIR\n");
    return 2;
  }
  std::filesystem::remove_all(argv[1]);
  const auto done = store_and_read(argv[1]);
  if (!done) {
    std::fprintf(stderr, "%s\n", done.error().message().c_str());
    return 1;
  }
  std::printf("seriatim %s works\n", SERIATIM_VERSION);
  return 0;
}
