// produce: lines, files or JSON objects in, records out.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command_tree.hpp"
#include "commands/produce_session.hpp"
#include "context.hpp"
#include "interrupt.hpp"
#include "progress_bar.hpp"
#include "text/line_reader.hpp"
#include "text/quantity.hpp"
#include "text/record_source.hpp"

namespace seriatim::cli {
namespace {

struct ProduceArguments {
  std::string topic{};
  std::vector<std::string> files{};
  bool lines_of_files = false;
  std::string delimiter = "\\n";
  RecordShape shape{};
  ProduceSettings settings{};
};

class InputFile {
 public:
  explicit InputFile(int fd) : fd_(fd) {}
  InputFile(InputFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~InputFile() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  InputFile& operator=(InputFile&&) = delete;

  static Result<InputFile> open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) return InputFile(fd);
    return Error(errno == ENOENT ? Errc::not_found : Errc::io_error,
                 "cannot read " + path + ": " + std::strerror(errno), errno);
  }
  int fd() const noexcept { return fd_; }
  /// Bytes of a regular file, 0 of anything else.
  std::uint64_t size() const noexcept {
    struct stat status {};
    const bool is_file = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
    return is_file ? static_cast<std::uint64_t>(status.st_size) : 0;
  }

 private:
  int fd_;
};

// How the input is taken apart, and how much of it may become one record.
struct InputLimits {
  std::string topic{};
  std::int64_t message_bytes_max = 0;
  std::string delimiter{};
  std::size_t record_bytes_max = 0;
};

Error too_long(const InputLimits& limits, const std::string& what, const std::string& other_way) {
  return {Errc::record_too_large,
          "the " + what + " is longer than " + std::to_string(limits.record_bytes_max) +
              " bytes, more than max.message.bytes (" + std::to_string(limits.message_bytes_max) +
              ") of topic " + limits.topic +
              " lets a record have; raise that with `seriatim topic alter`, or " + other_way};
}

// The factor by which a record of the input may exceed a batch's limit: a codec makes it smaller, JSON may
// write a byte as six, and a line has a key, headers and names besides. The factor for a codec is arbitrary.
std::size_t input_bytes_max(const TopicConfig& topic, const ProduceArguments& arguments) {
  const bool is_compressed = topic.compression_type == CompressionType::producer
                                 ? arguments.settings.codec != "none"
                                 : topic.compression_type != CompressionType::uncompressed;
  const std::uint64_t factor = (is_compressed ? 64U : 1U) * (arguments.shape.json ? 6U : 1U);
  const std::uint64_t bytes = static_cast<std::uint64_t>(topic.max_message_bytes) * factor + 64 * 1024;
  return static_cast<std::size_t>(std::min<std::uint64_t>(bytes, LineReader::record_bytes_max));
}

// Sends every line of `input`. Whenever the input pauses, everything read so far is written out and
// acknowledged, so that an interactive line is never held back and a pipeline's next stage may rely on it.
Result<> send_lines(ProduceSession& session, const RecordSource& source, const InputFile& input,
                    const InputLimits& limits) {
  const std::string& delimiter = limits.delimiter;
  LineReader reader(input.fd(), delimiter, limits.record_bytes_max);
  ProgressBar progress("produce", session.shows_progress() && input.size() > 0);
  std::uint64_t line_number = 0;
  std::uint64_t read_bytes = 0;
  while (!is_interrupted()) {
    const Result<std::vector<std::string_view>> lines = reader.read_lines();
    if (!lines.ok()) {
      const bool is_long = lines.error().code() == Errc::record_too_large;
      return session.at_line(
          is_long ? too_long(limits, "line", "choose the delimiter (-D) of the data") : lines.error(),
          line_number + 1);
    }
    if (lines->empty()) break;
    for (const std::string_view line : *lines) {
      ++line_number;
      read_bytes += line.size() + delimiter.size();
      if (source.is_blank(line)) continue;
      const Result<OutgoingRecord> record = source.record_of(line);
      if (!record.ok()) return session.at_line(record.error(), line_number);
      const Result<> sent = session.send(*record, line_number);
      if (!sent.ok()) return sent;
    }
    const Result<> settled = reader.has_input() ? session.report_acknowledged() : session.flush();
    if (!settled.ok()) return settled.error();
    progress.update(read_bytes, input.size());
  }
  return {};
}

Result<> send_whole(ProduceSession& session, const RecordSource& source, const InputFile& input,
                    const InputLimits& limits) {
  std::string content;
  std::array<char, 64 * 1024> piece{};
  while (true) {
    const ssize_t got = ::read(input.fd(), piece.data(), piece.size());
    if (got == 0) break;
    if (is_interrupted()) return Error(Errc::wakeup, "stopped before the whole file was read");
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int read_errno = errno;
      return session.at_line(
          Error(Errc::io_error, std::string("reading failed: ") + std::strerror(read_errno), read_errno), 0);
    }
    content.append(piece.data(), static_cast<std::size_t>(got));
    if (content.size() > limits.record_bytes_max) {
      return session.at_line(too_long(limits, "file", "send its lines as records (-l)"), 0);
    }
  }
  const Result<OutgoingRecord> record = source.record_of(content);
  if (!record.ok()) return session.at_line(record.error(), 0);
  return session.send(*record, 0);
}

Result<> send_inputs(ProduceSession& session, const RecordSource& source, const ProduceArguments& arguments,
                     const InputLimits& limits) {
  if (arguments.files.empty()) {
    session.begin_input({});
    return send_lines(session, source, InputFile(STDIN_FILENO), limits);
  }
  for (const std::string& path : arguments.files) {
    const Result<InputFile> file = InputFile::open(path);
    if (!file.ok()) return file.error();
    session.begin_input(path);
    const Result<> sent = arguments.lines_of_files || arguments.shape.json
                              ? send_lines(session, source, *file, limits)
                              : send_whole(session, source, *file, limits);
    if (!sent.ok()) return sent.error();
    if (is_interrupted()) break;
  }
  return {};
}

Result<ExitCode> produce(Context& context, const ProduceArguments& arguments) {
  const Result<RecordSource> source = RecordSource::make(arguments.shape);
  if (!source.ok()) return source.error();
  const Result<> consistent = check(arguments.settings);
  if (!consistent.ok()) return consistent.error();
  Result<std::string> delimiter = parse_delimiter(arguments.delimiter);
  if (!delimiter.ok()) return delimiter.error();
  if (delimiter->empty())
    return Error(Errc::invalid_argument,
                 "the record delimiter (-D) is empty; to send a whole file as one record, name the file");
  const Result<Engine> engine = context.open(OpenMode::read_write);
  if (!engine.ok()) return engine.error();
  const Result<TopicDescription> topic = describe_topic(*engine, arguments.topic);
  if (!topic.ok()) return topic.error();

  Result<std::unique_ptr<ProduceSession>> session =
      ProduceSession::open(*engine, context, *topic, arguments.settings);
  if (!session.ok()) return session.error();
  const Result<> sent = send_inputs(**session, *source, arguments,
                                    {.topic = topic->name,
                                     .message_bytes_max = topic->config.max_message_bytes,
                                     .delimiter = std::move(*delimiter),
                                     .record_bytes_max = input_bytes_max(topic->config, arguments)});
  // The records read before an error are in the log, whatever the error was; the closing line says how much.
  // Only of a transaction there is nothing.
  const Result<> finished = sent.ok() ? (*session)->finish() : (*session)->give_up();
  // A record that was read before may have failed after.
  const Result<> accepted = (*session)->first_failure();
  if (!accepted.ok()) return accepted.error();
  if (!sent.ok()) return sent.error();
  if (!finished.ok()) return finished.error();
  const Result<> closed = engine->close();
  if (!closed.ok()) return closed.error();
  return ExitCode::ok;
}

std::vector<Option> shape_options(ProduceArguments& arguments) {
  RecordShape& shape = arguments.shape;
  return {
      {.names = "-K,--key-delimiter",
       .value_name = "DELIM",
       .help = "Split each record into key and value at the first DELIM",
       .target = &shape.key_delimiter},
      {.names = "-k,--key", .value_name = "KEY", .help = "Key of every record", .target = &shape.key},
      {.names = "-H,--header",
       .value_name = "K=V",
       .help = "Header of every record; may be repeated",
       .target = &shape.headers},
      {.names = "-Z,--null", .help = "Send empty keys and values as null", .target = &shape.empty_is_null},
      {.names = "-J,--json-lines",
       .help = "Each line is a JSON object, as consume -J writes it",
       .target = &shape.json},
      {.names = "--json-values",
       .help = "With -J: a key or value that is a number, an object, ... is stored as its JSON text",
       .target = &shape.json_values},
      {.names = "-D,--delimiter",
       .value_name = "DELIM",
       .help = "Delimiter between records (default: \\n)",
       .target = &arguments.delimiter},
      {.names = "-l,--lines",
       .help = "Split files into records as standard input is; otherwise a file is one record",
       .target = &arguments.lines_of_files},
  };
}

std::vector<Option> settings_options(ProduceSettings& settings) {
  return {
      {.names = "-p,--partition",
       .value_name = "N",
       .help = "Send to this partition (default: by key)",
       .target = IntegerTarget{&settings.partition, 0, 9'999}},
      {.names = "-z,--compression",
       .help = "Codec",
       .target = &settings.codec,
       .choices = {"none", "gzip", "snappy", "lz4", "zstd"}},
      {.names = "--acks",
       .help = "What an acknowledgement promises (default: all)",
       .target = &settings.acks,
       .choices = {"none", "leader", "all"}},
      {.names = "--report-acks",
       .value_name = "FILE",
       .help = "Append a line \"topic partition base_offset last_offset\" for what was acknowledged",
       .target = &settings.report_path},
      {.names = "--transactional-id",
       .value_name = "ID",
       .help = "Send in transactions of this id: readers see each whole or not at all",
       .target = &settings.transactional_id},
      {.names = "--every",
       .value_name = "N",
       .help = "Commit after so many records (default: one transaction for all)",
       .target = IntegerTarget{&settings.every, 1, 1'000'000'000}},
  };
}

}  // namespace

Command produce_command() {
  auto arguments = std::make_shared<ProduceArguments>();
  std::vector<Option> options = shape_options(*arguments);
  for (Option& option : settings_options(arguments->settings)) options.push_back(std::move(option));
  return {
      .name = "produce",
      .summary = "Appends records from standard input, one a line, or from files",
      .positionals = {{.name = "TOPIC",
                       .help = "Topic to append to; it must exist",
                       .target = &arguments->topic},
                      {.name = "FILE",
                       .help = "Files to send, each as one record (see -l)",
                       .target = &arguments->files,
                       .required = false}},
      .options = std::move(options),
      .examples = {"printf 'user-42:hello\\n' | seriatim -d data produce orders -K:",
                   "seriatim -d data consume orders -e -J | seriatim -d copy produce orders -J",
                   "seriatim -d data produce orders --transactional-id importer --every 1000 < orders.txt"},
      .run = [arguments](Context& context) { return produce(context, *arguments); }};
}

}  // namespace seriatim::cli
