// The journal's commit against the floor: the same batches written with a bare pwrite + fdatasync into a file
// that was written before, alone and in bare group commits.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "bench_support.hpp"
#include "commit_load.hpp"
#include "journal/journal.hpp"

namespace seriatim::bench {
namespace {

constexpr std::size_t batch_bytes = 167;  // one record of 100 bytes, framed
constexpr std::size_t file_bytes = std::size_t{16} << 20;

/// A file written before, and the next place in it.
class WrittenFile {
 public:
  explicit WrittenFile(const std::filesystem::path& path)
      : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    const std::string zeros(std::size_t{64} << 10, '\0');
    bool written = fd_ >= 0;
    for (std::size_t at = 0; written && at < file_bytes; at += zeros.size()) {
      written = pwrite(fd_, zeros.data(), zeros.size(), static_cast<off_t>(at)) ==
                static_cast<ssize_t>(zeros.size());
    }
    if (!written || fsync(fd_) != 0) std::abort();
  }
  ~WrittenFile() { close(fd_); }
  WrittenFile(const WrittenFile&) = delete;
  WrittenFile& operator=(const WrittenFile&) = delete;

  void commit(const std::string& bytes) { commit_at(take(bytes.size()), bytes); }
  /// Where the next bytes go. One thread at a time.
  std::size_t take(std::size_t size) noexcept {
    if (at_ + size > file_bytes) at_ = 0;
    return std::exchange(at_, at_ + size);
  }
  /// Any thread.
  void commit_at(std::size_t at, const std::string& bytes) {
    const ssize_t written = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written != static_cast<ssize_t>(bytes.size()) || fdatasync(fd_) != 0) std::abort();
    ++syncs_;
  }
  std::uint64_t syncs() const noexcept { return syncs_; }

 private:
  int fd_;
  std::atomic<std::uint64_t> syncs_{0};
  std::size_t at_ = 0;
};

/// Group commit as small as it gets: a waiter that finds no sync running writes and syncs for all.
class BareGroupCommit {
 public:
  explicit BareGroupCommit(const std::filesystem::path& path) : file_(path) {}

  void commit(const std::string& batch) {
    std::unique_lock lock(mutex_);
    staged_ += batch;
    const std::uint64_t mine = ++staged_count_;
    while (durable_count_ < mine) {
      if (is_running_) {
        done_.wait(lock);
        continue;
      }
      is_running_ = true;
      group_.clear();
      group_.swap(staged_);
      const std::uint64_t count = staged_count_;
      lock.unlock();
      file_.commit(group_);
      lock.lock();
      durable_count_ = count;
      is_running_ = false;
      done_.notify_all();
    }
  }
  std::uint64_t syncs() const noexcept { return file_.syncs(); }

 private:
  WrittenFile file_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::string staged_;
  std::string group_;
  std::uint64_t staged_count_ = 0;
  std::uint64_t durable_count_ = 0;
  bool is_running_ = false;
};

/// The same with two groups under way: a waiter that finds one running writes and syncs the next beside it. A
/// group is durable when those before it are.
class BareTwoGroups {
 public:
  explicit BareTwoGroups(const std::filesystem::path& path) : file_(path) {}

  void commit(const std::string& batch) {
    std::unique_lock lock(mutex_);
    staged_ += batch;
    const std::uint64_t mine = ++staged_count_;
    while (durable_count_ < mine) {
      if (running_ == groups_.size() || staged_.empty()) {
        done_.wait(lock);
        continue;
      }
      Group& group = groups_[groups_[0].is_running ? 1 : 0];
      group.is_running = true;
      ++running_;
      group.bytes.clear();
      group.bytes.swap(staged_);
      const std::uint64_t first = std::exchange(taken_count_, staged_count_);
      const std::uint64_t end = staged_count_;
      const std::size_t at = file_.take(group.bytes.size());
      lock.unlock();
      file_.commit_at(at, group.bytes);
      lock.lock();
      done_.wait(lock, [&] { return durable_count_ == first; });
      durable_count_ = end;
      group.is_running = false;
      --running_;
      done_.notify_all();
    }
  }
  std::uint64_t syncs() const noexcept { return file_.syncs(); }

 private:
  struct Group {
    std::string bytes{};
    bool is_running = false;
  };

  WrittenFile file_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::string staged_;
  std::array<Group, 2> groups_;
  std::size_t running_ = 0;
  std::uint64_t staged_count_ = 0;
  std::uint64_t taken_count_ = 0;
  std::uint64_t durable_count_ = 0;
};

/// One group at a time, by a thread that does nothing else.
class BareCommitThread {
 public:
  explicit BareCommitThread(const std::filesystem::path& path) : file_(path), thread_([this] { run(); }) {}
  ~BareCommitThread() {
    {
      const std::scoped_lock lock(mutex_);
      is_stopping_ = true;
    }
    work_.notify_one();
    thread_.join();
  }

  void commit(const std::string& batch) {
    std::unique_lock lock(mutex_);
    staged_ += batch;
    const std::uint64_t mine = ++staged_count_;
    if (staged_.size() == batch.size()) work_.notify_one();
    done_.wait(lock, [&] { return durable_count_ >= mine; });
  }
  std::uint64_t syncs() const noexcept { return file_.syncs(); }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      work_.wait(lock, [&] { return is_stopping_ || !staged_.empty(); });
      if (staged_.empty()) return;
      group_.clear();
      group_.swap(staged_);
      const std::uint64_t count = staged_count_;
      lock.unlock();
      file_.commit(group_);
      lock.lock();
      durable_count_ = count;
      done_.notify_all();
    }
  }

  WrittenFile file_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  std::string staged_;
  std::string group_;
  std::uint64_t staged_count_ = 0;
  std::uint64_t durable_count_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

class JournalCommit {
 public:
  explicit JournalCommit(const std::filesystem::path& path) {
    journal::JournalOptions options;
    options.directory = path.string();
    journal_ = must(journal::Journal::open(std::move(options), {}));
    must(journal_->prepare_next());
  }
  void commit(const std::string& batch) {
    const auto lsn = must(journal_->stage(journal::StagedFrame::batch({}, base::as_bytes(batch), nullptr)));
    must(journal_->wait_durable(lsn));
  }
  std::uint64_t syncs() const { return journal_->stats().syncs; }

 private:
  std::unique_ptr<journal::Journal> journal_;
};

/// One batch of one record for each commit.
template <class Log>
class BatchCommitter final : public Committer {
 public:
  explicit BatchCommitter(const std::filesystem::path& directory) : log_(directory / "commits") {}
  void commit(int) override { log_.commit(batch_); }
  std::uint64_t syncs() const override { return log_.syncs(); }

 private:
  Log log_;
  std::string batch_ = payload(batch_bytes);
};

template <class Log>
std::unique_ptr<Committer> make_batches(const std::filesystem::path& directory, int) {
  return std::make_unique<BatchCommitter<Log>>(directory);
}

const bool entered = enter_committer("bare_commit", make_batches<WrittenFile>, 1, 1) &&
                     enter_committer("bare_group_commit", make_batches<BareGroupCommit>, 2) &&
                     enter_committer("bare_two_groups", make_batches<BareTwoGroups>, 2) &&
                     enter_committer("bare_commit_thread", make_batches<BareCommitThread>, 2) &&
                     enter_committer("journal_commit", make_batches<JournalCommit>);

}  // namespace
}  // namespace seriatim::bench
