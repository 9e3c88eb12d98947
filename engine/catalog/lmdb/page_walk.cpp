#include "catalog/lmdb/page_walk.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "catalog/lmdb/data_file_check.hpp"

namespace seriatim::catalog {
namespace {

using Bytes = std::vector<std::byte>;

enum class TreeKind { free, main, named };

// Keys of a subtree lie in [low, high); no bound where there is none.
struct KeyRange {
  std::optional<std::string_view> low{};
  std::optional<std::string_view> high{};
};

struct NamedTree {
  std::string name{};
  lmdb::Tree tree{};
};

struct Node {
  std::uint16_t flags = 0;
  std::uint32_t data_bytes = 0;
  std::uint64_t child = 0;
  std::string_view key{};
  base::ByteSpan data{};
};

std::uint16_t node_count(base::ByteSpan page) {
  return static_cast<std::uint16_t>((lmdb::load<std::uint16_t>(page, 12) - lmdb::page_header_bytes) / 2);
}

class PageWalk {
 public:
  PageWalk(std::string file, const lmdb::Meta& meta, const ValueCheck& on_value)
      : file_(std::move(file)), meta_(meta), on_value_(on_value) {
    std::error_code failure;
    const std::uintmax_t file_bytes = std::filesystem::file_size(file_, failure);
    file_pages_ = failure ? 0 : file_bytes / meta.page_bytes;
    // Pages at the end of the file may never have been written if they are free: bounded by the file, not by
    // what the meta page says.
    taken_.resize(std::min(file_pages_, meta.last_page + 1));
    in_.rdbuf()->pubsetbuf(nullptr, 0);
    in_.open(file_, std::ios::binary);
  }

  Result<PageCount> run() {
    if (!in_) {
      return Error(Errc::permission_denied,
                   "cannot open " + file_ + " for reading; correct its owner or mode");
    }
    if (Result<void> main = walk_tree(TreeKind::main, meta_.main_tree); !main) return main.error();
    for (std::size_t i = 0; i < named_.size(); ++i) {
      const NamedTree named = named_[i];
      name_ = named.name;
      if (Result<void> walked = walk_tree(TreeKind::named, named.tree); !walked) {
        return walked.error().with_context("database \"" + named.name + "\"");
      }
    }
    if (Result<void> free = walk_tree(TreeKind::free, meta_.free_tree); !free) return free.error();
    if (meta_.last_page >= file_pages_ + count_.free + lmdb::dirty_pages_max) {
      return damaged(meta_.last_page, "the last page is far beyond the end of the file");
    }
    return count_;
  }

 private:
  Error damaged(std::uint64_t page, const std::string& what) const {
    return {Errc::corrupt_metadata, file_ + ", page " + std::to_string(page) + " (position " +
                                        std::to_string(page * meta_.page_bytes) + "): " + what +
                                        damaged_catalog_advice};
  }

  Result<Bytes> read_page(std::uint64_t page, std::uint64_t count = 1) {
    Bytes bytes(static_cast<std::size_t>(count) * meta_.page_bytes);
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(page * meta_.page_bytes));
    in_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (in_.bad()) {
      return Error(Errc::io_error, "reading " + file_ + " failed at page " + std::to_string(page) +
                                       "; the disk is failing: copy the directory elsewhere");
    }
    if (static_cast<std::size_t>(in_.gcount()) != bytes.size())
      return damaged(page, "the file ends before it");
    if (lmdb::load<std::uint64_t>(bytes, 0) != page) return damaged(page, "it carries another page's number");
    return bytes;
  }

  // Every page belongs to one place only; this is also what ends a walk in a circle.
  Result<void> take(std::uint64_t page, std::uint64_t count) {
    if (page < lmdb::meta_pages || page > meta_.last_page || count > meta_.last_page + 1 - page) {
      return damaged(page, "a reference leads outside of the used pages");
    }
    if (page + count > file_pages_) return damaged(page, "the file ends before it");
    for (std::uint64_t i = page; i < page + count; ++i) {
      if (taken_[static_cast<std::size_t>(i)]) return damaged(i, "it is used in two places");
      taken_[static_cast<std::size_t>(i)] = true;
    }
    count_.used += count;
    count_.last = std::max(count_.last, page + count - 1);
    return {};
  }

  Result<void> walk_tree(TreeKind kind, const lmdb::Tree& tree) {
    found_ = {};
    if (tree.root == lmdb::no_page) {
      if (tree.depth == 0 && tree.entries == 0) return {};
      return damaged(0, "an empty tree claims to have entries");
    }
    if (tree.depth < 1 || tree.depth > lmdb::depth_max)
      return damaged(tree.root, "impossible depth of a tree");
    kind_ = kind;
    if (Result<void> walked = walk_page(tree.root, tree.depth, KeyRange{}); !walked) return walked;
    if (found_.entries != tree.entries || found_.branch_pages != tree.branch_pages ||
        found_.leaf_pages != tree.leaf_pages || found_.overflow_pages != tree.overflow_pages) {
      return damaged(tree.root, "the tree has " + std::to_string(found_.entries) +
                                    " entries and should have " + std::to_string(tree.entries) +
                                    ", or its page counts differ");
    }
    return {};
  }

  Result<void> walk_page(std::uint64_t number, unsigned levels_left, KeyRange range) {
    if (Result<void> taken = take(number, 1); !taken) return taken;
    const Result<Bytes> page = read_page(number);
    if (!page) return page.error();
    const bool is_leaf = levels_left == 1;
    const auto flags = lmdb::load<std::uint16_t>(*page, 10);
    if (flags != (is_leaf ? lmdb::page_leaf : lmdb::page_branch)) {
      return damaged(number, "page flags " + std::to_string(flags) + " at " + std::to_string(levels_left) +
                                 " levels above the leaves");
    }
    if (Result<void> layout = check_layout(number, *page, is_leaf); !layout) return layout;
    if (Result<void> order = check_keys(number, *page, is_leaf, range); !order) return order;
    ++(is_leaf ? found_.leaf_pages : found_.branch_pages);
    for (std::uint16_t i = 0; i < node_count(*page); ++i) {
      Result<void> walked =
          is_leaf ? walk_entry(number, node_at(*page, i, true))
                  : walk_page(node_at(*page, i, false).child, levels_left - 1, child_range(*page, i, range));
      if (!walked) return walked;
    }
    return {};
  }

  // Nodes must fill the page from `upper` to its end exactly: LMDB moves bytes by these sizes when it
  // deletes.
  Result<void> check_layout(std::uint64_t number, base::ByteSpan page, bool is_leaf) const {
    const auto lower = lmdb::load<std::uint16_t>(page, 12);
    const auto upper = lmdb::load<std::uint16_t>(page, 14);
    const bool is_empty = lower == lmdb::page_header_bytes;
    if (lower < lmdb::page_header_bytes || lower % 2 != 0 || lower > upper || upper > page.size() ||
        is_empty) {
      return damaged(number,
                     "its bounds " + std::to_string(lower) + " and " + std::to_string(upper) + " are wrong");
    }
    // The free tree alone may be left with a branch of one child.
    if (!is_leaf && kind_ != TreeKind::free && node_count(page) < 2)
      return damaged(number, "a branch of one child");
    std::vector<std::pair<std::size_t, std::size_t>> extents;
    for (std::uint16_t i = 0; i < node_count(page); ++i) {
      const auto position = lmdb::load<std::uint16_t>(page, lmdb::page_header_bytes + 2U * i);
      if (position < upper || position % 2 != 0 || position + lmdb::node_header_bytes > page.size()) {
        return damaged(number, "node " + std::to_string(i) + " lies outside of it");
      }
      extents.emplace_back(position, node_bytes(page.subspan(position), is_leaf));
    }
    std::sort(extents.begin(), extents.end());
    std::size_t expected = upper;
    for (const auto& [position, bytes] : extents) {
      if (position != expected) return damaged(number, "its nodes overlap or leave gaps");
      expected = position + bytes;
    }
    if (expected != page.size()) return damaged(number, "its nodes do not fill it");
    return {};
  }

  static std::size_t node_bytes(base::ByteSpan node, bool is_leaf) {
    std::size_t bytes = lmdb::node_header_bytes + lmdb::load<std::uint16_t>(node, 6);
    if (is_leaf) {
      const bool is_big = (lmdb::load<std::uint16_t>(node, 4) & lmdb::node_big_data) != 0;
      bytes += is_big ? sizeof(std::uint64_t) : data_bytes(node);
    }
    return bytes + bytes % 2;
  }

  static std::uint32_t data_bytes(base::ByteSpan node) {
    return lmdb::load<std::uint16_t>(node, 0) |
           (static_cast<std::uint32_t>(lmdb::load<std::uint16_t>(node, 2)) << 16U);
  }

  // Only on pages that passed check_layout().
  static Node node_at(base::ByteSpan page, std::uint16_t index, bool is_leaf) {
    const base::ByteSpan bytes =
        page.subspan(lmdb::load<std::uint16_t>(page, lmdb::page_header_bytes + 2U * index));
    Node node;
    node.flags = lmdb::load<std::uint16_t>(bytes, 4);
    node.data_bytes = data_bytes(bytes);
    node.child = node.data_bytes | (static_cast<std::uint64_t>(node.flags) << 32U);
    const auto key_bytes = lmdb::load<std::uint16_t>(bytes, 6);
    node.key = base::as_text(bytes.subspan(lmdb::node_header_bytes, key_bytes));
    if (is_leaf) {
      const bool is_big = (node.flags & lmdb::node_big_data) != 0;
      node.data = bytes.subspan(lmdb::node_header_bytes + key_bytes,
                                is_big ? sizeof(std::uint64_t) : std::size_t{node.data_bytes});
    }
    return node;
  }

  bool is_before(std::string_view a, std::string_view b) const {
    if (kind_ != TreeKind::free) return a < b;
    return lmdb::load<std::uint64_t>(base::as_bytes(a), 0) < lmdb::load<std::uint64_t>(base::as_bytes(b), 0);
  }

  // A branch's first key is never compared by LMDB: everything below the second key is its.
  Result<void> check_keys(std::uint64_t number, base::ByteSpan page, bool is_leaf,
                          const KeyRange& range) const {
    std::optional<std::string_view> previous;
    for (std::uint16_t i = is_leaf ? 0 : 1; i < node_count(page); ++i) {
      const std::string_view key = node_at(page, i, is_leaf).key;
      const bool fits = kind_ == TreeKind::free ? key.size() == sizeof(std::uint64_t)
                                                : !key.empty() && key.size() <= lmdb::key_bytes_max;
      if (!fits) return damaged(number, "key " + std::to_string(i) + " has an impossible length");
      const bool in_order = (!previous || is_before(*previous, key)) &&
                            (!range.low || !is_before(key, *range.low)) &&
                            (!range.high || is_before(key, *range.high));
      if (!in_order) return damaged(number, "key " + std::to_string(i) + " is out of order");
      previous = key;
    }
    return {};
  }

  static KeyRange child_range(base::ByteSpan page, std::uint16_t index, const KeyRange& range) {
    KeyRange child = range;
    if (index > 0) child.low = node_at(page, index, false).key;
    if (index + 1 < node_count(page))
      child.high = node_at(page, static_cast<std::uint16_t>(index + 1), false).key;
    return child;
  }

  Result<void> walk_entry(std::uint64_t page, const Node& node) {
    ++found_.entries;
    if (kind_ == TreeKind::main) return note_named_tree(page, node);
    if (node.flags != 0 && node.flags != lmdb::node_big_data) {
      return damaged(page, "a node has flags " + std::to_string(node.flags));
    }
    if (node.flags == 0) return walk_value(page, node.key, node.data);
    const auto first = lmdb::load<std::uint64_t>(node.data, 0);
    const Result<Bytes> run = take_overflow_run(first, node.data_bytes);
    if (!run) return run.error();
    return walk_value(first, node.key,
                      base::ByteSpan(*run).subspan(lmdb::page_header_bytes, node.data_bytes));
  }

  Result<void> walk_value(std::uint64_t page, std::string_view key, base::ByteSpan value) {
    return kind_ == TreeKind::free ? walk_free_list(page, value) : on_value_(name_, key, value);
  }

  // Values of the main tree are the roots of the named databases, nothing else.
  Result<void> note_named_tree(std::uint64_t page, const Node& node) {
    if (node.flags != lmdb::node_sub_tree || node.data.size() != lmdb::tree_bytes) {
      return damaged(page, "an entry of the main tree is not a database");
    }
    const lmdb::Tree tree = lmdb::load_tree(node.data);
    if (tree.flags != 0) return damaged(page, "a database has flags " + std::to_string(tree.flags));
    named_.push_back({std::string(node.key), tree});
    return {};
  }

  Result<Bytes> take_overflow_run(std::uint64_t first, std::uint32_t data_bytes) {
    if (Result<void> taken = take(first, 1); !taken) return taken.error();
    const Result<Bytes> head = read_page(first);
    if (!head) return head.error();
    const std::uint64_t pages = lmdb::load<std::uint32_t>(*head, 12);
    const std::uint64_t needed = (lmdb::page_header_bytes - 1 + data_bytes) / meta_.page_bytes + 1;
    if (lmdb::load<std::uint16_t>(*head, 10) != lmdb::page_overflow || pages < needed) {
      return damaged(first, "it should begin an overflow run of " + std::to_string(needed) + " pages");
    }
    if (pages > 1) {
      if (Result<void> taken = take(first + 1, pages - 1); !taken) return taken.error();
    }
    found_.overflow_pages += pages;
    return read_page(first, needed);
  }

  // A list of free pages: u64 count, then page numbers, largest first. One that is in use would be
  // overwritten.
  Result<void> walk_free_list(std::uint64_t page, base::ByteSpan data) {
    constexpr std::size_t word = sizeof(std::uint64_t);
    if (data.size() < word || data.size() % word != 0)
      return damaged(page, "a list of free pages is cut off");
    const auto count = lmdb::load<std::uint64_t>(data, 0);
    if (count > data.size() / word - 1) return damaged(page, "a list of free pages is longer than its bytes");
    std::uint64_t previous = meta_.last_page + 1;
    for (std::uint64_t i = 1; i <= count; ++i) {
      const auto free = lmdb::load<std::uint64_t>(data, static_cast<std::size_t>(i) * word);
      if (free >= previous || free < lmdb::meta_pages)
        return damaged(page, "a list of free pages is out of order");
      if (free < taken_.size()) {
        if (taken_[static_cast<std::size_t>(free)]) return damaged(free, "it is in use and listed as free");
        taken_[static_cast<std::size_t>(free)] = true;
      }
      count_.last = std::max(count_.last, free);
      previous = free;
    }
    count_.free += count;
    return {};
  }

  std::string file_;
  const lmdb::Meta& meta_;
  const ValueCheck& on_value_;
  std::string name_;
  std::uint64_t file_pages_ = 0;
  std::ifstream in_;
  std::vector<bool> taken_;
  std::vector<NamedTree> named_;
  PageCount count_;
  TreeKind kind_ = TreeKind::main;
  lmdb::Tree found_{};
};

}  // namespace

Result<PageCount> walk_pages(const std::string& directory, const lmdb::Meta& meta,
                             const ValueCheck& on_value) {
  return PageWalk(data_file(directory), meta, on_value).run();
}

}  // namespace seriatim::catalog
