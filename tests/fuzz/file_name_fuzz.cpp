// Names found in a data directory: what parses is formatted back to the same name.
#include "fuzz/fuzz.hpp"

#include <optional>
#include <string_view>

#include "format/file_name.hpp"
#include "format/topic_name.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace seriatim::format;
  const std::string_view name = seriatim::base::as_text(seriatim::test::fuzz_input(data, size));
  const std::optional<FileName> file = parse_file_name(name);
  if (file.has_value()) SERIATIM_ASSERT(file_name(file->offset, file->kind, file->state) == name);

  const std::optional<PartitionDirectory> directory = parse_partition_directory(name);
  if (directory.has_value()) {
    const auto& [topic, partition] = directory->topic_partition;
    SERIATIM_ASSERT(is_topic_name(topic) && partition >= 0);
    const std::string live = partition_directory(topic, partition);
    SERIATIM_ASSERT(directory->state == DirectoryState::live ? live == name : name.starts_with(live));
  }

  const bool legal = is_topic_name(name);
  SERIATIM_ASSERT(check_topic_name(name).ok() == legal);
  if (legal) SERIATIM_ASSERT(parse_partition_directory(partition_directory(name, 7)).has_value());
  return 0;
}
