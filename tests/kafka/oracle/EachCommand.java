import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs the commands that standard input holds, one a line, words between tabs: a virtual machine starts once for all of them. */
final class EachCommand {
  /** One command of Oracle. */
  interface Runner {
    int run(String command, List<String> rest) throws Exception;
  }

  private EachCommand() {}

  /** After what a command prints comes a line with its exit code; the first that is not 0 ends the run. */
  static int run(Runner runner) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    int code = 0;
    for (String line = lines.readLine(); line != null && code == 0; line = lines.readLine()) {
      List<String> words = List.of(line.split("\t"));
      code = runner.run(words.get(0), words.subList(1, words.size()));
      System.out.println(new Json().put("exit_code", code));
    }
    return code;
  }
}
