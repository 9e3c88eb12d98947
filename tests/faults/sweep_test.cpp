// Every call in turn fails while everything that changes a data directory is done: the errors are the right
// ones, what was acknowledged is there and what was refused is not (INV-4), and all goes on when the fault is
// gone.
#include <doctest/doctest.h>

#include <algorithm>

#include "faults/tour.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;

std::size_t open_descriptors() {
  const fs::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(fs::begin(all), fs::end(all)));
}

// Takes the tour with the first call failing, then the second, ... until it meets none. `may_answer` says
// which codes the fault may have as answer.
void sweep(Fault fault, const std::set<Errc>& may_answer) {
  // Consequences of a step before that failed, not answers to the fault.
  const std::set<Errc> consequences{Errc::unknown_topic_or_partition, Errc::offset_out_of_range};
  const std::size_t descriptors = open_descriptors();
  int tours = 0;
  bool was_answered = false;
  for (bool is_met = true; is_met; fault.after += SERIATIM_SWEEP_STEP, ++tours) {
    FaultVfs vfs;
    vfs.arm(fault);
    CAPTURE(fault.after);
    CAPTURE(fault.for_ever);
    {
      Tour tour(vfs);
      tour.take();
      is_met = vfs.met() > 0;
      vfs.heal();
      CAPTURE(vfs.where());
      for (const Errc code : tour.codes()) {
        CAPTURE(name(code));
        CAPTURE(tour.messages());
        CHECK((may_answer.contains(code) || consequences.contains(code)));
        was_answered = was_answered || may_answer.contains(code);
      }
      tour.check_all_is_well();
      tour.check_crashed_copy();
    }
    REQUIRE(open_descriptors() == descriptors);
  }
  CHECK(was_answered);
  CHECK(tours > 20 / SERIATIM_SWEEP_STEP);
}

}  // namespace

TEST_CASE("no space at one call: the step says storage_full or goes another way, and nothing is lost") {
  sweep({.calls = Calls::changes, .error = ENOSPC}, {Errc::storage_full});
}

TEST_CASE("no space from one call on: storage_full until there is some, then all goes on without a reopen") {
  // Calls that free or give back space work on a full disk.
  sweep({.calls = Calls::takes, .error = ENOSPC, .for_ever = true}, {Errc::storage_full});
}

TEST_CASE("a write, allocation, cut or name that fails is an error of that call, of the journal final") {
  sweep({.calls = Calls::changes, .error = EIO}, {Errc::io_error, Errc::storage_failed});
}

TEST_CASE("a sync that fails is final: storage_failed, and what was acknowledged is there after a reopen") {
  sweep({.calls = Calls::syncs, .error = EIO}, {Errc::storage_failed});
}

TEST_CASE("a read that fails is an error of that read; nothing is cut or taken for the end because of it") {
  sweep({.calls = Calls::reads, .error = EIO}, {Errc::io_error});
}

TEST_CASE("reads that fail from one on: errors, and everything is there when they work again") {
  sweep({.calls = Calls::reads, .error = EIO, .for_ever = true}, {Errc::io_error});
}

TEST_CASE("no descriptor at one call, or from one on: the call fails, nothing leaks, nothing is changed") {
  sweep({.calls = Calls::opens, .error = EMFILE}, {Errc::too_many_open_files});
  // Where even an exchange of files that failed cannot be taken back durably, that is final.
  sweep({.calls = Calls::opens, .error = EMFILE, .for_ever = true},
        {Errc::too_many_open_files, Errc::storage_failed});
}

}  // namespace seriatim::test
