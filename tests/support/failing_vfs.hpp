// A file system that stops working: from a chosen step on, everything that would change something fails.
// Changes made before stay, so that a stop at every step of an operation can be played through.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "os/file/posix_vfs.hpp"
#include "os/vfs.hpp"

namespace seriatim::test {

class FailingVfs final : public os::Vfs {
 public:
  explicit FailingVfs(os::Vfs& real = os::posix_vfs()) : real_(real) {}

  /// The next `steps` changes succeed; those after them fail with `code`. Any thread.
  void fail_after(std::int64_t steps, Errc code = Errc::io_error) {
    code_ = code;
    steps_left_ = steps;
  }
  void heal() { steps_left_ = never; }
  /// Called before each change, in the thread that makes it.
  std::function<void()> before_step{};
  bool has_failed() const { return has_failed_; }

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (mode == os::OpenMode::create_new || mode == os::OpenMode::open_or_create) {
      if (auto allowed = step("create", path); !allowed) return allowed.error();
    }
    auto file = real_.open(path, mode);
    if (!file) return file;
    return std::unique_ptr<os::File>(std::make_unique<FailingFile>(*this, *std::move(file)));
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (auto allowed = step("rename", from); !allowed) return allowed;
    return real_.rename(from, to);
  }
  Result<void> remove(const std::string& path) override {
    if (auto allowed = step("remove", path); !allowed) return allowed;
    return real_.remove(path);
  }
  Result<void> create_directory(const std::string& path) override {
    if (auto allowed = step("create directory", path); !allowed) return allowed;
    return real_.create_directory(path);
  }
  Result<void> remove_directory(const std::string& path) override {
    if (auto allowed = step("remove directory", path); !allowed) return allowed;
    return real_.remove_directory(path);
  }
  Result<std::vector<os::DirEntry>> list(const std::string& path) override { return real_.list(path); }
  Result<void> sync_directory(const std::string& path) override {
    if (auto allowed = step("sync directory", path); !allowed) return allowed;
    return real_.sync_directory(path);
  }
  Result<bool> exists(const std::string& path) override { return real_.exists(path); }
  Result<os::FileSystem> file_system(const std::string& path) override { return real_.file_system(path); }

 private:
  static constexpr std::int64_t never = std::int64_t{1} << 62;

  class FailingFile final : public os::File {
   public:
    FailingFile(FailingVfs& vfs, std::unique_ptr<os::File> real) : vfs_(vfs), real_(std::move(real)) {}
    Result<std::size_t> read_at(base::MutableByteSpan into, std::uint64_t position) override {
      return real_->read_at(into, position);
    }
    Result<void> write_at(base::ByteSpan from, std::uint64_t position) override {
      if (auto allowed = step("write"); !allowed) return allowed;
      return real_->write_at(from, position);
    }
    Result<void> write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t position) override {
      if (auto allowed = step("write"); !allowed) return allowed;
      return real_->write_gather_at(pieces, position);
    }
    Result<void> allocate(std::uint64_t position, std::uint64_t length) override {
      if (auto allowed = step("allocate"); !allowed) return allowed;
      return real_->allocate(position, length);
    }
    Result<void> truncate(std::uint64_t size) override {
      if (auto allowed = step("truncate"); !allowed) return allowed;
      return real_->truncate(size);
    }
    Result<void> sync_data() override {
      if (auto allowed = step("sync"); !allowed) return allowed;
      return real_->sync_data();
    }
    Result<void> sync_all() override {
      if (auto allowed = step("sync"); !allowed) return allowed;
      return real_->sync_all();
    }
    void begin_write_back(std::uint64_t position, std::uint64_t length) noexcept override {
      real_->begin_write_back(position, length);
    }
    Result<std::uint64_t> size() override { return real_->size(); }
    Result<os::Mapping> map(std::uint64_t length, os::Access access) override {
      return real_->map(length, access);
    }
    Result<void> drop_cache(std::uint64_t position, std::uint64_t length) override {
      return real_->drop_cache(position, length);
    }
    int descriptor() const noexcept override { return real_->descriptor(); }
    const std::string& path() const noexcept override { return real_->path(); }
    Result<os::FileId> id() override { return real_->id(); }
    Result<std::int64_t> modified_ms() override { return real_->modified_ms(); }
    Result<void> set_modified_ms(std::int64_t ms) override { return real_->set_modified_ms(ms); }

   private:
    Result<void> step(const char* what) { return vfs_.step(what, real_->path()); }
    FailingVfs& vfs_;
    std::unique_ptr<os::File> real_;
  };

  Result<void> step(const char* what, const std::string& path) {
    if (before_step) before_step();
    if (steps_left_.fetch_sub(1) > 0) return {};
    steps_left_ = 0;
    has_failed_ = true;
    // As the real one: a failed sync is final.
    const bool is_sync = std::string(what).starts_with("sync");
    return Error(is_sync ? Errc::storage_failed : code_.load(),
                 path + ": cannot " + what + " (made to fail by the test); nothing to be done");
  }

  os::Vfs& real_;
  std::atomic<std::int64_t> steps_left_{never};
  std::atomic<Errc> code_{Errc::io_error};
  std::atomic<bool> has_failed_{false};
};

}  // namespace seriatim::test
