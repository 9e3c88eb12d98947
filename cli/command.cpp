#include "command.hpp"

#include <sstream>

namespace seriatim::cli {

std::vector<std::string> spellings(const Option& option) {
  std::vector<std::string> result;
  std::istringstream names(option.names);
  for (std::string one; std::getline(names, one, ',');) result.push_back(one);
  return result;
}

bool is_flag(const Option& option) { return std::holds_alternative<bool*>(option.target); }

}  // namespace seriatim::cli
