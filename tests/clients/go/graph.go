package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/communications"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
)

const (
	nadia = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3"
	tomas = "66825e03-7ef5-42da-9069-724602c31f6b"
	jonas = "5ca1ab1e-0000-4000-8000-00000000010a"
)

var ctx = context.Background()

// graphChecks are the checklist by github.com/microsoftgraph/msgraph-sdk-go. This version of it has no location actions.
var graphChecks = []check{
	{"msgraph-sdk-go/snippet", snippet},
	{"msgraph-sdk-go/ids-650", mostIDs},
	{"msgraph-sdk-go/ids-651", tooManyIDs},
	{"msgraph-sdk-go/reads", reads},
	{"msgraph-sdk-go/actions", actions},
	{"msgraph-sdk-go/batch", batch},
	{"msgraph-sdk-go/subscriptions", subscribe},
	{"msgraph-sdk-go/retry-429", retry},
}

func snippet() {
	own := must(os.Executable())
	printed := must(exec.Command(filepath.Join(filepath.Dir(own), "firstpresence")).Output())
	same(string(printed), nadia+" Busy InAMeeting\n"+tomas+" Away Away\n")
}

func mostIDs() {
	ids := people()
	same(len(ids), 650)
	found := must(ask(app(), ids))
	same(len(found), 650)
	for place, presence := range found {
		same(*presence.GetId(), ids[place])
		if *presence.GetAvailability() == "PresenceUnknown" {
			panic(fmt.Errorf("nothing is known of %s", ids[place]))
		}
	}
}

func tooManyIDs() {
	_, err := ask(app(), append(people(), uuid.NewString()))
	failure := refused[*odataerrors.ODataError](err)
	same(failure.ResponseStatusCode, 400)
	same(*failure.GetErrorEscaped().GetCode(), "InvalidArgument")
	same(strings.Contains(failure.Error(), "650"), true)
}

func reads() {
	found := must(app().presence("/users/"+nadia+"/presence").Get(ctx, nil))
	same([]string{*found.GetId(), state(found)}, []string{nadia, "Busy InAMeeting"})
	found = must(app().communications().Presences().ByPresenceId(tomas).Get(ctx, nil))
	same([]string{*found.GetId(), state(found)}, []string{tomas, "Away Away"})
	own := person()
	request := kiota.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(kiota.GET, "{+baseurl}/me", own.base())
	me := must(own.adapter.Send(ctx, request, models.CreateUserFromDiscriminatorValue, nil)).(models.Userable)
	same(*me.GetUserPrincipalName(), env("PRESENCED_USER"))
	same(*must(own.presence("/me/presence").Get(ctx, nil)).GetId(), *me.GetId())
	_, err := app().presence("/users/"+uuid.NewString()+"/presence").Get(ctx, nil)
	failure := refused[*odataerrors.ODataError](err)
	same(failure.ResponseStatusCode, 404)
	same(*failure.GetErrorEscaped().GetCode(), "NotFound")
}

func actions() {
	presence := app().communications().Presences().ByPresenceId(jonas)
	seen := func() string { return state(must(ask(app(), []string{jonas}))[0]) }
	done(presence.SetPresence().Post(ctx, busy("msgraph-sdk-go"), nil))
	same(seen(), "Busy InACall")
	away := communications.NewPresencesItemSetUserPreferredPresencePostRequestBody()
	away.SetAvailability(to("Away"))
	away.SetActivity(to("Away"))
	away.SetExpirationDuration(serialization.NewDuration(0, 0, 1, 8, 0, 0, 0))
	done(presence.SetUserPreferredPresence().Post(ctx, away, nil))
	same(seen(), "Away Away")
	done(presence.ClearUserPreferredPresence().Post(ctx, nil))
	same(seen(), "Busy InACall")
	clearSession("msgraph-sdk-go")
	same(seen(), "Offline Offline")

	until := models.NewDateTimeTimeZone()
	until.SetDateTime(to("2999-10-18T17:05:33.2079781"))
	until.SetTimeZone(to("Pacific Standard Time"))
	done(presence.SetStatusMessage().Post(ctx, message("Grüße ☕", until), nil))
	same(*must(presence.Get(ctx, nil)).GetStatusMessage().GetMessage().GetContent(), "Grüße ☕")
	done(presence.SetStatusMessage().Post(ctx, message("", nil), nil))
	after := must(presence.Get(ctx, nil)).GetStatusMessage()
	same(after == nil || after.GetMessage() == nil, true)
}

func batch() {
	presences := app().communications().Presences()
	request := core.NewBatchRequest(app().adapter)
	action := must(request.AddBatchRequestStep(
		*must(presences.ByPresenceId(jonas).SetPresence().ToPostRequestInformation(ctx, busy("batch"), nil))))
	read := func(id string) core.BatchItem {
		step := must(request.AddBatchRequestStep(*must(presences.ByPresenceId(id).ToGetRequestInformation(ctx, nil))))
		step.DependsOnItem(action)
		return step
	}
	first, second, stranger, after := read(nadia), read(tomas), read(uuid.NewString()), read(jonas)
	answer := must(request.Send(ctx, app().adapter))
	same(answer.GetStatusCodes(), map[string]int32{
		*first.GetId(): 200, *second.GetId(): 200, *stranger.GetId(): 404, *action.GetId(): 200, *after.GetId(): 200,
	})
	part := func(item core.BatchItem) models.Presenceable {
		return must(core.GetBatchResponseById[models.Presenceable](
			answer, *item.GetId(), models.CreatePresenceFromDiscriminatorValue))
	}
	same(*part(first).GetId()+" "+state(part(first)), nadia+" Busy InAMeeting")
	same(*part(second).GetId()+" "+state(part(second)), tomas+" Away Away")
	same(*part(after).GetId()+" "+state(part(after)), jonas+" Busy InACall")
	clearSession("batch")
}

func subscribe() {
	all := person().subscriptions()
	ends := time.Now().Add(50 * time.Minute).UTC().Truncate(time.Second) // less than 45 minutes is made 45
	asked := models.NewSubscription()
	asked.SetChangeType(to("updated"))
	asked.SetNotificationUrl(to(env("PRESENCED_NOTIFICATION_URL")))
	asked.SetResource(to("/communications/presences/" + nadia))
	asked.SetExpirationDateTime(&ends)
	asked.SetClientState(to("msgraph-sdk-go"))
	one := all.BySubscriptionId(*must(all.Post(ctx, asked, nil)).GetId())
	same(must(one.Get(ctx, nil)).GetExpirationDateTime().Equal(ends), true)
	later := ends.Add(8 * time.Minute)
	renewal := models.NewSubscription()
	renewal.SetExpirationDateTime(&later)
	same(must(one.Patch(ctx, renewal, nil)).GetExpirationDateTime().Equal(later), true)
	done(one.Delete(ctx, nil))
	_, err := one.Get(ctx, nil)
	same(refused[*odataerrors.ODataError](err).ResponseStatusCode, 404)
}

func retry() {
	seen := &statuses{}
	presence := throttled(seen).communications().Presences().ByPresenceId(nadia)
	for calls := 0; calls < 12 && !seen.has(429); calls++ {
		same(*must(presence.Get(ctx, nil)).GetId(), nadia)
	}
	same(seen.has(429), true)
	same(seen.all[len(seen.all)-1], 200)
}

func people() []string {
	return slices.Clip(strings.Fields(string(must(os.ReadFile(env("PRESENCED_PEOPLE_FILE"))))))
}

func ask(c client, ids []string) ([]models.Presenceable, error) {
	body := communications.NewGetPresencesByUserIdPostRequestBody()
	body.SetIds(ids)
	answer, err := c.communications().GetPresencesByUserId().PostAsGetPresencesByUserIdPostResponse(ctx, body, nil)
	if err != nil {
		return nil, err
	}
	return answer.GetValue(), nil
}

func busy(session string) *communications.PresencesItemSetPresencePostRequestBody {
	body := communications.NewPresencesItemSetPresencePostRequestBody()
	body.SetSessionId(&session)
	body.SetAvailability(to("Busy"))
	body.SetActivity(to("InACall"))
	body.SetExpirationDuration(serialization.FromDuration(time.Hour))
	return body
}

func clearSession(session string) {
	body := communications.NewPresencesItemClearPresencePostRequestBody()
	body.SetSessionId(&session)
	done(app().communications().Presences().ByPresenceId(jonas).ClearPresence().Post(ctx, body, nil))
}

func message(content string, until models.DateTimeTimeZoneable) *communications.PresencesItemSetStatusMessagePostRequestBody {
	item := models.NewItemBody()
	item.SetContent(&content)
	item.SetContentType(to(models.TEXT_BODYTYPE))
	status := models.NewPresenceStatusMessage()
	status.SetMessage(item)
	if until != nil {
		status.SetExpiryDateTime(until)
	}
	body := communications.NewPresencesItemSetStatusMessagePostRequestBody()
	body.SetStatusMessage(status)
	return body
}

func state(presence models.Presenceable) string {
	return *presence.GetAvailability() + " " + *presence.GetActivity()
}

func done(err error) { must(0, err) }

func to[T any](value T) *T { return &value }
