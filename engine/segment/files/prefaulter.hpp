// Makes pages present ahead of an appender, on another thread than the appender's.
#pragma once

#include <memory>

namespace seriatim::segment {

class Segment;

class Prefaulter {
 public:
  virtual ~Prefaulter() = default;
  /// Have `segment->prefault()` called soon, or never: the appender then does that work itself, when it gets
  /// there. Called with the partition's append mutex held: must be quick and must not call back.
  virtual void request(std::shared_ptr<Segment> segment) noexcept = 0;
};

}  // namespace seriatim::segment
