// One walk through everything that changes a data directory, and a memory of what was acknowledged on the
// way: to be taken again and again with another call failing each time.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/fault_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {

/// Threads: one.
class Tour {
 public:
  explicit Tour(os::Vfs& vfs) : vfs_(vfs) {}

  /// Every step, whatever became of those before; the directory is closed and opened on the way.
  void take();
  /// After any fault: everything acknowledged is read, and each topic takes records again. With the
  /// engine that is open, unless a sync has failed or nothing could be opened. Then closes, opens, looks
  /// again.
  void check_all_is_well();
  /// The same of a copy of the directory as a crash would have left it, if that was taken.
  void check_crashed_copy();

  /// Codes of the errors that steps met.
  const std::set<Errc>& codes() const { return codes_; }
  /// And what they said, a line each.
  const std::string& messages() const { return messages_; }

 private:
  struct Log {
    std::map<Offset, std::string> acknowledged{};
    std::set<std::string> refused{};  ///< Said not to be written.
    Offset deleted_below = 0;         ///< At most.
  };
  using Logs = std::map<std::pair<std::string, PartitionId>, Log>;

  void open();
  void close();
  void create(const std::string& topic, PartitionId partitions, ConfigMap config);
  void send(const std::string& topic, PartitionId partition, int count, Acks acks);
  void commit(const std::string& group, Offset offset, Acks acks);
  void change();
  void delete_things();
  void crash();
  bool note(const Result<>& done);
  void check_records(const Engine& engine, const Logs& logs, bool is_final);
  void check_log(const LogReader& reader, const std::string& topic, const Log& log, bool is_final);
  void check_position(const Engine& engine);

  os::Vfs& vfs_;
  TempDir directory_;
  std::optional<Engine> engine_;
  Logs logs_;
  std::optional<Logs> at_crash_;
  std::set<std::string> deletions_tried_;
  std::optional<Offset> position_;
  std::set<Offset> positions_tried_;
  int sent_ = 0;
  std::set<Errc> codes_;
  std::string messages_;
};

}  // namespace seriatim::test
