import com.microsoft.graph.communications.getpresencesbyuserid.GetPresencesByUserIdPostRequestBody;
import com.microsoft.graph.core.content.BatchRequestContent;
import com.microsoft.graph.models.BodyType;
import com.microsoft.graph.models.DateTimeTimeZone;
import com.microsoft.graph.models.ItemBody;
import com.microsoft.graph.models.Presence;
import com.microsoft.graph.models.PresenceStatusMessage;
import com.microsoft.graph.models.Subscription;
import com.microsoft.graph.models.WorkLocationType;
import com.microsoft.graph.models.odataerrors.ODataError;
import com.microsoft.graph.serviceclient.GraphServiceClient;
import com.microsoft.graph.users.item.presence.clearpresence.ClearPresencePostRequestBody;
import com.microsoft.graph.users.item.presence.setautomaticlocation.SetAutomaticLocationPostRequestBody;
import com.microsoft.graph.users.item.presence.setmanuallocation.SetManualLocationPostRequestBody;
import com.microsoft.graph.users.item.presence.setpresence.SetPresencePostRequestBody;
import com.microsoft.graph.users.item.presence.setstatusmessage.SetStatusMessagePostRequestBody;
import com.microsoft.graph.users.item.presence.setuserpreferredpresence.SetUserPreferredPresencePostRequestBody;
import com.microsoft.kiota.PeriodAndDuration;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.Period;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

/** The checklist (../README.md) by com.microsoft.graph:microsoft-graph, as published. */
final class GraphChecks {
    private static final String NADIA = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
    private static final String TOMAS = "66825e03-7ef5-42da-9069-724602c31f6b";
    private static final String JONAS = "5ca1ab1e-0000-4000-8000-00000000010a";

    static Map<String, Check> all() {
        Map<String, Check> checks = new LinkedHashMap<>();
        checks.put("snippet", GraphChecks::snippet);
        checks.put("ids-650", GraphChecks::mostIds);
        checks.put("ids-651", GraphChecks::tooManyIds);
        checks.put("reads", GraphChecks::reads);
        checks.put("actions", GraphChecks::actions);
        checks.put("batch", GraphChecks::batch);
        checks.put("subscriptions", GraphChecks::subscriptions);
        checks.put("retry-429", GraphChecks::retry);
        return checks;
    }

    private static void snippet() {
        PrintStream before = System.out;
        var printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            FirstPresence.main(new String[0]);
        } finally {
            System.setOut(before);
        }
        List<String> lines = printed.toString(StandardCharsets.UTF_8).lines().toList();
        Check.same(lines, List.of(NADIA + " Busy InAMeeting", TOMAS + " Away Away"));
    }

    private static void mostIds() throws Exception {
        List<String> ids = people();
        Check.same(ids.size(), 650);
        List<Presence> found = ask(Connection.app(), ids);
        Check.same(found.stream().map(Presence::getId).toList(), ids);
        Check.same(found.stream().filter(one -> "PresenceUnknown".equals(one.getAvailability())).count(), 0L);
    }

    private static void tooManyIds() throws Exception {
        List<String> ids = new ArrayList<>(people());
        ids.add(UUID.randomUUID().toString());
        ODataError error = Check.refused(ODataError.class, () -> ask(Connection.app(), ids));
        Check.same(error.getResponseStatusCode(), 400);
        Check.same(error.getError().getCode(), "InvalidArgument");
        Check.same(error.getMessage().contains("650"), true);
    }

    private static void reads() throws Exception {
        GraphServiceClient client = Connection.app();
        Presence nadia = client.users().byUserId(NADIA).presence().get();
        Check.same(
                List.of(nadia.getId(), nadia.getAvailability(), nadia.getActivity()), List.of(NADIA, "Busy", "InAMeeting"));
        Presence tomas = client.communications().presences().byPresenceId(TOMAS).get();
        Check.same(List.of(tomas.getId(), tomas.getAvailability()), List.of(TOMAS, "Away"));
        GraphServiceClient person = Connection.person();
        var me = person.me().get();
        Check.same(me.getUserPrincipalName(), Connection.env("PRESENCED_USER"));
        Check.same(person.me().presence().get().getId(), me.getId());
        var stranger = client.users().byUserId(UUID.randomUUID().toString()).presence();
        ODataError error = Check.refused(ODataError.class, stranger::get);
        Check.same(error.getResponseStatusCode(), 404);
        Check.same(error.getError().getCode(), "NotFound");
    }

    private static void actions() {
        GraphServiceClient client = Connection.app();
        var presence = client.users().byUserId(JONAS).presence();
        Supplier<String> seen = () -> {
            Presence jonas = ask(client, List.of(JONAS)).get(0);
            return jonas.getAvailability() + " " + jonas.getActivity();
        };
        presence.setPresence().post(busy("microsoft-graph-java"));
        Check.same(seen.get(), "Busy InACall");
        var away = new SetUserPreferredPresencePostRequestBody();
        away.setAvailability("Away");
        away.setActivity("Away");
        away.setExpirationDuration(PeriodAndDuration.of(Period.ofDays(1), Duration.ofHours(8)));
        presence.setUserPreferredPresence().post(away);
        Check.same(seen.get(), "Away Away");
        presence.clearUserPreferredPresence().post();
        Check.same(seen.get(), "Busy InACall");
        var session = new ClearPresencePostRequestBody();
        session.setSessionId("microsoft-graph-java");
        presence.clearPresence().post(session);
        Check.same(seen.get(), "Offline Offline");

        var until = new DateTimeTimeZone();
        until.setDateTime("2999-10-18T17:05:33.2079781");
        until.setTimeZone("Pacific Standard Time");
        presence.setStatusMessage().post(statusMessage("Grüße ☕", until));
        Check.same(presence.get().getStatusMessage().getMessage().getContent(), "Grüße ☕");
        presence.setStatusMessage().post(statusMessage("", null));
        PresenceStatusMessage after = presence.get().getStatusMessage();
        Check.same(after == null ? null : after.getMessage(), null);

        locations();
    }

    /** The location actions are for people only. */
    private static void locations() {
        var own = Connection.person().me().presence();
        Supplier<WorkLocationType> where = () -> {
            var location = own.get().getWorkLocation();
            return location == null ? WorkLocationType.Unspecified : location.getWorkLocationType();
        };
        var remote = new SetManualLocationPostRequestBody();
        remote.setWorkLocationType(WorkLocationType.Remote);
        own.setManualLocation().post(remote);
        Check.same(where.get(), WorkLocationType.Remote);
        own.clearLocation().post();
        Check.same(where.get(), WorkLocationType.Unspecified);
        var office = new SetAutomaticLocationPostRequestBody();
        office.setWorkLocationType(WorkLocationType.Office);
        own.setAutomaticLocation().post(office);
        Check.same(where.get(), WorkLocationType.Office);
        own.clearAutomaticLocation().post();
        Check.same(where.get(), WorkLocationType.Unspecified);
    }

    private static void batch() throws Exception {
        GraphServiceClient client = Connection.app();
        var jonas = client.users().byUserId(JONAS).presence();
        var content = new BatchRequestContent(client);
        String action = content.addBatchRequestStep(jonas.setPresence().toPostRequestInformation(busy("batch")));
        String nadia = content.addBatchRequestStep(client.users().byUserId(NADIA).presence().toGetRequestInformation());
        String tomas = content.addBatchRequestStep(
                client.communications().presences().byPresenceId(TOMAS).toGetRequestInformation());
        String stranger = content.addBatchRequestStep(
                client.users().byUserId(UUID.randomUUID().toString()).presence().toGetRequestInformation());
        String after = content.addBatchRequestStep(jonas.toGetRequestInformation());
        for (String id : List.of(nadia, tomas, stranger, after)) {
            content.getBatchRequestSteps().get(id).addDependsOnId(action);
        }
        var answer = client.getBatchRequestBuilder().post(content, null);
        Check.same(
                answer.getResponsesStatusCode(), Map.of(nadia, 200, tomas, 200, stranger, 404, action, 200, after, 200));
        Presence read = answer.getResponseById(nadia, Presence::createFromDiscriminatorValue);
        Check.same(List.of(read.getId(), read.getAvailability()), List.of(NADIA, "Busy"));
        read = answer.getResponseById(tomas, Presence::createFromDiscriminatorValue);
        Check.same(List.of(read.getId(), read.getAvailability()), List.of(TOMAS, "Away"));
        read = answer.getResponseById(after, Presence::createFromDiscriminatorValue);
        Check.same(List.of(read.getId(), read.getActivity()), List.of(JONAS, "InACall"));
        var session = new ClearPresencePostRequestBody();
        session.setSessionId("batch");
        jonas.clearPresence().post(session);
    }

    private static void subscriptions() throws Exception {
        GraphServiceClient client = Connection.person();
        var asked = new Subscription();
        asked.setChangeType("updated");
        asked.setNotificationUrl(Connection.env("PRESENCED_NOTIFICATION_URL"));
        asked.setResource("/communications/presences/" + NADIA);
        asked.setExpirationDateTime(in(50)); // less than 45 minutes is made 45
        asked.setClientState("microsoft-graph-java");
        String id = client.subscriptions().post(asked).getId();
        var one = client.subscriptions().bySubscriptionId(id);
        Check.same(one.get().getExpirationDateTime().toInstant(), asked.getExpirationDateTime().toInstant());
        var later = new Subscription();
        later.setExpirationDateTime(in(58));
        Check.same(one.patch(later).getExpirationDateTime().toInstant(), later.getExpirationDateTime().toInstant());
        one.delete();
        Check.same(Check.refused(ODataError.class, one::get).getResponseStatusCode(), 404);
    }

    private static void retry() {
        List<Integer> statuses = Collections.synchronizedList(new ArrayList<>());
        var presence = Connection.throttled(statuses).users().byUserId(NADIA).presence();
        for (int calls = 0; calls < 12 && !statuses.contains(429); calls++) {
            Check.same(presence.get().getId(), NADIA);
        }
        Check.same(statuses.contains(429), true);
        Check.same(statuses.get(statuses.size() - 1), 200);
    }

    private static List<String> people() throws Exception {
        return Files.readAllLines(Path.of(Connection.env("PRESENCED_PEOPLE_FILE")));
    }

    private static List<Presence> ask(GraphServiceClient client, List<String> ids) {
        var body = new GetPresencesByUserIdPostRequestBody();
        body.setIds(ids);
        return client.communications().getPresencesByUserId().post(body).getValue();
    }

    private static SetPresencePostRequestBody busy(String session) {
        var body = new SetPresencePostRequestBody();
        body.setSessionId(session);
        body.setAvailability("Busy");
        body.setActivity("InACall");
        body.setExpirationDuration(PeriodAndDuration.ofDuration(Duration.ofHours(1)));
        return body;
    }

    private static SetStatusMessagePostRequestBody statusMessage(String content, DateTimeTimeZone until) {
        var message = new ItemBody();
        message.setContent(content);
        message.setContentType(BodyType.Text);
        var statusMessage = new PresenceStatusMessage();
        statusMessage.setMessage(message);
        if (until != null) {
            statusMessage.setExpiryDateTime(until);
        }
        var body = new SetStatusMessagePostRequestBody();
        body.setStatusMessage(statusMessage);
        return body;
    }

    private static OffsetDateTime in(int minutes) {
        return OffsetDateTime.now(ZoneOffset.UTC).plusMinutes(minutes).truncatedTo(ChronoUnit.MILLIS);
    }
}
