using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Graph;
using Microsoft.Graph.Communications.GetPresencesByUserId;
using Microsoft.Graph.Models;
using Microsoft.Graph.Models.ODataErrors;
using Microsoft.Graph.Users.Item.Presence.ClearPresence;
using Microsoft.Graph.Users.Item.Presence.SetPresence;
using Microsoft.Graph.Users.Item.Presence.SetStatusMessage;
using Microsoft.Graph.Users.Item.Presence.SetUserPreferredPresence;
using Microsoft.Kiota.Abstractions;

/// <summary>
/// The checklist (../README.md) by Microsoft.Graph, as published. The location actions came to it after this version,
/// which is of the line that Graph's documentation shows.
/// </summary>
static class GraphChecks
{
    private const string Nadia = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
    private const string Tomas = "66825e03-7ef5-42da-9069-724602c31f6b";
    private const string Jonas = "5ca1ab1e-0000-4000-8000-00000000010a";

    public static readonly IReadOnlyDictionary<string, Func<Task>> All = new Dictionary<string, Func<Task>>
    {
        ["msgraph-sdk-dotnet/snippet"] = Snippet,
        ["msgraph-sdk-dotnet/ids-650"] = MostIds,
        ["msgraph-sdk-dotnet/ids-651"] = TooManyIds,
        ["msgraph-sdk-dotnet/reads"] = Reads,
        ["msgraph-sdk-dotnet/actions"] = Actions,
        ["msgraph-sdk-dotnet/batch"] = Batch,
        ["msgraph-sdk-dotnet/subscriptions"] = Subscriptions,
        ["msgraph-sdk-dotnet/retry-429"] = Retry,
    };

    private static async Task Snippet()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "..", "firstpresence", "firstpresence.dll");
        var start = new ProcessStartInfo("dotnet", [program]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var printed = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Same(printed.ReplaceLineEndings("\n"), $"{Nadia} Busy InAMeeting\n{Tomas} Away Away\n");
        Same(process.ExitCode, 0);
    }

    private static async Task MostIds()
    {
        var ids = People();
        Same(ids.Count, 650);
        var found = await Ask(Connection.App(), ids);
        Same(string.Join(' ', found.Select(one => one.Id)), string.Join(' ', ids));
        Same(found.Count(one => one.Availability == "PresenceUnknown"), 0);
    }

    private static async Task TooManyIds()
    {
        var error = await Refused(() => Ask(Connection.App(), [.. People(), Guid.NewGuid().ToString()]));
        Same(error.ResponseStatusCode, 400);
        Same(error.Error?.Code, "InvalidArgument");
        Same(error.Error?.Message?.Contains("650"), true);
    }

    private static async Task Reads()
    {
        var client = Connection.App();
        var nadia = await client.Users[Nadia].Presence.GetAsync();
        Same((nadia?.Id, State(nadia)), (Nadia, "Busy InAMeeting"));
        var tomas = await client.Communications.Presences[Tomas].GetAsync();
        Same((tomas?.Id, State(tomas)), (Tomas, "Away Away"));
        var person = Connection.Person();
        var me = await person.Me.GetAsync();
        Same(me?.UserPrincipalName, Connection.Env("PRESENCED_USER"));
        Same((await person.Me.Presence.GetAsync())?.Id, me?.Id);
        var error = await Refused(() => client.Users[Guid.NewGuid().ToString()].Presence.GetAsync());
        Same((error.ResponseStatusCode, error.Error?.Code), (404, "NotFound"));
    }

    private static async Task Actions()
    {
        var client = Connection.App();
        var presence = client.Users[Jonas].Presence;
        async Task<string> Seen() => State((await Ask(client, [Jonas]))[0]);
        await presence.SetPresence.PostAsync(Busy("msgraph-sdk-dotnet"));
        Same(await Seen(), "Busy InACall");
        await presence.SetUserPreferredPresence.PostAsync(
            new SetUserPreferredPresencePostRequestBody
            {
                Availability = "Away",
                Activity = "Away",
                ExpirationDuration = TimeSpan.FromHours(32),
            });
        Same(await Seen(), "Away Away");
        await presence.ClearUserPreferredPresence.PostAsync();
        Same(await Seen(), "Busy InACall");
        await presence.ClearPresence.PostAsync(new ClearPresencePostRequestBody { SessionId = "msgraph-sdk-dotnet" });
        Same(await Seen(), "Offline Offline");

        var until = new DateTimeTimeZone { DateTime = "2999-10-18T17:05:33.2079781", TimeZone = "Pacific Standard Time" };
        await presence.SetStatusMessage.PostAsync(Message("Grüße ☕", until));
        Same((await presence.GetAsync())?.StatusMessage?.Message?.Content, "Grüße ☕");
        await presence.SetStatusMessage.PostAsync(Message("", null));
        Same((await presence.GetAsync())?.StatusMessage?.Message, null);
    }

    private static async Task Batch()
    {
        var client = Connection.App();
        var jonas = client.Users[Jonas].Presence;
        var content = new BatchRequestContentCollection(client);
        var action = await content.AddBatchRequestStepAsync(jonas.SetPresence.ToPostRequestInformation(Busy("batch")));
        async Task<string> Read(RequestInformation request)
        {
            var id = Guid.NewGuid().ToString();
            var message = await client.RequestAdapter.ConvertToNativeRequestAsync<HttpRequestMessage>(request);
            Same(content.AddBatchRequestStep(new BatchRequestStep(id, message, [action])), true);
            return id;
        }
        var nadia = await Read(client.Users[Nadia].Presence.ToGetRequestInformation());
        var tomas = await Read(client.Communications.Presences[Tomas].ToGetRequestInformation());
        var stranger = await Read(client.Users[Guid.NewGuid().ToString()].Presence.ToGetRequestInformation());
        var after = await Read(jonas.ToGetRequestInformation());
        var answer = await client.Batch.PostAsync(content);
        var statuses = await answer.GetResponsesStatusCodesAsync();
        Same(
            string.Join(' ', new[] { action, nadia, tomas, stranger, after }.Select(id => (int)statuses[id])),
            "200 200 200 404 200");
        Same(State(await answer.GetResponseByIdAsync<Presence>(nadia)), "Busy InAMeeting");
        Same(State(await answer.GetResponseByIdAsync<Presence>(tomas)), "Away Away");
        Same(State(await answer.GetResponseByIdAsync<Presence>(after)), "Busy InACall");
        await jonas.ClearPresence.PostAsync(new ClearPresencePostRequestBody { SessionId = "batch" });
    }

    private static async Task Subscriptions()
    {
        var client = Connection.Person();
        var ends = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 3000);
        var made = await client.Subscriptions.PostAsync(
            new Subscription
            {
                ChangeType = "updated",
                NotificationUrl = Connection.Env("PRESENCED_NOTIFICATION_URL"),
                Resource = $"/communications/presences/{Nadia}",
                ExpirationDateTime = ends, // less than 45 minutes is made 45
                ClientState = "msgraph-sdk-dotnet",
            });
        var one = client.Subscriptions[made!.Id!];
        Same((await one.GetAsync())?.ExpirationDateTime, ends);
        var renewed = await one.PatchAsync(new Subscription { ExpirationDateTime = ends.AddMinutes(8) });
        Same(renewed?.ExpirationDateTime, ends.AddMinutes(8));
        await one.DeleteAsync();
        Same((await Refused(() => one.GetAsync())).ResponseStatusCode, 404);
    }

    private static async Task Retry()
    {
        var statuses = new ConcurrentQueue<int>();
        var presence = Connection.Throttled(statuses).Users[Nadia].Presence;
        for (var calls = 0; calls < 12 && !statuses.Contains(429); calls++)
        {
            Same((await presence.GetAsync())?.Id, Nadia);
        }
        Same((statuses.Contains(429), statuses.Last()), (true, 200));
    }

    private static List<string> People() => [.. File.ReadLines(Connection.Env("PRESENCED_PEOPLE_FILE"))];

    private static async Task<List<Presence>> Ask(GraphServiceClient client, List<string> ids)
    {
        var answer = await client.Communications.GetPresencesByUserId.PostAsGetPresencesByUserIdPostResponseAsync(
            new GetPresencesByUserIdPostRequestBody { Ids = ids });
        return answer?.Value ?? throw new InvalidOperationException("no answer");
    }

    private static SetPresencePostRequestBody Busy(string session) =>
        new() { SessionId = session, Availability = "Busy", Activity = "InACall", ExpirationDuration = TimeSpan.FromHours(1) };

    private static SetStatusMessagePostRequestBody Message(string content, DateTimeTimeZone? until)
    {
        var status = new PresenceStatusMessage { Message = new ItemBody { Content = content, ContentType = BodyType.Text } };
        if (until is not null)
        {
            status.ExpiryDateTime = until;
        }
        return new SetStatusMessagePostRequestBody { StatusMessage = status };
    }

    private static string State(Presence? presence) => $"{presence?.Availability} {presence?.Activity}";

    private static void Same<T>(T found, T wanted)
    {
        if (!EqualityComparer<T>.Default.Equals(found, wanted))
        {
            throw new InvalidOperationException($"found {found}, wanted {wanted}");
        }
    }

    private static async Task<ODataError> Refused(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (ODataError error)
        {
            return error;
        }
        throw new InvalidOperationException("not refused");
    }
}
