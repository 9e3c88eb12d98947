#include "journal/journal_reader.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "journal/journal_options.hpp"
#include "journal/last_frame.hpp"
#include "os/path.hpp"

namespace seriatim::journal {
namespace {

constexpr std::size_t number_digits = 20;
constexpr std::string_view suffix = ".journal";
constexpr std::string_view temporary_suffix = ".journal.tmp";
// Far beyond what can be reached, and far enough below 2^64 that nothing added to it wraps.
constexpr std::uint64_t number_max = std::uint64_t{1} << 62;

std::optional<std::uint64_t> parse_name(std::string_view name, std::string_view ending) noexcept {
  if (name.size() != number_digits + ending.size() || !name.ends_with(ending)) return std::nullopt;
  std::uint64_t number = 0;
  const char* const digits_end = name.data() + number_digits;
  const auto [end, error] = std::from_chars(name.data(), digits_end, number);
  const bool is_right = error == std::errc{} && end == digits_end && number != 0 && number <= number_max;
  return is_right ? std::optional(number) : std::nullopt;
}

struct FoundFile {
  std::uint64_t number = 0;
  std::string path{};
  std::uint64_t size = 0;
  format::JournalHeader header{};
};

// Frames that follow one another without a hole.
struct Stretch {
  std::uint64_t position = 0;
  std::uint64_t first_lsn = 0;
  std::uint64_t next_lsn = 0;
  std::uint64_t end_position = 0;
};

// The valid frames of a file. More than one stretch only where damage is passed over.
using Run = std::vector<Stretch>;

Error damage(const std::string& path, const std::string& what) {
  return {Errc::corrupt_metadata,
          path + ": " + what +
              ". Nothing was changed. Restore the data directory from a backup, or run `seriatim repair "
              "--accept-loss`, which saves what can be read before and behind the damage"};
}

Error damage_at(const std::string& path, std::uint64_t position, std::uint64_t lsn, const std::string& why) {
  return damage(path, "damaged at position " + std::to_string(position) + ": journal frame " +
                          std::to_string(lsn) + " was stored and cannot be read, " + why);
}

class Reader {
 public:
  Reader(const ReadOptions& options, JournalVisitor& visitor) : options_(options), visitor_(visitor) {}

  Result<JournalContents> read() {
    if (auto listed = list(); !listed) return std::move(listed).error();
    if (auto scanned = scan_all(); !scanned) return std::move(scanned).error();
    if (auto visited = visit_all(); !visited) return std::move(visited).error();
    return std::move(contents_);
  }

 private:
  Result<void> list();
  Result<void> classify(std::uint64_t number, const os::DirEntry& entry);
  Result<void> settle(os::File& file);
  Result<void> scan_all();
  Result<void> note_newest();
  Result<void> scan_one(std::size_t index, std::uint64_t& next_lsn);
  Result<Run> scan(const FoundFile& file, std::uint64_t first_lsn);
  Result<Stretch> scan_stretch(const FoundFile& file, std::uint64_t key, Stretch stretch);
  Result<void> check_sequence(const FoundFile& file, std::uint64_t next_lsn);
  Error sequence_error(const FoundFile& file, std::uint64_t next_lsn) const;
  bool passes_over(const Error& error) const noexcept;
  void give_up(std::uint64_t number);
  void note_loss(std::uint64_t first_lsn, std::uint64_t last_lsn, const Error& error);
  Result<void> visit_all();
  Result<void> visit(const FoundFile& file, const Stretch& stretch);
  Result<void> dispatch(const FramePlace& place, const format::JournalFrame& frame, JournalVisitor* visitor);
  Result<void> load(const FoundFile& file);
  bool is_covered(std::size_t index) const;

  const ReadOptions& options_;
  JournalVisitor& visitor_;
  JournalContents contents_;
  std::vector<FoundFile> begun_;
  std::vector<Run> runs_;            // of begun_, none of those that are covered
  std::vector<std::byte> bytes_;     // of one file
  std::uint64_t loaded_number_ = 0;  // whose
};

Result<void> Reader::list() {
  auto entries = options_.vfs.list(options_.directory);
  if (!entries && entries.error().code() == Errc::not_found) return {};
  if (!entries) return std::move(entries).error();
  contents_.directory_exists = true;
  for (const os::DirEntry& entry : *entries) {
    if (parse_name(entry.name, temporary_suffix)) contents_.leftovers.push_back(entry.name);
    const auto number = parse_name(entry.name, suffix);
    if (!number) continue;
    contents_.next_file_number = *number + 1;  // the entries are in the order of their names
    if (auto classified = classify(*number, entry); !classified) {
      if (!passes_over(classified.error())) return classified;
      give_up(*number);
    }
  }
  return {};
}

// A call that the file system cannot do, and a file of a newer version, are no damage.
bool Reader::passes_over(const Error& error) const noexcept {
  return options_.salvages && error.code() == Errc::corrupt_metadata;
}

void Reader::give_up(std::uint64_t number) {
  const std::string name = journal_file_name(number);
  auto& damaged = contents_.damaged;
  if (std::find(damaged.begin(), damaged.end(), name) == damaged.end()) damaged.push_back(name);
  std::erase_if(contents_.files, [number](const JournalFileRange& file) { return file.number == number; });
}

void Reader::note_loss(std::uint64_t first_lsn, std::uint64_t last_lsn, const Error& error) {
  first_lsn = std::max(first_lsn, options_.covered_lsn + 1);
  if (first_lsn <= last_lsn) contents_.losses.push_back({first_lsn, last_lsn, error.message()});
}

// A page that only the cache has can be lost after frames behind it were stored; one that a failed write left
// clean is not on the disk at all, and is dropped to be read from there.
Result<void> Reader::settle(os::File& file) {
  if (options_.is_writer) {
    if (auto synced = file.sync_data(); !synced) return synced;
  }
  return file.drop_cache(0, 0);
}

Result<void> Reader::classify(std::uint64_t number, const os::DirEntry& entry) {
  FoundFile found{number, os::join_path(options_.directory, entry.name), 0, {}};
  if (entry.kind != os::EntryKind::file) return damage(found.path, "is no regular file");
  auto file = options_.vfs.open(found.path, os::OpenMode::read);
  if (!file) return std::move(file).error();
  if (auto settled = settle(**file); !settled) return settled;
  const auto size = (*file)->size();
  if (!size) return size.error();
  found.size = *size;
  if (found.size < format::journal_frames_at || found.size > journal_file_bytes_max) {
    return damage(found.path, "has " + std::to_string(found.size) + " bytes, which no journal file has");
  }
  format::JournalHeaderBlock block{};
  const auto read = (*file)->read_at(block, 0);
  if (!read) return read.error();
  const auto header = format::load_journal_header(block, number);
  if (!header) return header.error().with_context(found.path);
  if (*header && (*header)->directory_id != options_.directory_id) {
    return damage(found.path, "belongs to another data directory");
  }
  if (!*header || (*header)->file_number != number) {
    contents_.spares.emplace_back(number, found.size);
    return {};
  }
  found.header = **header;
  if (found.header.first_lsn == 0 || found.header.first_lsn > number_max) {
    return damage(found.path,
                  "begins with the impossible frame number " + std::to_string(found.header.first_lsn));
  }
  const bool has_its_length = found.header.file_bytes == found.size;
  if (!has_its_length && !options_.salvages) {
    return damage(found.path, "has " + std::to_string(found.size) + " bytes and was made with " +
                                  std::to_string(found.header.file_bytes));
  }
  if (!has_its_length) give_up(number);
  begun_.push_back(std::move(found));
  return {};
}

bool Reader::is_covered(std::size_t index) const {
  return index + 1 < begun_.size() && begun_[index + 1].header.first_lsn <= options_.covered_lsn + 1;
}

Error Reader::sequence_error(const FoundFile& file, std::uint64_t next_lsn) const {
  const std::string why = "because " + file.path + " goes on with frame " +
                          std::to_string(file.header.first_lsn) + "; or the catalog is the older one";
  if (contents_.files.empty()) {
    return damage(options_.directory, "a file is missing: journal frame " + std::to_string(next_lsn) +
                                          " was stored and cannot be read, " + why);
  }
  const JournalFileRange& before = contents_.files.back();
  return damage_at(os::join_path(options_.directory, journal_file_name(before.number)), before.used_bytes,
                   next_lsn, why);
}

Result<void> Reader::check_sequence(const FoundFile& file, std::uint64_t next_lsn) {
  if (file.header.first_lsn <= std::max(next_lsn, options_.covered_lsn + 1)) return {};
  const Error error = sequence_error(file, next_lsn);
  if (!options_.salvages) return error;
  note_loss(next_lsn, file.header.first_lsn - 1, error);
  // It ends too early, and is kept for whoever wants to look.
  if (!contents_.files.empty()) give_up(contents_.files.back().number);
  return {};
}

Result<void> Reader::scan_all() {
  std::uint64_t next_lsn = options_.covered_lsn + 1;
  runs_.resize(begun_.size());
  for (std::size_t i = 0; i < begun_.size(); ++i) {
    if (auto scanned = scan_one(i, next_lsn); !scanned) {
      if (!passes_over(scanned.error())) return scanned;
      give_up(begun_[i].number);
    }
  }
  contents_.next_lsn = next_lsn;
  return note_newest();
}

// The range of a covered file is that between two headers: it may hold less.
Result<void> Reader::note_newest() {
  for (std::size_t i = contents_.files.size(); i > 0 && contents_.stored_lsn == 0; --i) {
    const JournalFileRange& file = contents_.files[i - 1];
    const auto begun = std::ranges::find(begun_, file.number, &FoundFile::number);
    const bool is_scanned = !is_covered(static_cast<std::size_t>(begun - begun_.begin()));
    if (auto read = is_scanned ? Result<void>() : load(*begun); !read) return read;
    const std::uint64_t last_lsn = is_scanned ? file.last_lsn : last_frame_in(bytes_, begun->header);
    if (last_lsn < file.first_lsn) continue;
    contents_.stored_lsn = last_lsn;
    contents_.newest_incarnation = begun->header.incarnation;
  }
  return {};
}

Result<void> Reader::scan_one(std::size_t index, std::uint64_t& next_lsn) {
  const FoundFile& file = begun_[index];
  const std::uint64_t first_lsn = file.header.first_lsn;
  if (is_covered(index)) {
    const std::uint64_t last_lsn = begun_[index + 1].header.first_lsn - 1;
    if (last_lsn + 1 < first_lsn) {
      return damage(begun_[index + 1].path, "begins with a lower frame number than the file before it");
    }
    contents_.files.push_back({file.number, first_lsn, last_lsn, file.size, file.size});
    return {};
  }
  if (auto follows = check_sequence(file, next_lsn); !follows) return follows;
  if (!contents_.files.empty() && first_lsn <= contents_.files.back().last_lsn) {
    return damage(file.path,
                  "begins with frame " + std::to_string(first_lsn) + ", which the file before it has");
  }
  auto run = scan(file, first_lsn);
  if (!run) return std::move(run).error();
  const Stretch& last = run->back();
  contents_.files.push_back({file.number, first_lsn, last.next_lsn - 1, file.size, last.end_position});
  next_lsn = std::max({next_lsn, last.next_lsn, options_.covered_lsn + 1});
  if (run->size() > 1 || file.header.file_bytes != file.size) give_up(file.number);
  runs_[index] = *std::move(run);
  return {};
}

Result<void> Reader::load(const FoundFile& file) {
  if (loaded_number_ == file.number) return {};
  loaded_number_ = 0;
  auto opened = options_.vfs.open(file.path, os::OpenMode::read);
  if (!opened) return std::move(opened).error();
  bytes_.resize(static_cast<std::size_t>(file.size));
  const auto read = (*opened)->read_at(bytes_, 0);
  if (!read) return read.error();
  if (*read != bytes_.size()) return damage(file.path, "became shorter while it was read");
  loaded_number_ = file.number;
  return {};
}

Result<Run> Reader::scan(const FoundFile& file, std::uint64_t first_lsn) {
  if (auto loaded = load(file); !loaded) return std::move(loaded).error();
  const std::uint64_t key = format::journal_key(file.header);
  Run run;
  std::uint64_t position = format::journal_frames_at;
  for (std::uint64_t lsn = first_lsn;;) {
    auto stretch = scan_stretch(file, key, {position, lsn, lsn, position});
    if (!stretch) return std::move(stretch).error();
    run.push_back(*stretch);
    const auto rest = base::ByteSpan(bytes_).subspan(stretch->end_position);
    // Damage among frames that are covered loses nothing by itself.
    const std::uint64_t needed_lsn = std::max(stretch->next_lsn, options_.covered_lsn + 1);
    const auto proof = format::find_proof_of_damage(rest, key, needed_lsn);
    if (!proof) return run;
    const Error error = damage_at(file.path, stretch->end_position, stretch->next_lsn,
                                  "because a frame written after it was synced is at position " +
                                      std::to_string(stretch->end_position + *proof));
    if (!options_.salvages) return error;
    const auto later = format::find_later_frame(rest, key, stretch->next_lsn);
    position = stretch->end_position + later.value_or(*proof);
    lsn = format::parse_journal_frame(base::ByteSpan(bytes_).subspan(position), key)->fields.lsn;
    note_loss(stretch->next_lsn, lsn - 1, error);
  }
}

Result<Stretch> Reader::scan_stretch(const FoundFile& file, std::uint64_t key, Stretch stretch) {
  base::ByteSpan rest = base::ByteSpan(bytes_).subspan(stretch.position);
  for (;;) {
    const auto frame = format::parse_journal_frame(rest, key);
    if (!frame || frame->fields.lsn != stretch.next_lsn) return stretch;
    if (auto checked = dispatch({stretch.next_lsn, file.path, stretch.end_position}, *frame, nullptr);
        !checked) {
      return std::move(checked).error();
    }
    const std::uint64_t bytes = format::journal_frame_bytes(frame->payload.size());
    rest = rest.subspan(std::min<std::size_t>(bytes, rest.size()));
    stretch.end_position += bytes;
    ++stretch.next_lsn;
  }
}

// Without a visitor, checks only.
Result<void> Reader::dispatch(const FramePlace& place, const format::JournalFrame& frame,
                              JournalVisitor* visitor) {
  const auto where = [&place](const Error& error) {
    return error.with_context(std::string(place.path) + ", position " + std::to_string(place.position) +
                              ", journal frame " + std::to_string(place.lsn));
  };
  if (auto known = format::check_journal_frame_is_known(frame); !known) return where(known.error());
  const auto pass = [&](const auto& parsed, auto method) -> Result<void> {
    if (!parsed) return where(parsed.error());
    return visitor != nullptr ? (visitor->*method)(place, *parsed) : Result<void>{};
  };
  switch (frame.fields.type) {
    case format::JournalFrameType::batch:
      return pass(format::parse_journal_batch(frame.payload), &JournalVisitor::batch);
    case format::JournalFrameType::synced_range:
      return pass(format::parse_journal_synced_range(frame.payload), &JournalVisitor::synced_range);
    case format::JournalFrameType::committed_offsets:
      return pass(format::parse_journal_offsets(frame.payload), &JournalVisitor::committed_offsets);
    case format::JournalFrameType::decision:
    case format::JournalFrameType::decision_at_leader: {
      auto decision = format::parse_journal_decision(frame.payload);
      if (decision)
        decision->is_at_leader = frame.fields.type == format::JournalFrameType::decision_at_leader;
      return pass(decision, &JournalVisitor::decision);
    }
    case format::JournalFrameType::forgotten_group:
      return pass(format::parse_journal_forgotten_group(frame.payload), &JournalVisitor::forgotten_group);
    case format::JournalFrameType::share_progress:
      return pass(format::parse_journal_share_progress(frame.payload), &JournalVisitor::share_progress);
    case format::JournalFrameType::share_group:
      return pass(format::parse_journal_share_group(frame.payload), &JournalVisitor::share_group);
  }
  return {};
}

Result<void> Reader::visit_all() {
  for (std::size_t i = 0; i < begun_.size(); ++i) {
    for (const Stretch& stretch : runs_[i]) {
      if (auto visited = visit(begun_[i], stretch); !visited) return visited;
    }
  }
  return {};
}

Result<void> Reader::visit(const FoundFile& file, const Stretch& stretch) {
  if (stretch.next_lsn <= options_.covered_lsn + 1) return {};
  if (auto loaded = load(file); !loaded) return loaded;
  const std::uint64_t key = format::journal_key(file.header);
  std::uint64_t position = stretch.position;
  for (std::uint64_t lsn = stretch.first_lsn; lsn < stretch.next_lsn; ++lsn) {
    const auto frame = format::parse_journal_frame(base::ByteSpan(bytes_).subspan(position), key);
    if (!frame) return damage_at(file.path, position, lsn, "and could be read a moment ago");
    if (lsn > options_.covered_lsn) {
      const FramePlace place{lsn, file.path, position};
      if (auto visited = dispatch(place, *frame, &visitor_); !visited) return visited;
      if (auto visited = visitor_.frame(place, *frame); !visited) return visited;
      ++contents_.frames_visited;
    }
    position += format::journal_frame_bytes(frame->payload.size());
  }
  return {};
}

}  // namespace

std::string journal_file_name(std::uint64_t number) {
  std::string name = std::to_string(number);
  return name.insert(0, number_digits - std::min(number_digits, name.size()), '0').append(suffix);
}

std::optional<std::uint64_t> parse_journal_file_name(std::string_view name) noexcept {
  return parse_name(name, suffix);
}

Result<JournalContents> read_journal(const ReadOptions& options, JournalVisitor& visitor) {
  return Reader(options, visitor).read();
}

}  // namespace seriatim::journal
