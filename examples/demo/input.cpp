#include "input.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>

#include <zlib.h>

namespace demo {
namespace {

using seriatim::Errc;
using seriatim::Error;
using seriatim::Result;

constexpr std::uint64_t input_bytes_max = 256 * 1024 * 1024;
// Well below the default max.message.bytes of a topic, with room for the key and the batch around it.
constexpr std::size_t event_bytes_max = 256 * 1024;

struct GzipCloser {
  void operator()(gzFile_s* file) const noexcept { gzclose(file); }
};

// zlib reads a file that is not gzipped as it is.
Result<std::string> read_file(const std::filesystem::path& path) {
  const std::unique_ptr<gzFile_s, GzipCloser> file(gzopen(path.c_str(), "rbe"));
  if (!file)
    return Error(Errc::io_error,
                 "cannot read " + path.string() + ": " + std::strerror(errno) + ". Name files you may read",
                 errno);
  std::string text;
  std::array<char, 64 * 1024> piece{};
  while (text.size() <= input_bytes_max) {
    const int got = gzread(file.get(), piece.data(), static_cast<unsigned>(piece.size()));
    if (got == 0) break;
    if (got < 0) {
      int code = 0;
      const char* const reason = gzerror(file.get(), &code);
      return Error(Errc::io_error, "cannot read " + path.string() + ": " + reason +
                                       ". Leave it out, or replace it by a whole copy");
    }
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view word(std::string_view line, std::size_t index) {
  for (; index > 0; --index) line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
  return line.substr(0, line.find(' '));
}

class EventSink {
 public:
  explicit EventSink(Input& input) : input_(input) {}
  void add(std::string_view key, std::string_view text) {
    while (!text.empty()) {
      const std::string_view part = text.substr(0, event_bytes_max);
      input_.events.push_back({std::string(key), std::string(part)});
      input_.bytes += key.size() + part.size();
      text.remove_prefix(part.size());
    }
  }

 private:
  Input& input_;
};

// "2026-11-22 17:38:46 status installed man-db:amd64 2.11.2-2": the package is the word after the action, of
// a status after the state.
void read_package_log(std::string_view text, EventSink& sink) {
  for (const std::string_view line : lines_of(text)) {
    const std::string_view package = word(line, word(line, 2) == "status" ? 4 : 3);
    sink.add(package.substr(0, package.find(':')), line);
  }
}

// Runs of lines that a blank line ends, each beginning with "Package: NAME".
void read_package_list(std::string_view text, EventSink& sink) {
  constexpr std::string_view field = "Package: ";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    const std::string_view stanza = text.substr(0, end);
    const std::string_view first = stanza.substr(0, stanza.find('\n'));
    sink.add(first.starts_with(field) ? first.substr(field.size()) : "unknown", stanza);
    text.remove_prefix(std::min(end + 2, text.size()));
  }
}

// An entry is a line that is not indented with the indented and blank ones that follow it.
void read_changelog(std::string_view text, std::string_view key, EventSink& sink) {
  const char* entry = nullptr;
  const char* end = nullptr;
  const auto finish = [&] {
    if (entry != nullptr) sink.add(key, {entry, static_cast<std::size_t>(end - entry)});
  };
  for (const std::string_view line : lines_of(text)) {
    if (line.empty()) continue;
    if (entry == nullptr || (line[0] != ' ' && line[0] != '\t')) {
      finish();
      entry = line.data();
    }
    end = line.data() + line.size();
  }
  finish();
}

void read_events(const std::filesystem::path& path, std::string_view text, EventSink& sink) {
  const std::string name = path.filename().string();
  if (name.starts_with("dpkg.log")) return read_package_log(text, sink);
  if (name == "status" && text.starts_with("Package: ")) return read_package_list(text, sink);
  if (name.starts_with("changelog"))
    return read_changelog(text, path.parent_path().filename().string(), sink);
  for (const std::string_view line : lines_of(text)) sink.add(name, line);
}

// Regular files below `directory`; what may not be entered is passed by, as with find.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  const auto options = std::filesystem::directory_options::skip_permission_denied;
  for (std::filesystem::recursive_directory_iterator entry(directory, options, failure), end;
       !failure && entry != end; entry.increment(failure)) {
    std::error_code unreadable;
    if (entry->is_regular_file(unreadable) && !entry->is_symlink(unreadable)) files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::filesystem::path> usual_files() {
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  for (const char* const path : {"/var/log/dpkg.log", "/var/lib/dpkg/status"}) {
    if (std::filesystem::is_regular_file(path, failure)) files.emplace_back(path);
  }
  for (const std::filesystem::path& path : files_below("/usr/share/doc")) {
    const std::string name = path.filename().string();
    if (name.starts_with("changelog") && name.ends_with(".gz")) files.push_back(path);
  }
  return files;
}

}  // namespace

Result<Input> read_input(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::filesystem::path> files =
      paths.empty() ? usual_files() : std::vector<std::filesystem::path>();
  for (const std::filesystem::path& path : paths) {
    std::error_code failure;
    if (!std::filesystem::is_directory(path, failure)) {
      files.push_back(path);
      continue;
    }
    const auto below = files_below(path);
    files.insert(files.end(), below.begin(), below.end());
  }
  Input input;
  EventSink sink(input);
  for (const std::filesystem::path& file : files) {
    if (input.bytes >= input_bytes_max) {
      ++input.files_left_out;
      continue;
    }
    const Result<std::string> text = read_file(file);
    if (!text.ok()) return text.error();
    read_events(file, *text, sink);
    ++input.files;
  }
  if (!input.events.empty()) return input;
  return Error(Errc::not_found, paths.empty()
                                    ? "this machine has neither a package log nor changelogs. Name files or "
                                      "directories: ./run demo FILE|DIR..."
                                    : "the files named hold no events. Name files with text in them");
}

}  // namespace demo
