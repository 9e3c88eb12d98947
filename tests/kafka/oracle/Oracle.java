import java.util.Arrays;
import java.util.List;

/** Runs Kafka's own classes on files, for tests to compare with. One subcommand per class; every answer is JSON lines on stdout. */
public final class Oracle {
  private static final String USAGE = String.join("\n",
      "usage: Oracle COMMAND ...",
      "  read FILE...                         every batch and record of .log files, as Kafka's reader sees them",
      "  rebuild DIR BASE [name=value]...     LogSegment.recover of one segment; rewrites its indexes and the snapshot",
      "  load DIR [clean=true] [truncate=N] . opens the partition as a broker would, after an unclean stop by default",
      "  write DIR SCENARIO [name=value]...   a partition written by Kafka; scenario 'list' prints the names",
      "  append DIR FILE [start=N]            appends the batches of FILE byte for byte, as a follower would",
      "  compact DIR [dirty=N] [clean=true] . one pass of Kafka's cleaner",
      "  fetch DIR [from=N,N...] [bytes=N] .. what a consumer gets from each offset on, at both isolation levels",
      "  assign FILE                          what the consumer's assignors give the groups of FILE, one a line",
      "  dump ARGUMENTS...                    kafka-dump-log",
      "  each                                 runs the commands that standard input holds, one a line, words between tabs",
      "Names are topic configurations, now=MS, the clock (0 if not given), or of load and fetch start=N, where the log starts. rebuild, load, append, compact and fetch change DIR: give a copy.");

  private Oracle() {}

  public static void main(String[] arguments) {
    if (arguments.length == 0) {
      System.err.println(USAGE);
      System.exit(2);
    }
    List<String> rest = Arrays.asList(arguments).subList(1, arguments.length);
    try {
      System.exit(run(arguments[0], rest));
    } catch (Exception problem) {
      System.err.println("oracle: " + String.join(" ", arguments) + " failed:");
      problem.printStackTrace();
      System.exit(2);
    }
  }

  private static int run(String command, List<String> rest) throws Exception {
    switch (command) {
      case "read": return ReadCommand.run(rest);
      case "rebuild": return RebuildCommand.run(new Options(rest));
      case "load": return LoadCommand.run(new Options(rest));
      case "write": return WriteCommand.run(new Options(rest));
      case "append": return AppendCommand.run(new Options(rest));
      case "compact": return CompactCommand.run(new Options(rest));
      case "fetch": return FetchCommand.run(new Options(rest));
      case "assign": return AssignCommand.run(rest);
      case "each": return EachCommand.run(Oracle::run);
      case "dump":
        kafka.tools.DumpLogSegments.main(rest.toArray(new String[0]));
        return 0;
      default:
        System.err.println("oracle: no command '" + command + "'\n" + USAGE);
        return 2;
    }
  }
}
