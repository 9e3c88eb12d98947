import java.util.function.Supplier;
import org.apache.kafka.common.utils.Time;

/** A clock that the commands set, so that a run gives the same bytes every time. Kafka's own mock is not in the published jars. */
final class FixedTime implements Time {
  private long nowMs;

  FixedTime(long nowMs) {
    this.nowMs = nowMs;
  }

  void set(long ms) {
    nowMs = ms;
  }

  @Override
  public long milliseconds() {
    return nowMs;
  }

  @Override
  public long nanoseconds() {
    return nowMs * 1_000_000L;
  }

  @Override
  public void sleep(long ms) {
    nowMs += ms;
  }

  @Override
  public void waitObject(Object object, Supplier<Boolean> condition, long deadlineMs) {
    if (!condition.get()) throw new IllegalStateException("nothing else runs here that could fulfil the condition");
  }
}
