import java.io.IOException;
import java.net.CookieManager;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A person without one: fills in the forms of the sign-in page, and follows no redirection. */
final class Browser {
    private static final Pattern FORM =
            Pattern.compile("<form method=\"post\" action=\"([^\"]*)\"[^>]*>(.*?)</form>", Pattern.DOTALL);
    private static final Pattern HIDDEN = Pattern.compile("<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\">");

    private final HttpClient http = HttpClient.newBuilder().cookieHandler(new CookieManager()).build();

    /**
     * The code that the sign-in page at the address sends back to the app: in a form, as msal4j asks for, which a browser
     * would post.
     */
    String signIn(String address) throws IOException, InterruptedException {
        HttpResponse<String> answer = submit(get(address), "password", credentials());
        Matcher hidden = HIDDEN.matcher(answer.body());
        while (hidden.find()) {
            if (hidden.group(1).equals("code")) {
                return unescape(hidden.group(2));
            }
        }
        throw new AssertionError("no code came back: " + answer.statusCode() + " " + answer.body());
    }

    /** Signs in a device. */
    void enterCode(String address, String code) {
        try {
            HttpResponse<String> page = submit(get(address), "user_code", new HashMap<>(Map.of("user_code", code)));
            String text = submit(page, "password", credentials()).body();
            Check.same(text.contains("You are signed in"), true);
        } catch (IOException | InterruptedException error) {
            throw new AssertionError(error);
        }
    }

    private static Map<String, String> credentials() {
        return new HashMap<>(Map.of(
                "username", Connection.env("PRESENCED_USER"),
                "password", Connection.env("PRESENCED_PASSWORD"),
                "sign_in", "1"));
    }

    private HttpResponse<String> get(String address) throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(URI.create(address)).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Posts the page's form that has this field. */
    private HttpResponse<String> submit(HttpResponse<String> page, String having, Map<String, String> fields)
            throws IOException, InterruptedException {
        Matcher form = FORM.matcher(page.body());
        while (form.find()) {
            if (form.group(2).contains("name=\"" + having + "\"")) {
                Matcher hidden = HIDDEN.matcher(form.group(2));
                while (hidden.find()) {
                    fields.put(unescape(hidden.group(1)), unescape(hidden.group(2)));
                }
                String body = fields.entrySet().stream()
                        .map(field -> encode(field.getKey()) + "=" + encode(field.getValue()))
                        .collect(Collectors.joining("&"));
                return http.send(
                        HttpRequest.newBuilder(page.uri().resolve(unescape(form.group(1))))
                                .header("Content-Type", "application/x-www-form-urlencoded")
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
            }
        }
        throw new AssertionError("no form with " + having + ": " + page.body());
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static String unescape(String text) {
        return text.replace("&#34;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    }
}
