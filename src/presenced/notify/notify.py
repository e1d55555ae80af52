"""Notify: the parts of this room put together, for those who subscribe and those who tell."""

from dataclasses import dataclass
from pathlib import Path

from presenced.clock import Clock
from presenced.identity.issuer import LocalIssuer
from presenced.notify.addresses import Rules
from presenced.notify.client import WebhookClient
from presenced.notify.notification import Spelling
from presenced.notify.notifier import Notifier
from presenced.notify.subscriptions import Subscriptions
from presenced.notify.validation_tokens import ValidationTokens
from presenced.store.base import Store


@dataclass(frozen=True)
class Notify:
    """Subscriptions and their deliveries. ``extensions``: what Graph cannot do is allowed."""

    clock: Clock
    rules: Rules
    client: WebhookClient
    subscriptions: Subscriptions
    notifier: Notifier
    tokens: ValidationTokens
    extensions: bool

    @classmethod
    async def load(
        cls,
        store: Store,
        clock: Clock,
        issuer: LocalIssuer,
        rules: Rules,
        *,
        ca: Path | None = None,
        spelling: Spelling = "documented",
        token_issuer: str,
        base_url: str | None = None,
        extensions: bool = False,
    ) -> "Notify":
        """Read the subscriptions from the store. Raises ValueError for settings that cannot be, StoreUnavailable."""
        subscriptions = await Subscriptions.load(store, clock)
        tokens = ValidationTokens(issuer, clock, token_issuer, base_url)
        client = WebhookClient(rules, ca)
        notifier = Notifier(store, subscriptions, client, tokens, clock, spelling)
        return cls(clock, rules, client, subscriptions, notifier, tokens, extensions)
