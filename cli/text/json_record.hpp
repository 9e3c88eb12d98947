// A record as one JSON object on a line (broken here for its width): what `consume -J` writes and
// `produce -J` reads.
//
//   {"topic":"orders","partition":3,"offset":7,"timestamp":1795358379512,"key":"user-42","value":"...",
//    "headers":[["trace","4bf9"]]}
//
// Null stays null. Bytes that are not UTF-8 go as Base64 in a field of the same name with _b64 at its end
// (`key_b64`, `value_b64`); if one header is not UTF-8, all of them go as `headers_b64`, names and values in
// Base64.
#pragma once

#include <string>

#include <seriatim/record.hpp>

#include "text/output.hpp"

namespace seriatim::cli {

Json json_of(const RecordView& record);
/// Appends json_of(record) on one line, byte for byte what the JSON library writes, without building a value
/// of it.
/// Cost: no allocation once `out` has room.
void append_json(std::string& out, const RecordView& record);

}  // namespace seriatim::cli
