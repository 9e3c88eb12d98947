// The one way to the assignors, and the check of an answer that the application's own gave.
#pragma once

#include <seriatim/assignor.hpp>
#include <seriatim/result.hpp>

namespace seriatim::group::assign {

/// Every member is in the answer, also one without partitions. The order of the members in the request, and
/// of what they own, makes no difference.
/// Threads: any.
/// Cost: as at Assignor.
Assignment assign(Assignor assignor, const AssignmentRequest& request);

/// Whether each partition of each topic that somebody subscribes to has one owner, who subscribes to it, and
/// nothing else is assigned.
/// Errors: invalid_argument: names the partition and the member.
Result<> check_assignment(const AssignmentRequest& request, const Assignment& assignment);

}  // namespace seriatim::group::assign
