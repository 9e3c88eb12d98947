// `LogReader`, and `Engine::reader`.
#include <seriatim/log_reader.hpp>

#include <algorithm>
#include <utility>

#include <seriatim/exception.hpp>

#include "base/moved_from.hpp"
#include "consumer/file_slice_impl.hpp"
#include "consumer/log_reader_impl.hpp"
#include "consumer/partition_reader.hpp"
#include "directory/option_rules.hpp"
#include "os/file/sendfile.hpp"
#include "partition/read/backward_cursor.hpp"
#include "partition/read/fetched_records.hpp"
#include "partition/segment_retry.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t read_records_max = 1'000'000;  // as ConsumerOptions::max_poll_records

Result<> check_count(std::size_t records) {
  if (records >= 1 && records <= read_records_max) return {};
  return Error(Errc::invalid_argument,
               "cannot read " + std::to_string(records) + " records at once; ask for 1 to 1'000'000");
}

// Collects the records of a partition from the back, so that those of one batch have to be turned round.
class BackwardReader {
 public:
  BackwardReader(const detail::LogReaderImpl& reader, Offset before, std::size_t records_max)
      : reader_(reader),
        before_(before),
        bound_(reader.is_committed_only() ? reader.log->last_stable_offset() : reader.log->high_watermark()),
        records_max_(records_max),
        cursor_(reader.log),
        aborted_(*reader.log),
        start_(reader.log->log_start_offset()) {}

  Result<std::unique_ptr<detail::ConsumerRecordsImpl>> read() {
    auto out = reader_.pool->take_records();
    auto outcome = fill(*out);
    if (!outcome) {
      detail::ConsumerRecordsImpl::recycle(std::move(out));
      return outcome.error();
    }
    if (!out->views.empty())
      out->ranges.push_back({reader_.name, 0, out->views.size(), out->views.front().offset() + 1});
    return out;
  }

 private:
  Result<> fill(detail::ConsumerRecordsImpl& out) {
    if (auto placed = cursor_.seek(before_); !placed) return placed;
    if (bound_ < before_) {
      // Records that are not decided yet can only lie behind the end.
      before_ = std::max(bound_, start_);
      if (auto placed = cursor_.seek(before_); !placed) return placed;
    }
    partition::FetchedBatch batch;
    while (out.views.size() < records_max_) {
      auto step = cursor_.previous(batch);
      if (!step) return step.error();
      if (*step == partition::FetchCursor::Step::end) break;
      auto hidden = is_hidden(batch);
      if (!hidden) return hidden.error();
      if (*hidden) continue;
      if (auto added = add(batch, out); !added) return added;
    }
    out.views.truncate(records_max_);
    return {};
  }

  Result<bool> is_hidden(const partition::FetchedBatch& batch) {
    if (batch.header.is_control()) return true;
    if (!reader_.is_committed_only() || !batch.header.is_transactional()) return false;
    // Asked about the whole segment at once: the batches before this one are next.
    return aborted_.contain(batch, (*batch.segment)->base_offset(), bound_);
  }

  Result<> add(const partition::FetchedBatch& batch, detail::ConsumerRecordsImpl& out) {
    consumer::SectionRef buffer;
    if (batch.header.codec() != format::Codec::none) {
      buffer = reader_.pool->take_section();
      out.sections.push_back(buffer);
    } else if (out.pins.empty() || out.pins.back() != *batch.pin) {
      out.pins.push_back(*batch.pin);
    }
    auto section = partition::record_section(*reader_.log, batch, buffer ? buffer.bytes() : no_buffer_);
    if (!section) return section.error();
    const std::size_t first = out.views.size();
    auto records = partition::records_of(batch.header, *section);
    format::DecodedRecord record;
    for (Offset next = batch.header.base_offset;;) {
      const auto step = records.next(record);
      if (step == format::RecordCursor::Step::malformed)
        return partition::malformed_records(*reader_.log, batch, next);
      if (step == format::RecordCursor::Step::end) break;
      const Offset offset = batch.header.base_offset + record.offset_delta;
      next = offset + 1;
      if (offset < start_ || offset >= before_) continue;
      detail::RecordViewAccess::set(*out.views.room_for(1), reader_.name.get(), offset,
                                    batch.header.record_timestamp_ms(record.timestamp_delta), record);
      out.views.added(1);
    }
    std::reverse(out.views.begin() + first, out.views.end());
    return {};
  }

  const detail::LogReaderImpl& reader_;
  Offset before_;
  Offset bound_;
  std::size_t records_max_;
  partition::BackwardCursor cursor_;
  partition::AbortedTransactions aborted_;
  Offset start_;
  std::vector<std::byte> no_buffer_{};
};

}  // namespace

Result<LogReader> Engine::reader(const TopicPartition& topic_partition, LogReaderOptions options) const try {
  if (!impl_) return base::moved_from("Engine");
  return detail::LogReaderImpl::create(impl_, topic_partition, options);
} catch (...) {
  return current_error();
}

namespace detail {

Result<LogReader> LogReaderImpl::create(std::shared_ptr<EngineImpl> engine,
                                        const TopicPartition& topic_partition,
                                        const LogReaderOptions& options) {
  if (auto checked = directory::check_choices(directory::log_reader_choice_rules(), options); !checked)
    return checked.error();
  auto log = engine->partition_log(topic_partition.topic, topic_partition.partition);
  if (!log) return log.error();
  return LogReader(std::make_shared<const LogReaderImpl>(std::move(engine), *std::move(log), options));
}

Result<> LogReaderImpl::prepare() const {
  if (auto usable = engine->check_usable(); !usable) return usable;
  if (auto looked = log->refresh(); !looked) return looked;
  if (!log->is_deleted()) return {};
  return Error(Errc::unknown_topic_or_partition,
               "topic " + name->topic + " was deleted; make a reader of another one");
}

Result<ConsumerRecords> LogReaderImpl::read_forward(Offset from, std::size_t max_records) const {
  if (auto prepared = prepare(); !prepared) return prepared.error();
  if (auto checked = check_count(max_records); !checked) return checked.error();
  if (from < log->log_start_offset() || from > log->high_watermark())
    return partition::out_of_range(*log, from);
  consumer::PartitionReader feed(log, name, pool);
  if (!is_committed_only()) feed.show_uncommitted();
  feed.seek(from);
  auto out = pool->take_records();
  // The number of records is the only bound.
  consumer::FetchBudget budget{.records_left = max_records, .bytes_left = static_cast<std::size_t>(-1)};
  auto taken = feed.take(budget, *out, feed.visible_end());
  if (taken) return ConsumerRecordsImpl::wrap(std::move(out));
  ConsumerRecordsImpl::recycle(std::move(out));
  return taken.error();
}

Result<ConsumerRecords> LogReaderImpl::read_backward(Offset before, std::size_t max_records) const {
  if (auto prepared = prepare(); !prepared) return prepared.error();
  if (auto checked = check_count(max_records); !checked) return checked.error();
  auto read =
      partition::retry_if_replaced(*log, [&] { return BackwardReader(*this, before, max_records).read(); });
  if (!read) return read.error();
  return ConsumerRecordsImpl::wrap(*std::move(read));
}

}  // namespace detail

LogReader::LogReader(std::shared_ptr<const detail::LogReaderImpl> impl) noexcept : impl_(std::move(impl)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

Result<FileSlice> LogReader::fetch(Offset from, std::size_t max_bytes) const try {
  if (!impl_) return base::moved_from("LogReader");
  if (auto prepared = impl_->prepare(); !prepared) return prepared.error();
  if (max_bytes < 1 || max_bytes > partition::slice_bytes_max) {
    return Error(Errc::invalid_argument, "cannot fetch up to " + std::to_string(max_bytes) +
                                             " bytes; ask for 1 to " +
                                             std::to_string(partition::slice_bytes_max));
  }
  auto slice = partition::fetch_slice(impl_->log, from, max_bytes);
  if (!slice) return slice.error();
  return detail::FileSliceImpl::wrap(*std::move(slice));
} catch (...) {
  return current_error();
}

Result<std::size_t> LogReader::send_to(int out_fd, const FileSlice& slice, std::size_t already_sent) const
    try {
  if (!impl_) return base::moved_from("LogReader");
  if (auto usable = impl_->engine->check_usable(); !usable) return usable.error();
  if (already_sent > slice.size()) {
    return Error(Errc::invalid_argument, "already_sent is " + std::to_string(already_sent) +
                                             ", beyond the slice's " + std::to_string(slice.size()) +
                                             " bytes; add up what send_to returned for this slice");
  }
  if (already_sent == slice.size()) return std::size_t{0};
  auto sent =
      os::send_range(out_fd, slice.fd(), slice.position() + already_sent, slice.size() - already_sent);
  if (sent) impl_->engine->counters.sent_bytes.add(*sent);
  return sent;
} catch (...) {
  return current_error();
}

Result<ConsumerRecords> LogReader::read(Offset from, std::size_t max_records) const try {
  if (!impl_) return base::moved_from("LogReader");
  return impl_->read_forward(from, max_records);
} catch (...) {
  return current_error();
}

Result<ConsumerRecords> LogReader::read_backward(Offset before, std::size_t max_records) const try {
  if (!impl_) return base::moved_from("LogReader");
  return impl_->read_backward(before, max_records);
} catch (...) {
  return current_error();
}

Result<ConsumerRecords> LogReader::record_at(Offset offset) const try {
  if (!impl_) return base::moved_from("LogReader");
  auto found = impl_->read_forward(offset, 1);
  if (!found) return found;
  if (found->empty() && offset >= impl_->log->high_watermark())
    return partition::out_of_range(*impl_->log, offset);
  if (!found->empty() && (*found)[0].offset() != offset) return ConsumerRecords();
  return found;
} catch (...) {
  return current_error();
}

Offset LogReader::log_start_offset() const noexcept { return impl_ ? impl_->log->log_start_offset() : -1; }
Offset LogReader::high_watermark() const noexcept { return impl_ ? impl_->log->high_watermark() : -1; }
Offset LogReader::last_stable_offset() const noexcept {
  return impl_ ? impl_->log->last_stable_offset() : -1;
}
Offset LogReader::log_end_offset() const noexcept { return impl_ ? impl_->log->log_end_offset() : -1; }

}  // namespace v0
}  // namespace seriatim
