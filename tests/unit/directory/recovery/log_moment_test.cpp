#include "directory/recovery/log_moment.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/inspect.hpp>

#include "base/bytes.hpp"
#include "os/file/posix_vfs.hpp"
#include "support/failing_vfs.hpp"
#include "support/log_builder.hpp"
#include "support/must.hpp"
#include "support/passing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using detail::EngineImpl;
using directory::read_log_moment;
using directory::write_log_moment;

const EngineOptions quiet_options{.maintenance_interval = std::chrono::milliseconds(0),
                                  .checkpoint_interval = std::chrono::hours(24),
                                  .journal_file_bytes = 64U << 10};

catalog::Id counted_id(int from) {
  catalog::Id id;
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::byte>(static_cast<int>(i) + from);
  return id;
}

std::uint64_t moment_in(const TempDir& directory, const catalog::Id& id) {
  return must(read_log_moment(os::posix_vfs(), directory.path(), id));
}

void tell(const TempDir& directory, std::uint64_t moment) {
  must(write_log_moment(os::posix_vfs(), directory.path(), counted_id(0), moment));
}

std::string moment_text_in(const TempDir& directory) {
  const auto bytes = read_file(directory / "MOMENT");
  return std::string(base::as_text(bytes));
}

// Calls `look` once before the logs are told of a moment, and once after that.
class TellingVfs final : public PassingVfs {
 public:
  std::function<void()> look{};

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (!path.ends_with("/log/MOMENT") || mode == os::OpenMode::read) return PassingVfs::open(path, mode);
    look();
    return open_as<WatchedFile>(path, mode, *this);
  }

 private:
  class WatchedFile final : public PassingFile {
   public:
    WatchedFile(std::unique_ptr<os::File> file, TellingVfs& vfs) : PassingFile(std::move(file)), vfs_(vfs) {}
    Result<void> write_at(base::ByteSpan from, std::uint64_t at) override {
      auto written = PassingFile::write_at(from, at);
      vfs_.look();
      return written;
    }

   private:
    TellingVfs& vfs_;
  };
};

}  // namespace

TEST_CASE("the logs tell of the moment that they were told of last, and of none before that") {
  const TempDir directory;
  CHECK(moment_in(directory, counted_id(0)) == 0);
  for (const std::uint64_t moment :
       {std::uint64_t{1}, std::uint64_t{77}, ~std::uint64_t{0}, std::uint64_t{5}}) {
    tell(directory, moment);
    CHECK(moment_in(directory, counted_id(0)) == moment);
    CHECK(moment_text_in(directory).size() == 123);
  }
}

TEST_CASE("MOMENT is the text that docs/data_directory.md shows") {
  const TempDir directory;
  tell(directory, 12);
  CHECK(moment_text_in(directory) ==
        "seriatim log moment 1\n"
        "directory 000102030405060708090a0b0c0d0e0f\n"
        "moment 00000000000000000012\n"
        "checksum 07703531263692102104\n");
}

TEST_CASE("a MOMENT with any byte changed, cut or added tells of none, nor does another directory's") {
  const TempDir directory;
  tell(directory, 12);
  const std::string text = moment_text_in(directory);
  const auto moment_of = [&](const std::string& stored) {
    write_file(directory / "MOMENT", base::as_bytes(stored));
    return moment_in(directory, counted_id(0));
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    CAPTURE(i);
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK(moment_of(changed) == 0);
    CHECK(moment_of(text.substr(0, i)) == 0);
  }
  CHECK(moment_of(text + "\n") == 0);
  CHECK(moment_of(text + std::string(1000, '\0')) == 0);
  CHECK(moment_of(text) == 12);
  CHECK(moment_in(directory, counted_id(1)) == 0);
}

TEST_CASE("a MOMENT that cannot be read is an error, and no file that tells of none") {
  const TempDir directory;
  std::filesystem::create_directory(directory / "MOMENT");
  CHECK_FALSE(read_log_moment(os::posix_vfs(), directory.path(), counted_id(0)).ok());
}

TEST_CASE("a process may die before and after the logs are told of a moment: the directory opens") {
  const TempDir dir;
  const std::string path = dir / "data";
  TellingVfs vfs;
  int looks = 0;
  vfs.look = [&] {
    ++looks;
    const std::string copy = dir / "copy";
    copy_live(path, copy);
    CHECK_FALSE(must(verify(copy)).worst().has_value());
    Engine engine = open_engine(copy);
    must(engine.close());
  };
  for (int run = 0; run < 3; ++run) {
    Engine engine = open_engine_with(path, vfs, base::system_clock(), quiet_options);
    if (run == 0) create_topic(engine, "t", 1);
    const auto impl = EngineImpl::of(engine);
    for (int round = 0; round < 2; ++round) {
      must(impl->committed_offsets.commit("g", {{t0, {.offset = 0}}}, Acks::all));
      must(impl->checkpointer->checkpoint());
    }
    must(engine.close());
  }
  // Opening, two checkpoints and closing.
  CHECK(looks == 3 * 4 * 2);
}

TEST_CASE("logs that cannot be told of a checkpoint are reported; it is made, and the next one tells them") {
  const TempDir dir;
  const std::string path = dir / "data";
  std::vector<std::pair<LogLevel, std::string>> lines;
  EngineOptions options = quiet_options;
  options.log_sink = [&](LogLevel level, std::string_view line) { lines.emplace_back(level, line); };
  Engine engine = open_engine(path, options);
  create_topic(engine, "t", 1);
  const auto impl = EngineImpl::of(engine);
  const auto told = [&] {
    return must(read_log_moment(os::posix_vfs(), path + "/log", must(impl->catalog->engine()).directory_id));
  };
  const auto checkpoint = [&] {
    must(impl->committed_offsets.commit("g", {{t0, {.offset = 0}}}, Acks::all));
    must(impl->checkpointer->checkpoint());
  };
  const auto before = told();
  CHECK(before > 0);
  std::filesystem::remove(path + "/log/MOMENT");
  std::filesystem::create_directory(path + "/log/MOMENT");
  checkpoint();
  CHECK(must(impl->catalog->moment()).number == before + 1);
  CHECK(std::any_of(lines.begin(), lines.end(), [](const auto& line) {
    return line.first == LogLevel::warn &&
           line.second.find("the logs were not told of a checkpoint") != std::string::npos;
  }));
  CHECK(engine.metrics().background_errors == 0);
  std::filesystem::remove(path + "/log/MOMENT");
  checkpoint();
  CHECK(told() == before + 2);
}

}  // namespace seriatim::test
