import java.util.concurrent.ScheduledFuture;
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
    return null;
  }

  @Override
  public void resizeThreadPool(int threads) {}
}
