// The `seriatim` command: parses, runs one command, and turns its outcome into an exit status.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <variant>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "command_line.hpp"
#include "command_tree.hpp"
#include "context.hpp"
#include "interrupt.hpp"
#include "text/text_encoding.hpp"

namespace {

using namespace seriatim;
using namespace seriatim::cli;

// A descriptor 0, 1 or 2 that was closed would be given to the next file opened, and output meant for people
// would land in a segment.
bool reserve_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    if (::open("/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

int report(const Context& context, const Error& error) {
  // The reader of the output has seen enough. Another error is one, whoever reads.
  if (context.out.reader_is_gone() && error.sys_errno() == EPIPE) return static_cast<int>(ExitCode::ok);
  if (error.code() == Errc::wakeup && is_interrupted()) return 128 + interrupting_signal();
  // Names in it may be of any bytes.
  std::fprintf(stderr, "error %s: %s\n", std::string(error.name()).c_str(),
               printable_lines(error.message()).c_str());
  return static_cast<int>(exit_code_of(error.code()));
}

int run_command(Context& context, const Command& command) {
  const Result<ExitCode> outcome = command.run(context);
  const Result<> flushed = context.out.flush();
  if (!outcome.ok()) return report(context, outcome.error());
  if (!flushed.ok()) return report(context, flushed.error());
  return is_interrupted() ? 128 + interrupting_signal() : static_cast<int>(*outcome);
}

int run_line(const std::vector<std::string>& words) {
  Context context;
  const Command root = make_command_tree(context.options);
  const ParsedLine parsed = parse_command_line(root, words);
  if (const auto* error = std::get_if<UsageError>(&parsed)) {
    std::fprintf(stderr, "error: %s\n", printable_lines(error->text).c_str());
    return static_cast<int>(ExitCode::usage);
  }
  if (const auto* answer = std::get_if<Answer>(&parsed)) {
    context.out.write(answer->text);
    const Result<> flushed = context.out.flush();
    return flushed.ok() ? static_cast<int>(ExitCode::ok) : report(context, flushed.error());
  }
  return run_command(context, *std::get<const Command*>(parsed));
}

}  // namespace

int main(int argc, char** argv) {
  if (!reserve_standard_descriptors()) return static_cast<int>(ExitCode::failed);
  catch_interrupts();
  try {
    return run_line(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::fprintf(stderr,
                 "error: %s. This is a defect of seriatim or the machine is out of memory; run it again with "
                 "less at a time\n",
                 error.what());
    return static_cast<int>(ExitCode::failed);
  }
}
