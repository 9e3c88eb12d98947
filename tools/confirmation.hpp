// Destructive commands say what would go before anything goes.
#pragma once

#include <string>

#include "context.hpp"

namespace seriatim::tools {

struct Consent {
  bool yes = false;
  bool dry_run = false;
};

/// Prints `plan` on standard error and asks whether to go on: true only with --yes or a `y` typed at a
/// terminal; false with --dry-run or any other answer.
/// Errors: invalid_argument: neither was given and there is no terminal to ask at.
Result<bool> confirm(const Consent& consent, const std::string& plan);

}  // namespace seriatim::tools
