// Destructive commands say what would go before anything goes.
#pragma once

#include <string>

#include "context.hpp"

namespace seriatim::cli {

struct Consent {
  bool yes = false;
  bool dry_run = false;
};

/// Prints `plan` on standard error and asks whether to go on: true only with --yes or a `y` typed at a
/// terminal; false with --dry-run or any other answer. With --quiet the plan is printed only where somebody
/// is asked, or wants nothing else.
/// Errors: invalid_argument: neither was given and there is no terminal to ask at.
Result<bool> confirm(const Context& context, const Consent& consent, const std::string& plan);

}  // namespace seriatim::cli
