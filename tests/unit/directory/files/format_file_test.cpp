#include "directory/files/format_file.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "os/file/posix_vfs.hpp"
#include "support/failing_vfs.hpp"
#include "support/log_builder.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::directory {
namespace {

using test::TempDir;

Errc code_of(const Result<FormatFile>& result) { return result ? Errc{} : result.error().code(); }

catalog::Id made_id() {
  catalog::Id id;
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::byte>(i * 17);
  return id;
}

std::string stored_text(const TempDir& directory) {
  const auto bytes = test::read_file(directory / "FORMAT");
  return std::string(base::as_text(bytes));
}

void store_text(const TempDir& directory, const std::string& text) {
  test::write_file(directory / "FORMAT", base::as_bytes(text));
}

TEST_CASE("FORMAT is read as it was written, and is text") {
  const TempDir directory;
  REQUIRE(write_format_file(os::posix_vfs(), directory.path(), {.directory_id = made_id()}));
  const auto read = read_format_file(os::posix_vfs(), directory.path());
  REQUIRE(read);
  CHECK(read->version == format_version);
  CHECK(read->features == known_features);
  CHECK(read->directory_id == made_id());
  CHECK(
      stored_text(directory).starts_with("seriatim data directory\nformat 1\nfeatures 000000000000000f\n"
                                         "directory 00112233445566778899aabbccddeeff\nchecksum "));
}

TEST_CASE("a missing FORMAT is not_found") {
  const TempDir directory;
  CHECK(code_of(read_format_file(os::posix_vfs(), directory.path())) == Errc::not_found);
}

TEST_CASE("a FORMAT with any byte changed, cut or added is never taken for a good one") {
  const TempDir directory;
  REQUIRE(write_format_file(os::posix_vfs(), directory.path(), {.directory_id = made_id()}));
  const std::string text = stored_text(directory);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    store_text(directory, changed);
    CAPTURE(changed);
    // A changed digit of the format or of the features may look like a newer seriatim.
    const Errc code = code_of(read_format_file(os::posix_vfs(), directory.path()));
    CHECK((code == Errc::corrupt_metadata || code == Errc::unsupported_version));
    store_text(directory, text.substr(0, i));
    CHECK(code_of(read_format_file(os::posix_vfs(), directory.path())) == Errc::corrupt_metadata);
  }
  store_text(directory, text + "x");
  CHECK(code_of(read_format_file(os::posix_vfs(), directory.path())) == Errc::corrupt_metadata);
}

TEST_CASE("a newer format or an unknown feature is refused as newer, whatever else the file says") {
  const TempDir directory;
  for (const char* rest : {"format 2\nanything\n", "format 12\n", "format 1\nfeatures 0000000000000010\n",
                           "format 1\nfeatures 8000000000000001\n"}) {
    store_text(directory, std::string("seriatim data directory\n") + rest);
    const auto read = read_format_file(os::posix_vfs(), directory.path());
    CHECK(code_of(read) == Errc::unsupported_version);
    CHECK(read.error().message().find("not damaged") != std::string::npos);
  }
  store_text(directory, "seriatim data directory\nformat 0\n");
  CHECK(code_of(read_format_file(os::posix_vfs(), directory.path())) == Errc::corrupt_metadata);
}

TEST_CASE("an older FORMAT is read, and is given the features it lacks, once, or stays as it is") {
  const TempDir directory;
  const FormatFile older{.features = 0, .directory_id = made_id()};
  for (int steps = 0;; ++steps) {
    CAPTURE(steps);
    REQUIRE(write_format_file(os::posix_vfs(), directory.path(), older));
    CHECK(stored_text(directory).find("\nfeatures 0000000000000000\n") != std::string::npos);
    test::FailingVfs vfs;
    vfs.fail_after(steps);
    const bool added = add_features(vfs, directory.path(), older).ok();
    const auto read = read_format_file(os::posix_vfs(), directory.path());
    REQUIRE(read);
    CHECK(read->directory_id == made_id());
    CHECK((read->features == known_features || (read->features == 0 && !added)));
    if (added) break;
    CHECK(vfs.has_failed());
  }
  test::FailingVfs full;
  full.fail_after(0);
  CHECK(add_features(full, directory.path(), {.directory_id = made_id()}).ok());
  CHECK_FALSE(full.has_failed());
}

TEST_CASE("writing FORMAT leaves the old one or the new one, wherever it stops") {
  const TempDir directory;
  REQUIRE(write_format_file(os::posix_vfs(), directory.path(), {}));
  for (int steps = 0;; ++steps) {
    test::FailingVfs vfs;
    vfs.fail_after(steps);
    const bool written = write_format_file(vfs, directory.path(), {.directory_id = made_id()}).ok();
    CHECK(read_format_file(os::posix_vfs(), directory.path()).ok());
    if (written) break;
    CHECK(vfs.has_failed());
  }
  CHECK(read_format_file(os::posix_vfs(), directory.path())->directory_id == made_id());
}

TEST_CASE("ids have Kafka's text form") {
  // Kafka's Uuid.toString of 0011...: URL-safe base64 without padding.
  CHECK(kafka_uuid_text(made_id()) == "ABEiM0RVZneImaq7zN3u_w");
  CHECK(id_text(made_id()) == "00112233445566778899aabbccddeeff");
}

TEST_CASE("random ids differ, are version 4, and do not begin like an option") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const catalog::Id id = random_id();
    const std::string text = id_text(id);
    CHECK(text[12] == '4');
    CHECK(std::string("89ab").find(text[16]) != std::string::npos);
    CHECK(kafka_uuid_text(id).front() != '-');
    seen.insert(text);
  }
  CHECK(seen.size() == 1000);
}

}  // namespace
}  // namespace seriatim::directory
