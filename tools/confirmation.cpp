#include "confirmation.hpp"

#include <cstdio>

#include <unistd.h>

#include "text_encoding.hpp"

namespace seriatim::tools {

Result<bool> confirm(const Consent& consent, const std::string& plan) {
  std::fprintf(stderr, "%s\n", printable_lines(plan).c_str());
  if (consent.dry_run) return false;
  if (consent.yes) return true;
  if (::isatty(STDIN_FILENO) != 1) {
    return Error(Errc::invalid_argument,
                 "this cannot be undone and there is no terminal to ask at. Add --yes to go on, or --dry-run "
                 "to look only");
  }
  std::fputs("Go on? [y/N] ", stderr);
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

}  // namespace seriatim::tools
