// Our assignors as the counterpart of Kafka's: groups by chance, and what ours assign.
#include <charconv>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/assignor.hpp>

#include "group/assign/assign.hpp"
#include "support/random_group.hpp"

namespace {

using seriatim::Assignment;
using seriatim::AssignmentRequest;
using seriatim::Assignor;
using seriatim::TopicPartition;
using seriatim::test::RandomGroup;

constexpr int exit_failed = 2;
constexpr int generations = 5;
constexpr std::string_view usage =
    "usage: group_tool play FIRST COUNT REQUESTS ANSWERS   plays COUNT groups, from the seed FIRST on, with "
    "each assignor; writes what is asked, and what ours answer, line by line\n";

constexpr std::pair<Assignor, std::string_view> assignors[] = {
    {Assignor::uniform, "uniform"},
    {Assignor::range, "range"},
    {Assignor::roundrobin, "roundrobin"},
    {Assignor::sticky, "sticky"},
    {Assignor::cooperative_sticky, "cooperative-sticky"}};

std::string word(const std::string& text) { return text; }
std::string word(const TopicPartition& at) { return at.topic + ":" + std::to_string(at.partition); }

template <class Items>
std::string list(const Items& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + word(item);
  return text.empty() ? "-" : text;
}

std::string request_line(std::string_view assignor, const AssignmentRequest& request) {
  std::string topics;
  for (const auto& [topic, count] : request.partitions) {
    topics += (topics.empty() ? "" : " ") + topic + "=" + std::to_string(count);
  }
  std::string line = std::string(assignor) + "\t" + (topics.empty() ? "-" : topics);
  for (const auto& member : request.members) {
    line += "\t" + member.member_id + " " + member.group_instance_id.value_or("-") + " " +
            list(member.topics) + " " + list(member.owned);
  }
  return line;
}

std::string answer_line(const Assignment& assignment) {
  std::string line;
  for (const auto& [member, partitions] : assignment) {
    line += (line.empty() ? "" : "\t") + member + " " + list(partitions);
  }
  return line;
}

/// A history of one group with one assignor.
class Play {
 public:
  Play(std::ostream& requests, std::ostream& answers) : requests_(requests), answers_(answers) {}

  void run(std::uint64_t seed, Assignor assignor, std::string_view name) {
    RandomGroup group(seed);
    const bool is_sticky = assignor == Assignor::sticky || assignor == Assignor::cooperative_sticky;
    for (int generation = 0; generation < generations; ++generation) {
      if (generation > 0) group.change();
      if (is_sticky && generation == generations - 1 && seed % 4 == 0) group.claim_twice();
      ask(group, assignor, name);
      if (assignor == Assignor::cooperative_sticky) ask(group, assignor, name);  // the second round
    }
  }

 private:
  void ask(RandomGroup& group, Assignor assignor, std::string_view name) {
    requests_ << request_line(name, group.request()) << std::endl;  // there if the answer never comes
    const auto answer = seriatim::group::assign::assign(assignor, group.request());
    answers_ << answer_line(answer) << '\n';
    group.settle(answer);
  }

  std::ostream& requests_;
  std::ostream& answers_;
};

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, value).ptr != end) {
    throw std::invalid_argument("'" + text + "' is not a number");
  }
  return value;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 5 || arguments[0] != "play") {
    std::cerr << usage;
    return exit_failed;
  }
  std::ofstream requests(arguments[3], std::ios::trunc);
  std::ofstream answers(arguments[4], std::ios::trunc);
  Play play(requests, answers);
  const std::uint64_t first = number(arguments[1]);
  const std::uint64_t count = number(arguments[2]);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    for (const auto& [assignor, name] : assignors) play.run(seed, assignor, name);
  }
  requests.close();
  answers.close();
  if (requests && answers) return 0;
  std::cerr << "group_tool: '" << arguments[3] << "' or '" << arguments[4] << "' cannot be written\n";
  return exit_failed;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& problem) {
    std::cerr << "group_tool: " << problem.what() << '\n';
  }
  return exit_failed;
}
