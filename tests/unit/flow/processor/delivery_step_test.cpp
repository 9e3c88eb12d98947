// The guarantee of each delivery: when the process dies in the middle of a batch, and when the handler fails.
#include "flow/processor/delivery_step.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "unit/flow/processor/processor_fixture.hpp"

namespace seriatim::test {
namespace {

/// Of the processor that dies: which record was handled last, and a copy of the directory at that moment.
struct Death {
  Values handled{};
  std::string copy{};
};

/// Handles until the record `dies_at`, whose handler has sent its output, and where the process dies.
Death die_at(const ProcessorFixture& f, const TempDir& to, Delivery delivery, const std::string& dies_at) {
  Death death;
  Processor* self = nullptr;
  Processor processor = f.open(processing(delivery), [&](const RecordView& record, ProcessorOutput& output) {
    death.handled.push_back(value_of(record));
    auto sent = copy_out(record, output);
    if (delivery == Delivery::exactly_once) {
      auto table = must(output.state("count"));
      const auto before = must(table.get("n"));
      must(table.put("n", std::string(before ? before->size() + 1 : 1, 'x')));
    }
    if (value_of(record) == dies_at) {
      death.copy = copy_of(f.engine, to);
      self->stop();  // The one that lives on finishes its batch.
    }
    return sent;
  });
  self = &processor;
  must(processor.run());
  return death;
}

/// Fails at `fails_at` after its output was sent.
ProcessorHandler fails_at(std::string value, Values& handled) {
  return [value = std::move(value), &handled](const RecordView& record, ProcessorOutput& output) -> Result<> {
    if (auto sent = copy_out(record, output); !sent) return sent;
    if (value_of(record) == value) throw std::runtime_error("no");
    handled.push_back(value_of(record));
    return {};
  };
}

}  // namespace

TEST_CASE("at most once: a process that dies in a batch loses what is left of it, and repeats nothing") {
  const ProcessorFixture f;
  const TempDir to;
  const Death death = die_at(f, to, Delivery::at_most_once, "7");
  CHECK(death.handled == values_from(0, 10));  // the batch is finished by the one that went on living
  const Engine again = open_engine(death.copy);
  CHECK(process_rest(again, Delivery::at_most_once).empty());
  CHECK(committed_values(again, "out") == values_from(0, 8));
}

TEST_CASE("at least once: a process that dies in a batch repeats it from its beginning, and loses nothing") {
  const ProcessorFixture f;
  const TempDir to;
  const Death death = die_at(f, to, Delivery::at_least_once, "7");
  const Engine again = open_engine(death.copy);
  CHECK(process_rest(again, Delivery::at_least_once) == values_from(5, 10));
  Values expected = values_from(0, 8);
  for (const std::string& value : values_from(5, 10)) expected.push_back(value);
  CHECK(committed_values(again, "out") == expected);
}

TEST_CASE(
    "exactly once: outputs, state and positions of a process that dies in a batch are all there, once") {
  const ProcessorFixture f;
  const TempDir to;
  const Death death = die_at(f, to, Delivery::exactly_once, "7");
  const Engine again = open_engine(death.copy);
  CHECK(state_text(again, "count", "n") == "xxxxx");
  CHECK(process_rest(again, Delivery::exactly_once) == values_from(5, 10));
  CHECK(committed_values(again, "out") == values_from(0, 10));
  CHECK(committed_offset(again, "g", {"in", 0}) == 10);
  // The one that lived on.
  CHECK(f.out() == values_from(0, 10));
  CHECK(state_text(f.engine, "count", "n") == std::string(10, 'x'));
}

TEST_CASE(
    "exactly once: a transaction that is aborted leaves no positions, whenever the process dies behind it") {
  const ProcessorFixture f;
  const TempDir to;
  std::string copy;
  int last_of_batch = 0;
  Processor processor =
      f.open(processing(Delivery::exactly_once), [&](const RecordView& record, ProcessorOutput& output) {
        if (value_of(record) == "0" && last_of_batch == 1 && copy.empty()) copy = copy_of(f.engine, to);
        auto sent = copy_out(record, output);
        if (value_of(record) == "4" && ++last_of_batch == 1) must(f.engine.admin().abort_transaction("g-0"));
        return sent;
      });
  must(drain(processor));
  CHECK(f.out() == values_from(0, 10));
  const Engine again = open_engine(copy);
  CHECK(process_rest(again, Delivery::exactly_once) == values_from(0, 10));
  CHECK(committed_values(again, "out") == values_from(0, 10));
}

TEST_CASE(
    "exactly once holds when the handler fails at each record once, and the engine is opened again each "
    "time") {
  TempDir directory;
  {
    const Engine engine = open_engine(directory / "data");
    create_topic(engine, "in");
    create_topic(engine, "out");
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 10; ++i) must(producer.send_sync({.topic = "in", .value = std::to_string(i)}));
  }
  for (int failing = 0; failing < 10; ++failing) {
    const Engine engine = open_engine(directory / "data");
    Values handled;
    Processor processor = must(Processor::open(engine, processing(Delivery::exactly_once),
                                               fails_at(std::to_string(failing), handled)));
    // The batch of the first five is committed by the first run that does not fail in it.
    CHECK_FALSE(drain(processor));
    CHECK(committed_values(engine, "out") == values_from(0, failing < 5 ? 0 : 5));
  }
  const Engine engine = open_engine(directory / "data");
  CHECK(process_rest(engine, Delivery::exactly_once) == values_from(5, 10));
  CHECK(committed_values(engine, "out") == values_from(0, 10));
}

TEST_CASE("stop: at least once commits what was handled before, and the record comes again") {
  const ProcessorFixture f;
  Values handled;
  Processor processor = f.open(processing(Delivery::at_least_once), fails_at("7", handled));
  const auto failed = drain(processor);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message().find("handling in-0 offset 7") != std::string::npos);
  CHECK(handled == values_from(0, 7));
  CHECK(f.committed() == 7);
  CHECK(process_rest(f.engine, Delivery::at_least_once) == values_from(7, 10));
}

TEST_CASE("stop: at most once goes on behind the record, and gives back what it has not handled") {
  const ProcessorFixture f;
  Values handled;
  Processor processor = f.open(processing(Delivery::at_most_once), fails_at("6", handled));
  CHECK_FALSE(drain(processor));
  CHECK(handled == values_from(0, 6));
  CHECK(f.committed() == 7);
  CHECK(process_rest(f.engine, Delivery::at_most_once) == values_from(7, 10));
}

TEST_CASE("stop: exactly once keeps nothing of the batch") {
  const ProcessorFixture f;
  Values handled;
  Processor processor = f.open(processing(Delivery::exactly_once), fails_at("7", handled));
  CHECK_FALSE(drain(processor));
  CHECK(f.committed() == 5);
  CHECK(f.out() == values_from(0, 5));
  CHECK(process_rest(f.engine, Delivery::exactly_once) == values_from(5, 10));
  CHECK(f.out() == values_from(0, 10));
}

TEST_CASE("skip: exactly once keeps no output of the record, and all of those around it, once") {
  const ProcessorFixture f;
  Values handled;
  Processor processor =
      f.open(processing(Delivery::exactly_once, [](const ProcessorFailure&) { return OnFailure::skip; }),
             fails_at("7", handled));
  must(drain(processor));
  Values expected = values_from(0, 10);
  expected.erase(expected.begin() + 7);
  CHECK(f.out() == expected);
  CHECK(f.committed() == 10);
}

TEST_CASE("skip: at least once goes on behind the record, whose output was sent") {
  const ProcessorFixture f;
  Values handled;
  Processor processor =
      f.open(processing(Delivery::at_least_once, [](const ProcessorFailure&) { return OnFailure::skip; }),
             fails_at("7", handled));
  must(drain(processor));
  CHECK(f.out() == values_from(0, 10));
  CHECK(handled.size() == 9);
  CHECK(f.committed() == 10);
}

TEST_CASE("at least once: positions wait for outputs that are on their way to stable storage") {
  const ProcessorFixture f;
  ProcessorOptions options = processing(Delivery::at_least_once);
  options.acks = Acks::all;
  Processor processor = f.open(options, copy_out);
  must(drain(processor));
  CHECK(f.out() == values_from(0, 10));
  CHECK(must(f.engine.admin().describe_topic("out")).partitions[0].durable_offset == 10);
  CHECK(f.committed() == 10);
}

TEST_CASE(
    "state and the transaction are there under exactly once alone; an output that is refused is the "
    "handler's to return") {
  for (const Delivery delivery : {Delivery::at_most_once, Delivery::at_least_once, Delivery::exactly_once}) {
    const ProcessorFixture f(1);
    Errc state{};
    Errc transaction{};
    Processor processor = f.open(processing(delivery), [&](const RecordView&, ProcessorOutput& output) {
      state = code_of(output.state("s"));
      transaction = code_of(output.transaction());
      return output.send({.topic = "none", .value = "v"});
    });
    CHECK(code_of(drain(processor)) == Errc::unknown_topic_or_partition);
    CHECK(state == (delivery == Delivery::exactly_once ? Errc{} : Errc::invalid_state));
    CHECK(transaction == state);
  }
}

TEST_CASE("exactly once: whoever opens the group's transactional ids later fences the one before") {
  const ProcessorFixture f;
  Values handled;
  Processor first = f.open(processing(Delivery::exactly_once), copy_out);
  CHECK(must(first.run_once(std::chrono::milliseconds(0))) == 5);
  ProcessorOptions other = processing(Delivery::exactly_once);
  other.group_id = "h";
  other.transactional_id = "g";
  Processor second = f.open(other, copy_out);
  CHECK(must(second.run_once(std::chrono::milliseconds(0))) == 5);
  CHECK(code_of(first.run_once(std::chrono::milliseconds(0))) == Errc::producer_fenced);
  CHECK(code_of(first.run_once(std::chrono::milliseconds(0))) == Errc::closed);
}

}  // namespace seriatim::test
