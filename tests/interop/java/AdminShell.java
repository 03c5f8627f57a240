import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.rocketmq.tools.command.MQAdminStartup;
import org.apache.rocketmq.tools.command.SubCommand;

/**
 * Apache's own mqadmin as a conversation: runs each line of standard input as its arguments, all in this JVM, on a cluster that
 * Admin has prepared.
 *   AdminShell NAMESRV
 * Prints `name WHAT IS` for each name that lines may contain in braces, `command NAME` for each command, `ready`, and for each line what the command said and
 * then `== end`. A `~` in a line stands for a blank.
 */
public class AdminShell {
    public static void main(String[] args) {
        int status = 1;
        try {
            Admin.prepare(args[0]);
            for (Map.Entry<String, String> e : Admin.NAMES.entrySet()) Admin.OUT.println("name " + e.getKey() + " " + e.getValue());
            for (SubCommand command : Admin.commands()) Admin.OUT.println("command " + command.commandName());
            Admin.OUT.println("ready");
            System.setOut(Admin.HEARD);
            System.setErr(Admin.HEARD);
            BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line; (line = lines.readLine()) != null; ) Admin.OUT.println(said(line) + "== end");
            status = 0;
        } catch (Throwable t) {
            t.printStackTrace(Admin.OUT);
        }
        Admin.OUT.flush();
        Runtime.getRuntime().halt(status);
    }

    static String said(String line) throws Exception {
        String[] args = Admin.fill(line).split(" ");
        for (int i = 0; i < args.length; i++) args[i] = args[i].replace('~', ' ');
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        Admin.SAID.set(said);
        Admin.alone();
        String unknown = Admin.unknownOption(args);
        if (unknown != null) return unknown + "\n";
        // Some commands keep a client that they shut down: each line gets commands of its own.
        Admin.forgetCommands();
        MQAdminStartup.main0(args, null);
        String text = said.toString("UTF-8");
        return text.isEmpty() || text.endsWith("\n") ? text : text + "\n";
    }
}
