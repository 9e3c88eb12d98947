#include "os/file/overlay_vfs.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <string_view>
#include <utility>

#include "os/path.hpp"

namespace seriatim::os {
namespace {

Error cannot(std::string_view what, const std::string& path) {
  return {Errc::invalid_state, path + ": a file system that only looks cannot " + std::string(what)};
}

}  // namespace

/// A file, under whatever name.
struct OverlayVfs::Node {
  std::unique_ptr<File> below{};  ///< Null: it was made here.
  std::uint64_t below_bytes = 0;  ///< Of those below, as many are to be seen.
  std::uint64_t size = 0;
  std::map<std::uint64_t, std::vector<std::byte>> written{};  ///< By position; none overlaps another.

  // Makes room for [begin, end): what was written there before goes.
  void forget(std::uint64_t begin, std::uint64_t end) {
    auto at = written.upper_bound(begin);
    if (at != written.begin()) --at;
    while (at != written.end() && at->first < end) {
      const std::uint64_t piece_end = at->first + at->second.size();
      if (piece_end <= begin) {
        ++at;
        continue;
      }
      if (piece_end > end) {
        const auto rest = at->second.end() - static_cast<std::ptrdiff_t>(piece_end - end);
        written.emplace(end, std::vector<std::byte>(rest, at->second.end()));
      }
      if (at->first < begin) {
        at->second.resize(static_cast<std::size_t>(begin - at->first));
        ++at;
      } else {
        at = written.erase(at);
      }
    }
  }

  void write(base::ByteSpan from, std::uint64_t position) {
    if (from.empty()) return;
    forget(position, position + from.size());
    written.emplace(position, std::vector<std::byte>(from.begin(), from.end()));
    size = std::max(size, position + from.size());
  }

  void truncate(std::uint64_t to) {
    if (to < size) forget(to, size);
    below_bytes = std::min(below_bytes, to);
    size = to;
  }

  Result<std::size_t> read(base::MutableByteSpan into, std::uint64_t position) {
    if (position >= size) return std::size_t{0};
    into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size - position)));
    std::fill(into.begin(), into.end(), std::byte{0});
    if (below && position < below_bytes) {
      const auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), below_bytes - position));
      auto got = below->read_at(into.first(count), position);
      if (!got) return got;
    }
    const std::uint64_t end = position + into.size();
    auto at = written.upper_bound(position);
    if (at != written.begin()) --at;
    for (; at != written.end() && at->first < end; ++at) {
      const std::uint64_t begin = std::max(at->first, position);
      const std::uint64_t piece_end = std::min(at->first + at->second.size(), end);
      if (piece_end <= begin) continue;
      const auto* const from = at->second.data() + (begin - at->first);
      std::copy_n(from, piece_end - begin, into.begin() + static_cast<std::ptrdiff_t>(begin - position));
    }
    return into.size();
  }
};

class OverlayVfs::OverlayFile final : public File {
 public:
  OverlayFile(NodePtr node, std::string path) : node_(std::move(node)), path_(std::move(path)) {}

  Result<std::size_t> read_at(base::MutableByteSpan into, std::uint64_t at) override {
    return node_->read(into, at);
  }
  Result<void> write_at(base::ByteSpan from, std::uint64_t at) override {
    node_->write(from, at);
    return {};
  }
  Result<void> write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t at) override {
    for (const auto& piece : pieces) {
      node_->write(piece, at);
      at += piece.size();
    }
    return {};
  }
  Result<void> allocate(std::uint64_t at, std::uint64_t length) override {
    node_->size = std::max(node_->size, at + length);
    return {};
  }
  Result<void> truncate(std::uint64_t size) override {
    node_->truncate(size);
    return {};
  }
  Result<void> sync_data() override { return {}; }
  Result<void> sync_all() override { return {}; }
  Result<std::uint64_t> size() override { return node_->size; }
  Result<Mapping> map(std::uint64_t, Access) override { return cannot("map it", path_); }
  // The file below may be read from the page cache as it may be without this file system.
  Result<void> drop_cache(std::uint64_t at, std::uint64_t length) override {
    return node_->below ? node_->below->drop_cache(at, length) : Result<void>{};
  }
  int descriptor() const noexcept override { return -1; }
  const std::string& path() const noexcept override { return path_; }
  Result<FileId> id() override { return node_->below ? node_->below->id() : Result<FileId>(FileId{}); }
  Result<std::int64_t> modified_ms() override {
    return node_->below ? node_->below->modified_ms() : Result<std::int64_t>(std::int64_t{0});
  }
  Result<void> set_modified_ms(std::int64_t) override { return {}; }

 private:
  NodePtr node_;
  std::string path_;
};

// Null: there is no such file.
Result<OverlayVfs::NodePtr> OverlayVfs::find(const std::string& path) {
  if (const auto known = files_.find(path); known != files_.end()) return known->second;
  if (const auto known = read_.find(path); known != read_.end()) {
    if (auto node = known->second.lock()) return node;
  }
  auto below = below_.open(path, OpenMode::read);
  if (!below && below.error().code() == Errc::not_found) return NodePtr();
  if (!below) return below.error();
  auto size = (*below)->size();
  if (!size) return size.error();
  auto node = std::make_shared<Node>();
  node->below = *std::move(below);
  node->below_bytes = node->size = *size;
  read_[path] = node;
  return node;
}

Result<std::unique_ptr<File>> OverlayVfs::open(const std::string& path, OpenMode mode) {
  auto node = find(path);
  if (!node) return node.error();
  const bool creates = mode == OpenMode::create_new || mode == OpenMode::open_or_create;
  if (*node && mode == OpenMode::create_new)
    return Error(Errc::io_error, "cannot create " + path + ": it exists", EEXIST);
  if (!*node && !creates) return Error(Errc::not_found, path + " does not exist", ENOENT);
  if (!*node) *node = std::make_shared<Node>();
  if (mode != OpenMode::read) files_[path] = *node;
  return std::unique_ptr<File>(std::make_unique<OverlayFile>(*node, path));
}

Result<void> OverlayVfs::rename(const std::string& from, const std::string& to) {
  auto node = find(from);
  if (!node) return node.error();
  if (!*node) return Error(Errc::not_found, from + " does not exist", ENOENT);
  files_[to] = *std::move(node);
  files_[from] = nullptr;
  return {};
}

Result<void> OverlayVfs::remove(const std::string& path) {
  auto node = find(path);
  if (!node) return node.error();
  if (!*node) return Error(Errc::not_found, path + " does not exist", ENOENT);
  files_[path] = nullptr;
  return {};
}

Result<void> OverlayVfs::create_directory(const std::string& path) {
  auto there = exists(path);
  if (!there) return there.error();
  if (*there) return Error(Errc::io_error, "cannot create " + path + ": it exists", EEXIST);
  directories_.insert(path);
  return {};
}

Result<void> OverlayVfs::remove_directory(const std::string& path) {
  return cannot("remove a directory", path);
}

Result<std::vector<DirEntry>> OverlayVfs::list(const std::string& path) {
  std::map<std::string, EntryKind> entries;
  auto below = below_.list(path);
  const bool is_made_here = directories_.contains(path);
  if (!below && (!is_made_here || below.error().code() != Errc::not_found)) return below;
  if (below) {
    for (auto& entry : *below) entries.emplace(std::move(entry.name), entry.kind);
  }
  for (const auto& [name, node] : files_) {
    if (parent_path(name) != path) continue;
    const std::string last = name.substr(name.rfind('/') + 1);
    if (node) {
      entries[last] = EntryKind::file;
    } else {
      entries.erase(last);
    }
  }
  for (const auto& name : directories_) {
    if (parent_path(name) == path) entries[name.substr(name.rfind('/') + 1)] = EntryKind::directory;
  }
  std::vector<DirEntry> listed;
  for (auto& [name, kind] : entries) listed.push_back({name, kind});
  return listed;
}

Result<void> OverlayVfs::sync_directory(const std::string&) { return {}; }

Result<bool> OverlayVfs::exists(const std::string& path) {
  if (const auto known = files_.find(path); known != files_.end()) return known->second != nullptr;
  if (directories_.contains(path)) return true;
  return below_.exists(path);
}

}  // namespace seriatim::os
