// A data directory with acknowledged records, and a process of its own that tries to use it: what it met
// comes back as text, and it is ended after a minute, so that neither a crash nor a call that waits for ever
// can pass for a good answer.
#pragma once

#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "support/child_process.hpp"
#include "unit/api/reading_fixture.hpp"

namespace seriatim::test {

/// The output of a process, line by line: "open ok", "read t-0 12", "append IO_ERROR: cannot ...".
struct Attempt {
  int status = 0;  ///< Of the process; negative: the signal that ended it.
  std::string text{};

  /// The rest of the first line that begins with `what` and a space; empty if there is none.
  std::string line(const std::string& what) const {
    std::istringstream lines(text);
    for (std::string one; std::getline(lines, one);) {
      if (one.starts_with(what + " ")) return one.substr(what.size() + 1);
    }
    return {};
  }
  bool ended_well() const { return status == 0; }
};

/// The commands of the process, and its user.
struct AttemptOptions {
  OpenMode mode = OpenMode::read_write;
  bool appends = true;           ///< One record after reading; not in a read-only engine.
  bool is_unprivileged = false;  ///< As user and group 65534: root may do everything.
  rlim_t descriptors_max = 0;    ///< 0: as they are.
};

inline std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

template <class T>
std::string answer(const Result<T>& result) {
  if (result) return "ok";
  return std::string(result.error().name()) + ": " + one_line(result.error().message());
}

inline constexpr uid_t nobody = 65534;

/// For a child: gives up root. Tests run as root in a container, and root is not stopped by modes.
inline void become_nobody() {
  if (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0) ::_exit(4);
}

/// Reads partition 0 of topic "t" from its start; "<count>" or an error. A record that is not the one that
/// was written there is an answer too.
inline std::string read_records(const Engine& engine) {
  auto reader = engine.reader({"t", 0});
  if (!reader) return answer(reader);
  Offset next = reader->log_start_offset();
  while (next < reader->high_watermark()) {
    auto records = reader->read(next, 1000);
    if (!records) return answer(records);
    if (records->empty()) break;
    for (const RecordView& record : *records) {
      if (record.offset() != next || record.value().text() != "v" + std::to_string(next))
        return "WRONG at " + std::to_string(next);
      ++next;
    }
  }
  return std::to_string(next);
}

inline void attempt_in_child(const std::string& path, const AttemptOptions& options,
                             const std::function<void(const std::string&)>& say) {
  auto engine = Engine::open(path, {.mode = options.mode, .log_sink = [&](LogLevel, std::string_view line) {
                                      say("log " + one_line(std::string(line)));
                                    }});
  say("open " + answer(engine));
  if (!engine) return;
  say("read " + read_records(*engine));
  if (options.mode != OpenMode::read_only && options.appends) {
    auto producer = engine->producer();
    const auto end = engine->reader({"t", 0});
    // As read_records wants it.
    const std::string value = "v" + (end ? std::to_string(end->log_end_offset()) : std::string());
    say("append " + answer(producer->send_sync({.topic = "t", .key = "k", .value = value})));
  }
  say("close " + answer(engine->close()));
}

inline Attempt attempt(const std::string& path, const AttemptOptions& options = {}) {
  constexpr unsigned patience_s = 60;
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    ::alarm(patience_s);
    if (options.is_unprivileged) become_nobody();
    if (options.descriptors_max != 0) {
      const struct rlimit limit { options.descriptors_max, options.descriptors_max };
      if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(4);
    }
    attempt_in_child(path, options, [&](const std::string& line) { voice.say(line + "\n"); });
  });
  Attempt result;
  result.text = child.hear_all();
  result.status = child.wait();
  return result;
}

/// How a directory was left.
enum class Left { closed, killed };

inline constexpr int made_records = 40;

/// A data directory `path` whose topic "t" has `made_records` acknowledged records v0, v1, ... in several
/// segments, and a producer snapshot.
inline void make_data(const std::string& path, Left left) {
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    auto engine = Engine::open(path);
    if (!engine) ::_exit(5);
    const ConfigMap config{{"segment.bytes", "1024"}, {"index.interval.bytes", "100"}};
    if (!engine->admin().create_topic({.name = "t", .config = config})) ::_exit(5);
    Sequence sequence = 0;
    for (int i = 0; i < made_records; ++i) {
      append_batch(
          *engine, {"t", 0},
          {.frame = {.producer_id = ProducerId{1} << 41, .producer_epoch = 0, .base_sequence = sequence++}});
    }
    if (!engine->flush()) ::_exit(5);
    if (left == Left::closed && !engine->close()) ::_exit(5);
    voice.say("made");
    ::_exit(0);
  });
  // Not REQUIRE: with_mounted runs this in a thread, which no exception may leave.
  CHECK(child.hear_all() == "made");
}

}  // namespace seriatim::test
