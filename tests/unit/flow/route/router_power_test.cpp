// INV-4 for routers, through power cuts and kills at every call that changes something on the disk.
#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "crash/power_recovery.hpp"
#include "support/power_vfs.hpp"
#include "support/random.hpp"
#include "unit/flow/route/router_fixture.hpp"

namespace seriatim::test {
namespace {

/// All that the router has acknowledged so far, and what it is about to do.
struct RouterPromises {
  int published = 0;  ///< Messages 1 .. published are in their topics.
  int tried = 0;      ///< No later one may be.
  std::size_t bindings_least = 0;
  std::size_t bindings_most = 0;
};

std::vector<std::string> routed_values(const Engine& engine, const char* topic) {
  return committed_values(engine, topic);
}

// Every message went to a and b at least; from the third binding on to c as well.
void check_router_image(const std::string& image, const RouterPromises& promises, bool is_power_cut,
                        Acks acks) {
  const Engine engine = open_power_engine(image, os::posix_vfs());
  const auto in_a = routed_values(engine, "a");
  const auto in_b = routed_values(engine, "b");
  const auto in_c = routed_values(engine, "c");
  if (in_a != in_b)
    throw CrashFault("a and b differ: " + std::to_string(in_a.size()) + ", " + std::to_string(in_b.size()));
  const bool must_be_there = acks == Acks::all || !is_power_cut;
  if (must_be_there && static_cast<int>(in_a.size()) < promises.published)
    throw CrashFault("an acknowledged publish is lost");
  if (static_cast<int>(in_a.size()) > promises.tried) throw CrashFault("there is what nobody published");
  for (std::size_t i = 0; i < in_a.size(); ++i) {
    if (in_a[i] != std::to_string(i + 1))
      throw CrashFault("message " + std::to_string(i + 1) + " is missing");
  }
  if (in_c.size() > in_a.size()) throw CrashFault("c has a message that a has not");
  const auto bindings = needed(list_bindings(engine, "r"));
  if (bindings.size() < promises.bindings_least || bindings.size() > promises.bindings_most)
    throw CrashFault("there are " + std::to_string(bindings.size()) + " bindings");
  // A message came to c by the third binding, which is older.
  if (!in_c.empty() && bindings.size() < 3) throw CrashFault("c has a message, and the binding is gone");
  if (!in_c.empty() && (in_a.back() != in_c.back()))
    throw CrashFault("a message is in a and b, but not in c");
}

class RouterHistory {
 public:
  RouterHistory(const TempDir& scratch, Random& random, Acks acks)
      : scratch_(scratch), random_(random), acks_(acks) {}

  int images() const { return images_; }

  void play() {
    const std::string root = scratch_ / "live";
    needed(os::posix_vfs().create_directory(root));
    PowerVfs vfs(std::make_unique<PowerDisk>(root));
    bool is_watching = false;
    vfs.before_change = [&](std::string_view, const std::string&, PowerDisk& disk) {
      if (is_watching) look(disk);
    };
    {
      const Engine engine = open_power_engine(root, vfs);
      detail::EngineImpl::of(engine)->background->stop();
      for (const char* topic : {"a", "b", "c", "other"}) create_topic(engine, topic);
      Router router = needed(Router::open(engine, {.name = "r", .acks = acks_}));
      is_watching = true;
      change(router, {.bind = {everything("a"), everything("b")}}, 2);
      for (int i = 0; i < 4; ++i) publish(router);
      change(router, {.bind = {everything("c")}}, 1);
      for (int i = 0; i < 4; ++i) publish(router);
      is_watching = false;
    }
    if (!fault_.empty()) FAIL(fault_);
    std::filesystem::remove_all(root);
  }

 private:
  void change(Router& router, const BindingChange& what, std::size_t count) {
    promises_.bindings_most += count;
    needed(router.change(what));
    promises_.bindings_least += count;
  }
  void publish(Router& router) {
    const std::string value = std::to_string(++promises_.tried);
    needed(router.publish({.routing_key = "k", .record = {.value = value}}));
    ++promises_.published;
  }

  // In a thread of its own: the engine keeps buffers by thread, and the caller is in the middle of using
  // them.
  void look(PowerDisk& disk) {
    std::thread([&] {
      for (const bool is_power_cut : {true, true, false}) {
        const std::string image = scratch_ / std::to_string(++images_);
        try {
          is_power_cut ? disk.power_cut(image, random_) : disk.kill(image);
          check_router_image(image, promises_, is_power_cut, acks_);
        } catch (const std::exception& failure) {  // Nothing may be thrown through the engine.
          fault_ = std::string(is_power_cut ? "after a power cut: " : "after a kill: ") + failure.what();
        }
        std::filesystem::remove_all(image);
      }
    }).join();
  }

  const TempDir& scratch_;
  Random& random_;
  const Acks acks_;
  RouterPromises promises_{};
  int images_ = 0;
  std::string fault_{};
};

}  // namespace

TEST_CASE(
    "INV-4: a power cut or kill at any call leaves a message in all topics or none, and bindings whole") {
  Random random("power cuts of a router");
  int images = 0;
  for (const Acks acks : {Acks::all, Acks::leader}) {
    CAPTURE(static_cast<int>(acks));
    const TempDir scratch;
    RouterHistory history(scratch, random, acks);
    history.play();
    images += history.images();
  }
  CHECK(images > 60);
}

}  // namespace seriatim::test
