#include "text/readable_time.hpp"

#include "base/time_text.hpp"

namespace seriatim::cli {

std::string readable_time(Timestamp time) {
  if (time == no_timestamp) return "-";
  return base::format_rfc3339(time.time_since_epoch().count());
}

}  // namespace seriatim::cli
