// The environment of a command that is run for a record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <seriatim/record.hpp>

namespace seriatim::cli {

/// "NAME=VALUE" for each variable: those of `inherited`, without the ones that are set here, and
/// SERIATIM_TOPIC, SERIATIM_PARTITION, SERIATIM_OFFSET, SERIATIM_DELIVERY_COUNT.
///
/// The key is SERIATIM_KEY if it is UTF-8 without a zero byte, else SERIATIM_KEY_B64, in Base64. Neither is
/// there for a record without a key, nor for a key that the system takes in no environment (above 90 KiB).
std::vector<std::string> record_environment(const std::vector<std::string>& inherited,
                                            const RecordView& record, std::int16_t delivery_count);

/// The environment of this process.
std::vector<std::string> own_environment();

}  // namespace seriatim::cli
