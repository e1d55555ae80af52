import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The checks of all Java SDKs, by the contract in ../README.md. */
public final class Checks {
    public static void main(String[] names) {
        Map<String, Check> known = new LinkedHashMap<>();
        GraphChecks.all().forEach((name, check) -> known.put("microsoft-graph-java/" + name, check));
        known.putAll(SignIn.all());
        List<String> unknown = List.of(names).stream().filter(name -> !known.containsKey(name)).toList();
        PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        if (!unknown.isEmpty()) {
            System.err.println("unknown: " + String.join(" ", unknown) + "; known are " + String.join(" ", known.keySet()));
            System.exit(2);
        }
        boolean failed = false;
        for (String name : names.length > 0 ? List.of(names) : List.copyOf(known.keySet())) {
            try {
                known.get(name).run();
                output.println("ok " + name);
            } catch (Throwable thrown) {
                failed = true;
                thrown.printStackTrace();
                String reason = thrown.toString().replaceAll("\\s+", " ");
                output.println("not ok " + name + ": " + reason.substring(0, Math.min(300, reason.length())));
            }
        }
        System.exit(failed ? 1 : 0); // the SDKs leave threads behind
    }
}
