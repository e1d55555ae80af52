<?php

// The checklist (../README.md) by microsoft/microsoft-graph, as published.

use Microsoft\Graph\BatchRequestBuilder;
use Microsoft\Graph\Core\Requests\BatchRequestContent;
use Microsoft\Graph\Core\Requests\BatchRequestItem;
use Microsoft\Graph\Generated\Communications\GetPresencesByUserId\GetPresencesByUserIdPostRequestBody;
use Microsoft\Graph\Generated\Models\BodyType;
use Microsoft\Graph\Generated\Models\DateTimeTimeZone as Until;
use Microsoft\Graph\Generated\Models\ItemBody;
use Microsoft\Graph\Generated\Models\ODataErrors\ODataError;
use Microsoft\Graph\Generated\Models\Presence;
use Microsoft\Graph\Generated\Models\PresenceStatusMessage;
use Microsoft\Graph\Generated\Models\Subscription;
use Microsoft\Graph\Generated\Models\WorkLocationType;
use Microsoft\Graph\Generated\Users\Item\Presence\ClearPresence\ClearPresencePostRequestBody;
use Microsoft\Graph\Generated\Users\Item\Presence\SetAutomaticLocation\SetAutomaticLocationPostRequestBody;
use Microsoft\Graph\Generated\Users\Item\Presence\SetManualLocation\SetManualLocationPostRequestBody;
use Microsoft\Graph\Generated\Users\Item\Presence\SetPresence\SetPresencePostRequestBody;
use Microsoft\Graph\Generated\Users\Item\Presence\SetStatusMessage\SetStatusMessagePostRequestBody;
use Microsoft\Graph\Generated\Users\Item\Presence\SetUserPreferredPresence\SetUserPreferredPresencePostRequestBody;
use Microsoft\Graph\GraphServiceClient;
use Ramsey\Uuid\Uuid;

const NADIA = 'fa8bf3dc-eca7-46b7-bad1-db199b62afc3';
const TOMAS = '66825e03-7ef5-42da-9069-724602c31f6b';
const JONAS = '5ca1ab1e-0000-4000-8000-00000000010a';

/** @return array<string, callable(): void> */
function graphChecks(): array
{
    return [
        'microsoft-graph-php/snippet' => snippet(...),
        'microsoft-graph-php/ids-650' => mostIds(...),
        'microsoft-graph-php/ids-651' => tooManyIds(...),
        'microsoft-graph-php/reads' => reads(...),
        'microsoft-graph-php/actions' => actions(...),
        'microsoft-graph-php/batch' => batch(...),
        'microsoft-graph-php/subscriptions' => subscriptions(...),
        'microsoft-graph-php/retry-429' => retry(...),
    ];
}

function snippet(): void
{
    ob_start();
    try {
        require __DIR__ . '/first_presence.php';
    } finally {
        $printed = ob_get_clean();
    }
    same($printed, NADIA . " Busy InAMeeting\n" . TOMAS . " Away Away\n");
}

function mostIds(): void
{
    $ids = people();
    same(count($ids), 650);
    $found = ask(app(), $ids);
    same(array_map(fn (Presence $one) => $one->getId(), $found), $ids);
    same(array_filter($found, fn (Presence $one) => $one->getAvailability() === 'PresenceUnknown'), []);
}

function tooManyIds(): void
{
    $error = refused(fn () => ask(app(), [...people(), Uuid::uuid4()->toString()]));
    same([$error->getResponseStatusCode(), $error->getError()->getCode()], [400, 'InvalidArgument']);
    same(str_contains($error->getError()->getMessage(), '650'), true);
}

function reads(): void
{
    $client = app();
    $nadia = $client->users()->byUserId(NADIA)->presence()->get()->wait();
    same([$nadia->getId(), state($nadia)], [NADIA, 'Busy InAMeeting']);
    $tomas = $client->communications()->presences()->byPresenceId(TOMAS)->get()->wait();
    same([$tomas->getId(), state($tomas)], [TOMAS, 'Away Away']);
    $person = person();
    $me = $person->me()->get()->wait();
    same($me->getUserPrincipalName(), env('PRESENCED_USER'));
    same($person->me()->presence()->get()->wait()->getId(), $me->getId());
    $error = refused(fn () => $client->users()->byUserId(Uuid::uuid4()->toString())->presence()->get()->wait());
    same([$error->getResponseStatusCode(), $error->getError()->getCode()], [404, 'NotFound']);
}

function actions(): void
{
    $client = app();
    $presence = $client->users()->byUserId(JONAS)->presence();
    $seen = fn () => state(ask($client, [JONAS])[0]);
    $presence->setPresence()->post(busy('microsoft-graph-php'))->wait();
    same($seen(), 'Busy InACall');
    $away = new SetUserPreferredPresencePostRequestBody();
    $away->setAvailability('Away');
    $away->setActivity('Away');
    $away->setExpirationDuration(new DateInterval('P1DT8H'));
    $presence->setUserPreferredPresence()->post($away)->wait();
    same($seen(), 'Away Away');
    $presence->clearUserPreferredPresence()->post()->wait();
    same($seen(), 'Busy InACall');
    $presence->clearPresence()->post(session('microsoft-graph-php'))->wait();
    same($seen(), 'Offline Offline');

    $until = new Until();
    $until->setDateTime('2999-10-18T17:05:33.2079781');
    $until->setTimeZone('Pacific Standard Time');
    $presence->setStatusMessage()->post(message('Grüße ☕', $until))->wait();
    same($presence->get()->wait()->getStatusMessage()->getMessage()->getContent(), 'Grüße ☕');
    $presence->setStatusMessage()->post(message('', null))->wait();
    same($presence->get()->wait()->getStatusMessage()?->getMessage(), null);

    locations();
}

/** The location actions are for people only, and not in every release of the SDK. */
function locations(): void
{
    $own = person()->me()->presence();
    if (!method_exists($own, 'setManualLocation')) {
        return;
    }
    $where = fn () => $own->get()->wait()->getWorkLocation()?->getWorkLocationType()?->value() ?? 'unspecified';
    $remote = new SetManualLocationPostRequestBody();
    $remote->setWorkLocationType(new WorkLocationType('remote'));
    $own->setManualLocation()->post($remote)->wait();
    same($where(), 'remote');
    $own->clearLocation()->post()->wait();
    same($where(), 'unspecified');
    $office = new SetAutomaticLocationPostRequestBody();
    $office->setWorkLocationType(new WorkLocationType('office'));
    $own->setAutomaticLocation()->post($office)->wait();
    same($where(), 'office');
    $own->clearAutomaticLocation()->post()->wait();
    same($where(), 'unspecified');
}

function batch(): void
{
    $client = app();
    $jonas = $client->users()->byUserId(JONAS)->presence();
    $action = new BatchRequestItem($jonas->setPresence()->toPostRequestInformation(busy('batch')));
    $read = fn ($builder) => new BatchRequestItem($builder->toGetRequestInformation(), '', [$action]);
    $nadia = $read($client->users()->byUserId(NADIA)->presence());
    $tomas = $read($client->communications()->presences()->byPresenceId(TOMAS));
    $stranger = $read($client->users()->byUserId(Uuid::uuid4()->toString())->presence());
    $after = $read($jonas);
    $content = new BatchRequestContent([$action, $nadia, $tomas, $stranger, $after]);
    $answer = (new BatchRequestBuilder($client->getRequestAdapter()))->postAsync($content)->wait();
    $status = fn (BatchRequestItem $item) => $answer->getResponse($item->getId())->getStatusCode();
    same(array_map($status, [$action, $nadia, $tomas, $stranger, $after]), [200, 200, 200, 404, 200]);
    $body = fn (BatchRequestItem $item) => state($answer->getResponseBody($item->getId(), Presence::class));
    same(array_map($body, [$nadia, $tomas, $after]), ['Busy InAMeeting', 'Away Away', 'Busy InACall']);
    $jonas->clearPresence()->post(session('batch'))->wait();
}

function subscriptions(): void
{
    $all = person()->subscriptions();
    $ends = (new DateTime('@' . (time() + 3000)));
    $asked = new Subscription();
    $asked->setChangeType('updated');
    $asked->setNotificationUrl(env('PRESENCED_NOTIFICATION_URL'));
    $asked->setResource('/communications/presences/' . NADIA);
    $asked->setExpirationDateTime($ends); // less than 45 minutes is made 45
    $asked->setClientState('microsoft-graph-php');
    $one = $all->bySubscriptionId($all->post($asked)->wait()->getId());
    same($one->get()->wait()->getExpirationDateTime()->getTimestamp(), $ends->getTimestamp());
    $later = new DateTime('@' . ($ends->getTimestamp() + 480));
    $renewal = new Subscription();
    $renewal->setExpirationDateTime($later);
    same($one->patch($renewal)->wait()->getExpirationDateTime()->getTimestamp(), $later->getTimestamp());
    $one->delete()->wait();
    same(refused(fn () => $one->get()->wait())->getResponseStatusCode(), 404);
}

function retry(): void
{
    $statuses = [];
    $presence = throttled($statuses)->users()->byUserId(NADIA)->presence();
    for ($calls = 0; $calls < 12 && !in_array(429, $statuses, true); $calls++) {
        same($presence->get()->wait()->getId(), NADIA);
    }
    same([in_array(429, $statuses, true), end($statuses)], [true, 200]);
}

/** @return list<string> */
function people(): array
{
    return file(env('PRESENCED_PEOPLE_FILE'), FILE_IGNORE_NEW_LINES);
}

/** @return list<Presence> */
function ask(GraphServiceClient $client, array $ids): array
{
    $body = new GetPresencesByUserIdPostRequestBody();
    $body->setIds($ids);
    return $client->communications()->getPresencesByUserId()->post($body)->wait()->getValue();
}

function busy(string $session): SetPresencePostRequestBody
{
    $body = new SetPresencePostRequestBody();
    $body->setSessionId($session);
    $body->setAvailability('Busy');
    $body->setActivity('InACall');
    $body->setExpirationDuration(new DateInterval('PT1H'));
    return $body;
}

function session(string $id): ClearPresencePostRequestBody
{
    $body = new ClearPresencePostRequestBody();
    $body->setSessionId($id);
    return $body;
}

function message(string $content, ?Until $until): SetStatusMessagePostRequestBody
{
    $item = new ItemBody();
    $item->setContent($content);
    $item->setContentType(new BodyType('text'));
    $status = new PresenceStatusMessage();
    $status->setMessage($item);
    if ($until) {
        $status->setExpiryDateTime($until);
    }
    $body = new SetStatusMessagePostRequestBody();
    $body->setStatusMessage($status);
    return $body;
}

function state(Presence $presence): string
{
    return "{$presence->getAvailability()} {$presence->getActivity()}";
}

function same(mixed $found, mixed $wanted): void
{
    if ($found !== $wanted) {
        throw new RuntimeException('found ' . json_encode($found) . ', wanted ' . json_encode($wanted));
    }
}

function refused(callable $call): ODataError
{
    try {
        $call();
    } catch (ODataError $error) {
        return $error;
    }
    throw new RuntimeException('not refused');
}
