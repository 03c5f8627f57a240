import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.EvaluationContext;
import org.apache.rocketmq.filter.expression.Expression;

/**
 * What Apache's own filter says of SQL92 expressions. Standard input holds length-prefixed UTF-8 texts: the number of property
 * sets, for each the number of its texts and these (name, value, ...), then expressions to the end. One line per expression: a
 * letter per set, True False Null eXception Other; R alone when the expression is refused.
 */
public final class SqlVerdicts {
    private static final DataInputStream IN = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, "UTF-8");
        System.setOut(System.err);
        List<EvaluationContext> sets = new ArrayList<>();
        for (int left = IN.readInt(); left > 0; left--) sets.add(properties());
        for (String text = text(); text != null; text = text()) out.println(verdicts(text, sets));
        out.flush();
    }

    private static EvaluationContext properties() throws IOException {
        Map<String, Object> properties = new HashMap<>();
        for (int left = IN.readInt(); left > 0; left -= 2) properties.put(text(), text());
        return new EvaluationContext() {
            @Override public Object get(String name) { return properties.get(name); }
            @Override public Map<String, Object> keyValues() { return properties; }
        };
    }

    private static String text() throws IOException {
        try {
            byte[] bytes = new byte[IN.readInt()];
            IN.readFully(bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        } catch (EOFException end) {
            return null;
        }
    }

    private static String verdicts(String text, List<EvaluationContext> sets) {
        Expression compiled;
        try {
            compiled = FilterFactory.INSTANCE.get("SQL92").compile(text);
        } catch (Throwable refused) {
            return "R";
        }
        StringBuilder verdicts = new StringBuilder();
        for (EvaluationContext set : sets) verdicts.append(verdict(compiled, set));
        return verdicts.toString();
    }

    private static char verdict(Expression compiled, EvaluationContext set) {
        try {
            Object answer = compiled.evaluate(set);
            if (answer == null) return 'N';
            return answer instanceof Boolean ? (Boolean) answer ? 'T' : 'F' : 'O';
        } catch (Throwable thrown) {
            return 'X';
        }
    }
}
