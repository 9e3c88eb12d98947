// Every kind of file in a data directory, replaced by what it should not be: other bytes, or no file at all.
#include <doctest/doctest.h>

#include <map>

#include "bad_input/attempt.hpp"
#include "bad_input/obstacles.hpp"

namespace seriatim {
namespace {

using namespace test;

const std::string sealed_log = "log/t-0/00000000000000000014.log";
const std::string active_log = "log/t-0/00000000000000000028.log";
const std::string newest_snapshot = "log/t-0/00000000000000000040.snapshot";  // of a clean close
const std::string metadata_files[] = {"FORMAT",          "LOCK", "counters", "RESERVE", "catalog/data.mdb",
                                      "catalog/lock.mdb"};
const std::string partition_files[] = {
    "log/t-0/00000000000000000014.index",     "log/t-0/00000000000000000028.index",
    "log/t-0/00000000000000000014.timeindex", "log/t-0/00000000000000000028.timeindex",
    "log/t-0/00000000000000000028.snapshot",  newest_snapshot};

/// The reaction when the bytes of a file are wrong.
enum class Reaction { refused, told, harmless };

Reaction reaction_to_wrong_bytes(const std::string& file, OpenMode mode) {
  if (file == "FORMAT" || file == "catalog/data.mdb") return Reaction::refused;
  // Opening for writing takes the snapshot before it, and says so; who only reads needs none.
  if (file == newest_snapshot && mode != OpenMode::read_only) return Reaction::told;
  return Reaction::harmless;  // Rebuilt, written anew, or not looked at.
}

bool says_what_where_and_next(const std::string& answer, const std::string& code, const std::string& path) {
  return answer.starts_with(code + ": ") && answer.find(path) != std::string::npos &&
         answer.find_first_of(".;:") != std::string::npos && answer.size() > path.size() + 40;
}

/// A copy of a made directory for each attempt, since an attempt may change it.
class Matrix {
 public:
  explicit Matrix(Left left) { make_data(made_, left); }

  bool has(const std::string& file) const { return fs::exists(made_ + "/" + file); }
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  void renew() const {
    fs::remove_all(path_);
    fs::copy(made_, path_, fs::copy_options::recursive);
  }
  /// With everything in its place again: all that was acknowledged, and what the attempt could append.
  void check_nothing_is_lost(const Attempt& before) const {
    const int appended = before.line("append") == "ok" ? 1 : 0;
    const Attempt after = attempt(path_, {.mode = OpenMode::read_only});
    CAPTURE(after.text);
    CHECK(after.ended_well());
    CHECK(after.line("read") == std::to_string(made_records + appended));
  }

 private:
  TempDir directory_;
  std::string made_ = directory_ / "made";
  std::string path_ = directory_ / "data";
};

std::vector<std::string> all_files_but_logs() {
  std::vector<std::string> all(std::begin(metadata_files), std::end(metadata_files));
  all.insert(all.end(), std::begin(partition_files), std::end(partition_files));
  return all;
}

void check_wrong_bytes(const Attempt& tried, Reaction wanted, const std::string& path) {
  CHECK(tried.ended_well());
  if (wanted == Reaction::refused) {
    CHECK(says_what_where_and_next(tried.line("open"), "CORRUPT_METADATA", path));
    return;
  }
  CHECK(tried.line("open") == "ok");
  CHECK(tried.line("read") == std::to_string(made_records));
  CHECK(tried.line("close") == "ok");
  CHECK((tried.line("log").find(path) != std::string::npos) == (wanted == Reaction::told));
}

TEST_CASE("wrong bytes in any file but a log are refused by name or make no difference, and lose nothing") {
  Random random("wrong bytes");
  for (const Left left : {Left::closed, Left::killed}) {
    const Matrix matrix(left);
    for (const std::string& file : all_files_but_logs()) {
      if (!matrix.has(file)) continue;
      for (const Content content : contents) {
        for (const OpenMode mode : {OpenMode::read_write, OpenMode::read_only}) {
          matrix.renew();
          Displaced displaced(matrix.file(file));
          displaced.put(content, random);
          const Attempt tried = attempt(matrix.path(), {.mode = mode});
          CAPTURE(file);
          CAPTURE(name_of(content));
          CAPTURE(tried.text);
          check_wrong_bytes(tried, reaction_to_wrong_bytes(file, mode), matrix.file(file));
          displaced.restore();
          matrix.check_nothing_is_lost(tried);
        }
      }
    }
  }
}

TEST_CASE("wrong bytes in a log are told with their file, nothing is cut, and all is back with the file") {
  Random random("wrong log");
  const Matrix matrix(Left::closed);
  for (const std::string& file : {sealed_log, active_log}) {
    for (const Content content : contents) {
      for (const OpenMode mode : {OpenMode::read_write, OpenMode::read_only}) {
        matrix.renew();
        Displaced displaced(matrix.file(file));
        displaced.put(content, random);
        const Attempt tried = attempt(matrix.path(), {.mode = mode, .appends = false});
        CAPTURE(file);
        CAPTURE(name_of(content));
        CAPTURE(tried.text);
        CHECK(tried.ended_well());
        CHECK(tried.line("open") == "ok");
        // A read-only engine cannot tell the damaged end of a log from one that is being written: it ends
        // there.
        const bool may_end_early = file == active_log && mode == OpenMode::read_only;
        const std::string stem = matrix.file(file).substr(0, matrix.file(file).size() - 4);
        const std::string answer = tried.line("read");
        if (may_end_early && answer.size() < 4) {
          CHECK(std::stoi(answer) < made_records);
        } else {
          CHECK((says_what_where_and_next(answer, "CORRUPT_RECORD", stem) ||
                 says_what_where_and_next(answer, "CORRUPT_METADATA", stem)));
          CHECK(answer.find("seriatim verify") != std::string::npos);
          // Where to go on comes from the next segment, not from the bytes that are wrong.
          const bool names_a_place = answer.find("from offset ") != std::string::npos;
          if (names_a_place) CHECK(answer.find("from offset 28:") != std::string::npos);
        }
        if (mode == OpenMode::read_write) CHECK(tried.line("log").find(matrix.file(file)) == 0);
        displaced.restore();
        matrix.check_nothing_is_lost(tried);
      }
    }
  }
}

/// An engine that does not open a file cannot refuse the thing in its place.
bool is_opened(const std::string& file, OpenMode mode) {
  const bool is_of_the_writer = file == "LOCK" || file == "counters" || file == "RESERVE";
  return !is_of_the_writer || mode != OpenMode::read_only;
}

void check_refused(const Attempt& tried, const std::string& file, OpenMode mode, const std::string& path) {
  CHECK(tried.ended_well());
  if (!is_opened(file, mode)) {
    CHECK(tried.line("read") == std::to_string(made_records));
    return;
  }
  if (file == "counters" || file == "RESERVE") {  // Nobody's data: the engine works without, and says why.
    CHECK(tried.line("log").find(path) != std::string::npos);
    CHECK(tried.line("append") == "ok");
    return;
  }
  const std::string answer = tried.line("open") == "ok" ? tried.line("read") : tried.line("open");
  CHECK(says_what_where_and_next(answer, "IO_ERROR", path));
  CHECK(tried.line("append") != "ok");
}

TEST_CASE("links, FIFOs, devices, sockets and directories in the place of a file are refused, nobody waits") {
  std::vector<std::string> files = all_files_but_logs();
  files.push_back(sealed_log);
  files.push_back(active_log);
  for (const Left left : {Left::closed, Left::killed}) {
    const Matrix matrix(left);
    for (const std::string& file : files) {
      if (!matrix.has(file)) continue;
      for (const Kind kind : kinds) {
        for (const OpenMode mode : {OpenMode::read_write, OpenMode::read_only}) {
          CAPTURE(file);
          CAPTURE(name_of(kind));
          matrix.renew();
          Displaced displaced(matrix.file(file));
          const auto bytes = read_file(displaced.saved());
          if (!displaced.put(kind)) {
            MESSAGE("skipped: no " << name_of(kind) << " can be made here");
            continue;
          }
          const Attempt tried = attempt(matrix.path(), {.mode = mode});
          CAPTURE(tried.text);
          check_refused(tried, file, mode, matrix.file(file));
          CHECK(read_file(displaced.saved()) == bytes);  // A link was not followed.
          displaced.restore();
          matrix.check_nothing_is_lost(tried);
        }
      }
    }
  }
}

TEST_CASE("links, files and nothing at all in the place of a directory are refused by name") {
  for (const Left left : {Left::closed, Left::killed}) {
    const Matrix matrix(left);
    for (const std::string name : {"log", "catalog", "log/t-0"}) {
      for (const Kind kind : {Kind::link, Kind::dangling_link, Kind::fifo, Kind::socket}) {
        for (const OpenMode mode : {OpenMode::read_write, OpenMode::read_only}) {
          CAPTURE(name);
          CAPTURE(name_of(kind));
          matrix.renew();
          Displaced displaced(matrix.file(name));
          REQUIRE(displaced.put(kind));
          const Attempt tried = attempt(matrix.path(), {.mode = mode});
          CAPTURE(tried.text);
          check_refused(tried, name, mode, matrix.file(name));
          displaced.restore();
          matrix.check_nothing_is_lost(tried);
        }
      }
    }
    for (const std::string name : {"log", "catalog"}) {
      for (const OpenMode mode : {OpenMode::read_write, OpenMode::read_only}) {
        CAPTURE(name);
        matrix.renew();
        Displaced displaced(matrix.file(name));
        const Attempt tried = attempt(matrix.path(), {.mode = mode});
        CAPTURE(tried.text);
        CHECK(says_what_where_and_next(tried.line("open"), "CORRUPT_METADATA", matrix.file(name)));
        displaced.restore();
        matrix.check_nothing_is_lost(tried);
      }
    }
  }
}

TEST_CASE("unknown files, whatever they are, are left alone and in nobody's way") {
  const std::string names[] = {"core",
                               "log/lost+found",
                               "log/t-00",
                               "log/t-0.deadbeef-delete",
                               "log/..data",
                               "catalog/data.mdb.bak",
                               "log/t-0/notes.txt",
                               "log/t-0/00000000000000000014.log.bak",
                               "log/t-0/0000000000000000014.log",
                               "log/t-0/99999999999999999999.log",
                               "log/t-0/-0000000000000000001.log",
                               "log/t-0/00000000000000000014.log\n",
                               "log/t-0/\xff\xfe"};
  for (const Left left : {Left::closed, Left::killed}) {
    const Matrix matrix(left);
    matrix.renew();
    const auto text = base::as_bytes(std::string_view("not ours"));
    for (const std::string& name : names) {
      write_file(matrix.file(name), text);
      fs::create_symlink("/nowhere", matrix.file(name) + ".link");
      REQUIRE(::mkfifo((matrix.file(name) + ".fifo").c_str(), 0600) == 0);
    }
    for (const OpenMode mode : {OpenMode::read_only, OpenMode::read_write}) {
      const Attempt tried = attempt(matrix.path(), {.mode = mode});
      CAPTURE(tried.text);
      CHECK(tried.line("read") == std::to_string(made_records));
      CHECK(tried.line("close") == "ok");
    }
    for (const std::string& name : names) {
      CAPTURE(name);
      CHECK(base::as_text(read_file(matrix.file(name))) == "not ours");
      CHECK(fs::is_symlink(matrix.file(name) + ".link"));
      CHECK(fs::is_fifo(matrix.file(name) + ".fifo"));
    }
  }
}

TEST_CASE("a foreign file with a segment's name is moved aside, told, and takes no offset") {
  const Matrix matrix(Left::closed);
  for (const std::string name : {"00000000000000001000", "09223372036854775807"}) {
    CAPTURE(name);
    matrix.renew();
    const std::string path = matrix.file("log/t-0/" + name + ".log");
    write_file(path, base::as_bytes(std::string_view("not ours, and no record batch either")));
    const Attempt tried = attempt(matrix.path());
    CAPTURE(tried.text);
    CHECK(tried.line("open") == "ok");
    CHECK(tried.line("read") == std::to_string(made_records));
    CHECK(tried.line("append") == "ok");
    CHECK(tried.line("log").find(path) == 0);
    CHECK_FALSE(fs::exists(path));
    CHECK(fs::exists(path + ".damaged"));
  }
}

}  // namespace
}  // namespace seriatim
