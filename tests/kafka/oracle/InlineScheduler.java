import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.server.util.Scheduler;

/** Runs one-off tasks (flushes, delayed deletes) at once in the caller's thread and leaves periodic ones out. */
final class InlineScheduler implements Scheduler {
  @Override
  public void startup() {}

  @Override
  public void shutdown() {}

  @Override
  public ScheduledFuture<?> schedule(String name, Runnable task, long delayMs, long periodMs) {
    if (periodMs < 0) task.run();
    return new Done();
  }

  @Override
  public void resizeThreadPool(int threads) {}

  /** Kafka cancels its periodic tasks when a log is closed; there is nothing left to cancel here. */
  private static final class Done implements ScheduledFuture<Object> {
    @Override
    public long getDelay(TimeUnit unit) {
      return 0;
    }

    @Override
    public int compareTo(Delayed other) {
      return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
    }

    @Override
    public boolean cancel(boolean interrupt) {
      return false;
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public boolean isDone() {
      return true;
    }

    @Override
    public Object get() {
      return null;
    }

    @Override
    public Object get(long timeout, TimeUnit unit) {
      return null;
    }
  }
}
