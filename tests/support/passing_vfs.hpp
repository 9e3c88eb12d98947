// A file system that passes everything on to the real one, for tests to override what they watch or refuse.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "os/file/posix_vfs.hpp"
#include "os/vfs.hpp"

namespace seriatim::test {

class PassingFile : public os::File {
 public:
  explicit PassingFile(std::unique_ptr<os::File> file) : file_(std::move(file)) {}

  Result<std::size_t> read_at(base::MutableByteSpan into, std::uint64_t at) override {
    return file_->read_at(into, at);
  }
  Result<void> write_at(base::ByteSpan from, std::uint64_t at) override { return file_->write_at(from, at); }
  Result<void> write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t at) override {
    return file_->write_gather_at(pieces, at);
  }
  Result<void> allocate(std::uint64_t at, std::uint64_t length) override {
    return file_->allocate(at, length);
  }
  Result<void> truncate(std::uint64_t size) override { return file_->truncate(size); }
  Result<void> sync_data() override { return file_->sync_data(); }
  Result<void> sync_all() override { return file_->sync_all(); }
  void begin_write_back(std::uint64_t at, std::uint64_t length) noexcept override {
    file_->begin_write_back(at, length);
  }
  Result<std::uint64_t> size() override { return file_->size(); }
  Result<os::Mapping> map(std::uint64_t length, os::Access access) override {
    return file_->map(length, access);
  }
  Result<void> drop_cache(std::uint64_t at, std::uint64_t length) override {
    return file_->drop_cache(at, length);
  }
  int descriptor() const noexcept override { return file_->descriptor(); }
  const std::string& path() const noexcept override { return file_->path(); }
  Result<os::FileId> id() override { return file_->id(); }
  Result<std::int64_t> modified_ms() override { return file_->modified_ms(); }
  Result<void> set_modified_ms(std::int64_t ms) override { return file_->set_modified_ms(ms); }

 private:
  std::unique_ptr<os::File> file_;
};

class PassingVfs : public os::Vfs {
 public:
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    return real_.open(path, mode);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return real_.rename(from, to);
  }
  Result<void> remove(const std::string& path) override { return real_.remove(path); }
  Result<void> create_directory(const std::string& path) override { return real_.create_directory(path); }
  Result<void> remove_directory(const std::string& path) override { return real_.remove_directory(path); }
  Result<std::vector<os::DirEntry>> list(const std::string& path) override { return real_.list(path); }
  Result<void> sync_directory(const std::string& path) override { return real_.sync_directory(path); }
  Result<bool> exists(const std::string& path) override { return real_.exists(path); }
  Result<os::FileSystem> file_system(const std::string& path) override { return real_.file_system(path); }

 protected:
  /// The real file, inside a `File` made from it and `more`.
  template <class File, class... More>
  Result<std::unique_ptr<os::File>> open_as(const std::string& path, os::OpenMode mode, More&... more) {
    auto file = real_.open(path, mode);
    if (!file) return std::move(file).error();
    return std::unique_ptr<os::File>(std::make_unique<File>(std::move(*file), more...));
  }

 private:
  os::Vfs& real_ = os::posix_vfs();
};

}  // namespace seriatim::test
