// A checkpoint is stored whole or not at all: so one fact that the catalog refuses would keep all
// others from it, and the journal from ever being shortened.
#pragma once

#include <vector>

#include <seriatim/error.hpp>

#include "catalog/catalog.hpp"

namespace seriatim::directory {

/// Takes what the catalog would refuse out of `gathered`. Such a fact fails its caller before it is
/// journalled; one that is met here was journalled all the same, by another version.
/// @return what is wrong with each, and whose it is: to be told, since nobody waits for it.
std::vector<Error> leave_out_unstorable(catalog::Checkpoint& gathered);

}  // namespace seriatim::directory
