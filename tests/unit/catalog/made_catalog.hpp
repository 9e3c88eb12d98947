// A catalog of a test's own, and ways to look at and damage its file.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/catalog_birth.hpp"
#include "catalog/lmdb/lmdb_env.hpp"
#include "catalog/lmdb/lmdb_layout.hpp"
#include "catalog/stored_state.hpp"
#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::catalog {

using test::must;

inline std::uint64_t process_now() { return static_cast<std::uint64_t>(::getpid()); }

inline CatalogOptions options(Access access = Access::read_write) {
  CatalogOptions made;
  made.access = access;
  made.process_identity = process_now;
  return made;
}

inline Id id_of(std::uint32_t number) {
  Id id{};
  id[0] = std::byte{0xab};
  base::store_be(id.data() + 4, number);
  return id;
}

inline CatalogFiles real_files() {
  CatalogFiles files;
  files.process_identity = process_now;
  files.rename = [](const std::string& from, const std::string& to) -> Result<void> {
    std::filesystem::rename(from, to);
    return {};
  };
  files.sync_directory = [](const std::string& directory) -> Result<void> {
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY);
    if (fd < 0 || ::fsync(fd) != 0) return Error(Errc::io_error, "fsync of " + directory);
    ::close(fd);
    return {};
  };
  return files;
}

/// Makes an empty catalog named `directory`.
inline void make_catalog(const std::string& directory) {
  const std::string made_in = directory + ".new";
  std::filesystem::create_directory(made_in);
  REQUIRE(create_catalog(made_in, id_of(1), real_files()).ok());
  REQUIRE(publish_catalog(made_in, directory, real_files()).ok());
}

/// Takes every value: tests of this level store what they like.
inline Result<void> any_value(std::string_view, std::string_view, base::ByteSpan) { return {}; }

inline Result<std::unique_ptr<Environment>> open_environment(const std::string& path,
                                                             const CatalogOptions& with) {
  return Environment::open(path, with, {any_value, [] {}});
}

inline TopicRecord topic_record(const std::string& name, std::uint32_t number, std::int32_t partitions = 1) {
  TopicRecord topic;
  topic.name = name;
  topic.topic_id = id_of(number);
  topic.partition_count = partitions;
  topic.created_ms = 1'700'000'000'000;
  return topic;
}

/// A catalog that is empty at first, in a directory of its own.
struct MadeCatalog {
  test::TempDir dir;
  std::string path = dir / "catalog";
  MadeCatalog() { make_catalog(path); }
  Catalog open(Access access = Access::read_write) const {
    return must(Catalog::open(path, options(access)));
  }
};

inline std::string read_all(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_all(const std::string& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(out.good());
}

/// Overwrites bytes of a file in place, as bit rot would: a map of it sees the change at once.
template <class T>
void patch(const std::string& file, std::uint64_t position, T value) {
  std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(static_cast<std::streamoff>(position));
  out.write(reinterpret_cast<const char*>(&value), sizeof(value));
  out.flush();
  REQUIRE(out.good());
}

/// Positions of the pages of one kind (lmdb::page_branch, ...), also of those no longer in use.
inline std::vector<std::uint64_t> pages_of_kind(const std::string& file, std::uint16_t flags) {
  const std::string bytes = read_all(file);
  std::vector<std::uint64_t> positions;
  for (std::size_t at = 2 * 4'096; at + 4'096 <= bytes.size(); at += 4'096) {
    if (lmdb::load<std::uint16_t>(base::as_bytes(bytes), at + 10) == flags) positions.push_back(at);
  }
  return positions;
}

inline std::vector<std::byte> bytes_of(std::string_view text) {
  const base::ByteSpan bytes = base::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

/// One position to commit.
struct OffsetCommit {
  TopicPartition topic_partition{};
  CommittedOffset committed{};
};

/// Stores all of them by a checkpoint, or on an error none.
/// Errors: as the catalog; unknown_topic_or_partition.
inline Result<void> commit_offsets(Catalog& catalog, std::string_view group,
                                   const std::vector<OffsetCommit>& commits) {
  Checkpoint checkpoint;
  for (const OffsetCommit& commit : commits) {
    const Result<TopicRecord> topic = catalog.topic(commit.topic_partition.topic);
    if (!topic) return topic.error();
    put_committed_offset(checkpoint.writes, group, commit.topic_partition, topic->topic_id, commit.committed);
  }
  return catalog.checkpoint(checkpoint);
}

inline void put_state_changes(TableWrites& to, const std::vector<StateChange>& changes) {
  for (const StateChange& change : changes)
    put_state_change(to, change.name, change.key, change.value ? &*change.value : nullptr);
}

/// A catalog that has a bit of everything, in more than one page per tree.
inline void fill(Catalog& catalog, std::uint32_t topics) {
  for (std::uint32_t i = 0; i < topics; ++i) {
    must(catalog.create_topic(topic_record("topic-" + std::to_string(i), i + 1, 2)));
  }
  std::vector<OffsetCommit> commits;
  std::vector<std::pair<TopicPartition, PartitionState>> states;
  for (std::uint32_t i = 0; i < topics; ++i) {
    const TopicPartition at{"topic-" + std::to_string(i), static_cast<PartitionId>(i % 2)};
    commits.push_back({at, {static_cast<Offset>(i) * 10, "metadata " + std::to_string(i), 5}});
    states.emplace_back(at, PartitionState{1, 20, 3, 400, -1, 6});
  }
  must(commit_offsets(catalog, "group", commits));
  must(catalog.put_partition_states(states));
  Checkpoint checkpoint;
  for (std::uint32_t i = 0; i < topics; ++i) {
    const std::string number = std::to_string(i);
    put_transactional_id(checkpoint.writes, "transactional id " + number,
                         TransactionalId{first_producer_id + i, 1, 60'000, i});
    put_state_changes(checkpoint.writes, {{"state " + number.substr(0, 1), bytes_of("key " + number),
                                           bytes_of(std::string(i == 0 ? 5'000 : 20, 's'))}});
  }
  must(catalog.checkpoint(checkpoint));
  const ProducerId first = must(catalog.reserve_producer_ids(static_cast<std::int32_t>(topics)));
  for (std::uint32_t i = 0; i < topics; i += 10)
    must(catalog.put_named_producer("producer " + std::to_string(i), {first + i, 0, 5, i}));
}

}  // namespace seriatim::catalog
