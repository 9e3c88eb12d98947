// `Engine`: the public handle, a few lines over EngineImpl.
#include <seriatim/engine.hpp>

#include <utility>

#include <seriatim/exception.hpp>

#include "base/clock.hpp"
#include "base/moved_from.hpp"
#include "delivery/delivery_thread.hpp"
#include "directory/background.hpp"
#include "directory/engine_impl.hpp"
#include "directory/engine_metrics.hpp"
#include "os/file/posix_vfs.hpp"

namespace seriatim {
inline namespace v0 {

Result<Engine> Engine::open(const std::filesystem::path& dir, EngineOptions options) try {
  auto impl = detail::EngineImpl::open(dir, std::move(options), os::posix_vfs(), base::system_clock());
  if (!impl) return impl.error();
  return Engine(*std::move(impl));
} catch (...) {
  return current_error();
}

Engine::Engine(std::shared_ptr<detail::EngineImpl> impl) noexcept : impl_(std::move(impl)) {}
Engine::Engine(const Engine&) noexcept = default;
Engine& Engine::operator=(const Engine&) noexcept = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Admin Engine::admin() const { return Admin(impl_); }
Metrics Engine::metrics() const { return impl_ ? directory::metrics_of(*impl_) : Metrics(); }
const std::filesystem::path& Engine::directory() const noexcept {
  static const std::filesystem::path nowhere;
  return impl_ ? impl_->directory : nowhere;
}
Result<> Engine::flush() const try {
  if (!impl_) return base::moved_from("Engine");
  return impl_->flush();
} catch (...) {
  return current_error();
}

Result<> Engine::close() const try {
  if (!impl_) return base::moved_from("Engine");
  if (auto usable = impl_->check_usable(); !usable && usable.error().code() != Errc::closed) return usable;
  if (impl_->delivery && impl_->delivery->is_current()) {
    return Error(Errc::invalid_state,
                 "close waits for the outcomes of sends, and this is the thread that delivers them (a "
                 "callback, or a coroutine that a send "
                 "resumed); call it from another thread");
  }
  if (impl_->background && impl_->background->tasks().is_current()) {
    return Error(Errc::invalid_state,
                 "close waits for the tasks that run, and this is within one; call it from another thread");
  }
  return impl_->close();
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
