// One history: lives of a directory, each of which ends with a close, a kill or a power cut, at any call,
// that of a recovery too. On the way, at many calls, the same is tried on images.
//
// The operations and the expected state are a scenario's: its Model, Contents, Weights and Workload, how
// contents are looked at, and how an engine goes on after a recovery (`Aftermath`).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "crash/power_recovery.hpp"
#include "support/power_vfs.hpp"

namespace seriatim::test {

template <class Scenario>
class PowerRun {
 public:
  using Model = typename Scenario::Model;
  using Contents = typename Scenario::Contents;
  using Weights = typename Scenario::Weights;

  /// @param scratch  an empty directory, better in memory.
  PowerRun(const std::string& scratch, std::uint64_t seed, const Weights& weights)
      : scratch_(scratch), random_(seed), weights_(weights) {}

  /// Crashes recovered from so far.
  std::int64_t states() const noexcept { return states_; }

  /// Throws CrashFault.
  void play(int lives) {
    const std::string first = new_directory();
    needed(os::posix_vfs().create_directory(first));
    disk_ = std::make_unique<PowerDisk>(first);
    for (int life = 0; life < lives; ++life) live();
    std::filesystem::remove_all(disk_->root());
  }

 private:
  // Where a life ended, and what the next begins with.
  struct Cut {
    std::unique_ptr<PowerDisk> disk{};
    Model model{};
    Crash crash = Crash::power_cut;
  };

  std::string new_directory() { return os::join_path(scratch_, std::to_string(++directories_)); }

  void live() {
    const std::string directory = disk_->root();
    PowerVfs vfs(std::move(disk_));
    vfs.before_change = [this](std::string_view what, const std::string& path, PowerDisk& disk) {
      moment(disk, std::string(what) + " " + path);
    };
    cut_.reset();
    // One in three ends early: while it recovers, mostly.
    calls_left_ = random_.one_in(3) ? random_.between(1, 60) : random_.between(60, 500);
    history_.assign(1, "open");
    try {
      work(directory, vfs);
    } catch (const std::exception& failure) {
      if (!fault_) fault_ = failure.what() + story();
    }
    if (fault_) throw CrashFault(*fault_);
    if (cut_) {
      disk_ = std::move(cut_->disk);
      model_ = std::move(cut_->model);
      crash_ = cut_->crash;
      std::filesystem::remove_all(directory);
    } else {
      disk_ = vfs.take_disk();
      crash_ = Crash::kill;  // A close leaves more than a kill does: all of it is there.
    }
  }

  // The background's work is done here, so that a seed repeats it.
  static Engine open_alone(const std::string& directory, PowerVfs& vfs, const base::Clock& clock) {
    Engine engine = open_power_engine(directory, vfs, clock);
    detail::EngineImpl::of(engine)->background->stop();
    return engine;
  }

  void work(const std::string& directory, PowerVfs& vfs) {
    {
      base::ManualClock clock(power_clock().wall_ms());
      const Engine engine = open_alone(directory, vfs, clock);
      typename Scenario::Workload workload(engine, model_, random_, history_, clock);
      if (!cut_) {
        // The recovery that was looked at on a copy came to the same (INV-5).
        if (auto wrong = model_.complaint(Scenario::contents_of(engine), crash_)) throw CrashFault(*wrong);
        workload.note_durable();
      }
      for (auto left = random_.between(10, 80); left > 0 && !cut_ && !fault_; --left) {
        workload.step(weights_);
        acknowledged(vfs);
      }
      history_.emplace_back("close");
      needed(engine.close());
    }
    if (cut_) return;
    model_.everything_survives();
    acknowledged(vfs);
  }

  void acknowledged(PowerVfs& vfs) {
    vfs.with_disk([this](PowerDisk& disk) { moment(disk, "the end of the operation"); });
  }

  // In a thread of its own: the engine keeps buffers by thread, and the caller is in the middle of using
  // them.
  void moment(PowerDisk& disk, const std::string& what) {
    if (cut_ || fault_) return;
    std::thread([&] { look(disk, what); }).join();
  }

  // Nothing may be thrown through the engine.
  void look(PowerDisk& disk, const std::string& what) {
    try {
      if (--calls_left_ <= 0) {
        cut(disk);
      } else if (random_.one_in(3)) {
        const Crash crash = random_.one_in(4) ? Crash::kill : Crash::power_cut;
        const std::string image = new_directory();
        crash == Crash::kill ? disk.kill(image) : disk.power_cut(image, random_);
        recover(image, crash);
      }
    } catch (const std::exception& failure) {
      fault_ = "at \"" + what + "\": " + failure.what() + story();
    }
  }

  std::string story() const {
    std::string text = "\nThis life, which came after a " + std::string(name_of(crash_)) + ":";
    for (const std::string& operation : history_) text += "\n  " + operation;
    return text;
  }

  void cut(PowerDisk& disk) {
    Cut cut{.crash = random_.one_in(3) ? Crash::kill : Crash::power_cut};
    const std::string next = new_directory();
    if (cut.crash == Crash::kill) {
      cut.disk = disk.after_kill(next);
    } else {
      disk.power_cut(next, random_);
      cut.disk = std::make_unique<PowerDisk>(next);
    }
    const std::string copy = new_directory();
    cut.disk->kill(copy);
    const Contents contents = recover(copy, cut.crash);
    cut.model = model_;
    cut.model.adopt(contents, cut.crash);
    cut_ = std::move(cut);
  }

  // Removes `image` in the end.
  Contents recover(const std::string& image, Crash crash) {
    ++states_;
    PowerVfs vfs(image);
    Contents recovered;
    std::string next = image;
    std::optional<typename Scenario::Aftermath> after;
    std::optional<Crash> second;  // nullopt: it was closed.
    if (random_.one_in(4)) check_nothing_damaged(image);
    {
      const Engine engine = open_alone(image, vfs, power_clock());
      recovered = Scenario::contents_of(engine);
      if (auto wrong = model_.complaint(recovered, crash))
        throw CrashFault("after a " + std::string(name_of(crash)) + ": " + *wrong);
      if (random_.one_in(2)) check_verified(engine);
      after = Scenario::go_on(engine, model_, recovered, crash, random_);
      if (after && !random_.one_in(3)) {
        next = new_directory();
        second = crash_again(vfs, next);
      }
    }
    if (after) {
      const auto found = Scenario::contents_of(open_power_engine(next, os::posix_vfs()));
      if (auto wrong = after->complaint(found, second))
        throw CrashFault("after a recovery, and what was done behind it: " + *wrong);
    }
    std::filesystem::remove_all(image);
    if (next != image) std::filesystem::remove_all(next);
    return recovered;
  }

  Crash crash_again(PowerVfs& vfs, const std::string& into) {
    ++states_;
    const Crash crash = random_.one_in(3) ? Crash::kill : Crash::power_cut;
    vfs.with_disk(
        [&](PowerDisk& disk) { crash == Crash::kill ? disk.kill(into) : disk.power_cut(into, random_); });
    return crash;
  }

  const std::string scratch_;
  Random random_;
  const Weights weights_;
  std::int64_t states_ = 0;
  std::int64_t directories_ = 0;
  std::int64_t calls_left_ = 0;
  std::vector<std::string> history_;  ///< Of this life.
  std::unique_ptr<PowerDisk> disk_;
  Model model_;
  Crash crash_ = Crash::power_cut;
  std::optional<Cut> cut_;
  std::optional<std::string> fault_;
};

}  // namespace seriatim::test
