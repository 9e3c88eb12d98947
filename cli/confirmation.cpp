#include "confirmation.hpp"

#include <cstdio>

#include <unistd.h>

#include "text/text_encoding.hpp"

namespace seriatim::cli {

Result<bool> confirm(const Context& context, const Consent& consent, const std::string& plan) {
  const bool is_terminal = ::isatty(STDIN_FILENO) == 1;
  const bool asks = is_terminal && !consent.yes;
  if (consent.dry_run || asks || !context.options.quiet)
    std::fprintf(stderr, "%s\n", printable_lines(plan).c_str());
  if (consent.dry_run) return false;
  if (consent.yes) return true;
  if (!is_terminal) {
    return Error(Errc::invalid_argument,
                 "this cannot be undone and there is no terminal to ask at. Add --yes to go on, or --dry-run "
                 "to look only");
  }
  std::fputs("Go on? [y/N] ", stderr);
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

}  // namespace seriatim::cli
