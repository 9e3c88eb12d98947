// One history: lives of a directory, each of which ends with a close, a kill or a power cut, at any call,
// that of a recovery too. On the way, at many calls, the same is tried on images.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "crash/power_workload.hpp"
#include "support/power_vfs.hpp"

namespace seriatim::test {

class PowerRun {
 public:
  /// @param scratch  an empty directory, better in memory.
  PowerRun(const std::string& scratch, std::uint64_t seed, const PowerWeights& weights)
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

  void work(const std::string& directory, PowerVfs& vfs) {
    {
      const Engine engine = open_power_engine(directory, vfs);
      // Its work is done here, so that a seed repeats it.
      detail::EngineImpl::of(engine)->background->stop();
      PowerWorkload workload(engine, model_, random_, history_);
      if (!cut_) {
        // The recovery that was looked at on a copy came to the same (INV-5).
        if (auto wrong = model_.complaint(contents_of(engine), crash_)) throw CrashFault(*wrong);
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
    std::vector<Contents> expected;
    std::string next = image;
    {
      const Engine engine = open_power_engine(image, vfs);
      recovered = contents_of(engine);
      if (auto wrong = model_.complaint(recovered, crash))
        throw CrashFault("after a " + std::string(name_of(crash)) + ": " + *wrong);
      if (random_.one_in(2)) check_verified(engine);
      if (!recovered.empty() && (lossy_partition(recovered) || random_.one_in(4))) {
        const Acks acks = random_.one_in(2) ? Acks::all : Acks::leader;
        expected.push_back(append_to(engine, recovered, acks));
        if (!random_.one_in(3)) {
          next = new_directory();
          // What was recovered is on the disk; what was appended at `leader` is not.
          if (crash_again(vfs, next) == Crash::power_cut && acks == Acks::leader)
            expected.push_back(recovered);
        }
      }
    }
    if (!expected.empty()) {
      const Contents reopened = contents_of(open_power_engine(next, os::posix_vfs()));
      if (std::find(expected.begin(), expected.end(), reopened) == expected.end())
        throw CrashFault("what was recovered and appended to is not there again");
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

  std::optional<TopicPartition> lossy_partition(const Contents& contents) const {
    for (const auto& [name, partitions] : contents) {
      const auto& models = model_.topics.at(name).partitions;
      for (std::size_t i = 0; i < partitions.size(); ++i) {
        if (partitions[i].end < models[i].end) return TopicPartition{name, static_cast<PartitionId>(i)};
      }
    }
    return std::nullopt;
  }

  // Of the length of what was lost there, if anything was: what lies behind it must not come back.
  Contents append_to(const Engine& engine, Contents contents, Acks acks) {
    auto topic = contents.begin();
    std::advance(topic, random_.between(0, std::ssize(contents) - 1));
    auto index = static_cast<std::size_t>(random_.between(0, std::ssize(topic->second) - 1));
    if (const auto lossy = lossy_partition(contents)) {
      topic = contents.find(lossy->topic);
      index = static_cast<std::size_t>(lossy->partition);
    }
    auto& partition = topic->second[index];
    const auto& model = model_.topics.at(topic->first).partitions[index];
    const auto lost = model.records.find(partition.end);
    ModelRecord record{"key9", "appended after the recovery"};
    if (lost != model.records.end())
      record.value.resize(std::max<std::size_t>(lost->second.value.size(), 28), '.');
    Producer producer = needed(engine.producer({.acks = acks}));
    const Record appended{.key = record.key, .value = record.value};
    const auto placed =
        needed(producer.append({topic->first, static_cast<PartitionId>(index)}, std::span(&appended, 1)));
    if (placed.base_offset != partition.end)
      throw CrashFault("after a recovery that ended at " + std::to_string(partition.end) +
                       " a record got the offset " + std::to_string(placed.base_offset));
    partition.records[partition.end++] = std::move(record);
    return contents;
  }

  const std::string scratch_;
  Random random_;
  const PowerWeights weights_;
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
