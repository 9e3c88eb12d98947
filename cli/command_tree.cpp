#include "command_tree.hpp"

namespace seriatim::cli {

Command make_command_tree(GlobalOptions& options) {
  Command root{.name = "seriatim",
               .summary = "Looks into and works on a seriatim data directory: topics, partitions, records."};
  root.options = {
      {.names = "-d,--dir",
       .value_name = "DIR",
       .help = "Data directory (default: $SERIATIM_DIR, else the nearest seriatim-data upward)",
       .target = &options.directory},
      {.names = "--output",
       .help = "Form of listings",
       .target = &options.output,
       .choices = {"table", "json", "jsonl", "tsv"}},
      {.names = "-j,--json", .help = "The same as --output json", .target = &options.json},
      {.names = "-q,--quiet", .help = "No notes, no progress", .target = &options.quiet},
  };
  root.children = {topic_command(),       produce_command(),  consume_command(), tail_command(),
                   get_command(),         count_command(),    status_command(),  du_command(),
                   group_command(),       relay_command(),    work_command(),    share_command(),
                   transaction_command(), producer_command(), state_command(),   half_command(),
                   delayed_command(),     dlq_command(),      dedupe_command(),  route_command(),
                   dump_command(),        verify_command(),   repair_command(),  perf_command()};
  // The completion describes the tree without itself: what completes commands is set up once and not
  // completed.
  Command completion = completion_command(root);
  root.children.push_back(std::move(completion));
  return root;
}

}  // namespace seriatim::cli
