// A daemon that has closed descriptors 0, 1 and 2 instead of giving them to /dev/null.
#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include <seriatim/inspect.hpp>
#include <seriatim/repair.hpp>

#include "support/child_process.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using test::ChildProcess;
using test::create_topic;
using test::must;
using test::open_engine;
using test::read_values;
using test::TempDir;

// Closes the three, again and again as a careless program would, and says which of them has become a file.
class Daemon {
 public:
  explicit Daemon(const ChildProcess::Voice& voice) : voice_(voice) { close_all(); }

  void after(const char* step) {
    for (const int descriptor : {0, 1, 2}) {
      const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
      std::array<char, 512> target{};
      const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
      const std::string_view name(target.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
      if (length >= 0 && name != "/")
        voice_.say(std::string(step) + ": " + std::to_string(descriptor) + " is " + std::string(name) + "\n");
    }
    close_all();
  }

 private:
  static void close_all() {
    for (const int descriptor : {0, 1, 2}) ::close(descriptor);
  }
  const ChildProcess::Voice& voice_;
};

void write_as_daemon(const std::string& path, Daemon& daemon) {
  const Engine engine = open_engine(path, {.checkpoint_interval = std::chrono::milliseconds(1),
                                           .journal_max_bytes = 4 * 65536,
                                           .journal_file_bytes = 65536});
  daemon.after("open");
  create_topic(engine, "t", 2, {{"segment.bytes", "2048"}});
  daemon.after("create a topic");
  Producer producer = must(engine.producer());
  for (int i = 0; i < 200; ++i) {
    must(producer.send_sync({.topic = "t", .value = std::string(1000, 'x'), .partition = i % 2}));
    daemon.after("append, roll, next file of the journal, checkpoint");
  }
  TransactionalProducer transactional = must(engine.transactional_producer({.transactional_id = "id"}));
  Transaction transaction = must(transactional.begin());
  must(transaction.send({.topic = "t", .value = "of a transaction", .partition = 0}));
  must(transaction.commit());
  daemon.after("transaction");
  Consumer consumer = must(engine.consumer({.group_id = "g"}));
  must(consumer.assign_topic("t"));
  static_cast<void>(consumer.event_fd());
  must(consumer.poll(std::chrono::milliseconds(0)));
  must(consumer.commit_sync());
  daemon.after("consume");
  must(engine.admin().verify());
  daemon.after("verify");
  create_topic(engine, "u");
  must(engine.admin().delete_topic("u"));
  daemon.after("delete a topic");
  must(engine.close());
  daemon.after("close");
}

TEST_CASE("no file of the engine is ever a standard stream of the program") {
  const TempDir temp;
  const std::string path = temp / "data";
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    Daemon daemon(voice);
    write_as_daemon(path, daemon);
    {
      const Engine engine = open_engine(path, {.mode = OpenMode::read_only});
      daemon.after("open read-only");
      if (read_values(engine, "t", 0).size() != 101) voice.say("records are missing\n");
      daemon.after("read");
    }
    if (!must(verify(path)).findings.empty()) voice.say("verify found something\n");
    daemon.after("verify alone");
    must(writer_of(path));
    daemon.after("writer_of");
    must(journal_status(path));
    daemon.after("journal_status");
    must(repair(path));
    daemon.after("repair");
    voice.say("end");
  });
  CHECK(child.hear_all() == "end");
  CHECK(child.wait() == 0);
}

TEST_CASE("what a program writes to a closed stderr reaches no file of the engine") {
  const TempDir temp;
  const std::string path = temp / "data";
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    for (const int descriptor : {0, 1, 2}) ::close(descriptor);
    const Engine engine = open_engine(path);
    create_topic(engine, "t");
    Producer producer = must(engine.producer());
    bool is_refused = true;
    for (int i = 0; i < 20; ++i) {
      must(producer.send_sync({.topic = "t", .value = "precious"}));
      for (const int descriptor : {1, 2}) is_refused = is_refused && ::write(descriptor, "WARN ", 5) == -1;
    }
    must(engine.close());
    voice.say(is_refused ? "refused" : "written somewhere");
  });
  CHECK(child.hear_all() == "refused");
  CHECK(must(verify(path)).findings.empty());
  CHECK(read_values(open_engine(path), "t").size() == 20);
}

}  // namespace
}  // namespace seriatim
