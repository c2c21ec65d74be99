"""The base of a site, put together from its configuration: what a command or the server works with."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from insigne.app.clock import local_now, rfc3339_now
from insigne.app.intake import intake_of, site_of
from insigne.app.webhooks import subscription_of_changes
from insigne.config import Config, ConfigError, DestinationSettings, LoadedConfig, store_url
from insigne.dmp.follower import DocumentFollower
from insigne.dmp.intake.handler import DocumentHandler
from insigne.dmp.intake.settings import Intake as DocumentIntake
from insigne.exchange.adt import AdtHandler
from insigne.exchange.answers import ApplicationAnswers
from insigne.exchange.apply import Registrar
from insigne.exchange.delivery.follower import Bell, OutboxFollower, Subscriber
from insigne.exchange.delivery.states import RecentStates
from insigne.exchange.handler import Handler
from insigne.exchange.ids import TimeOrderedIds
from insigne.exchange.intake import Intake
from insigne.exchange.ports import Follower
from insigne.exchange.query import QueryHandler
from insigne.insi.automation import InsiFollower
from insigne.pam.encode import Dialect, dialect_of
from insigne.registry.settings import Policy, policy
from insigne.store import Store, open_store


def site_policy(config: Config) -> Policy:
    """The registry's view of the configuration."""
    return policy(config.environment, config.authorities, config.registry, config.ri.authorities, config.comparison)


@dataclass(frozen=True)
class Base:
    """An open base with the rules of its site."""

    config: Config
    data_dir: Path
    store: Store
    policy: Policy
    new_id: Callable[[], str]
    registrar: Registrar
    intake: Intake
    subscribers: Sequence[Subscriber]
    recent: RecentStates
    bell: Bell
    documents: DocumentIntake | None = None
    """How documents are taken in, for the role `pfi`."""

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def subscribers_of(config: Config) -> list[Subscriber]:
    """The destinations, with the dialect of each; an edition is only read when something is to be told."""
    return [Subscriber(one.name, partial(_dialect, config, one)) for one in config.destinations]


def _dialect(config: Config, settings: DestinationSettings) -> Dialect:
    """Raises ConfigError for a subscription that cannot be followed."""
    subscription = settings.subscription
    if settings.webhook is not None:
        subscription = subscription_of_changes(subscription)
    try:
        return dialect_of(
            subscription, name=settings.name, environment=config.environment, authorities=config.authorities
        )
    except ValueError as error:
        raise ConfigError(f"destinations: {settings.name}: subscription: {error}") from None


def open_base(loaded: LoadedConfig, *, wait: float = 0.0) -> Base:
    """Open the base. `wait`: seconds a write waits for another writer. Raises `store.SchemaError`, `StoreError`."""
    config = loaded.config
    store = open_store(store_url(loaded), wait=wait)
    rules = site_policy(config)
    new_id = TimeOrderedIds(lambda: time.time_ns() // 1_000_000, os.urandom(4))
    queries = QueryHandler(rules, config.authorities, config.exchange, read=store.read, clock=local_now)
    handlers: dict[str, Handler] = {
        "ADT": AdtHandler(rules, config.exchange.processing_ids, new_id),
        "QBP": queries,
        "QCN": queries,
    }
    subscribers, recent, bell = subscribers_of(config), RecentStates(), Bell()
    followers: list[Follower] = []
    if "ri" in config.roles:
        followers.append(InsiFollower(config.insi, rules, now=rfc3339_now, new_id=new_id))
    # Whatever the roles of this process: another one may hold documents of these patients in the same base.
    followers.append(DocumentFollower(now=rfc3339_now))
    if subscribers:
        followers.append(OutboxFollower(subscribers, now=rfc3339_now, recent=recent, bell=bell))
    registrar = Registrar(store, rules, new_id, followers)
    documents = None
    if "pfi" in config.roles:
        documents = intake_of(config, site_of(config, rules, registrar, rfc3339_now, new_id, bell))
        handlers |= dict.fromkeys(("ORU", "MDM"), DocumentHandler(documents, config.exchange.processing_ids))
    intake = Intake(
        store,
        handlers,
        config.senders,
        config.exchange,
        clock=local_now,
        new_id=new_id,
        followers=followers,
        answers=ApplicationAnswers(bell),
    )
    return Base(config, loaded.data_dir, store, rules, new_id, registrar, intake, subscribers, recent, bell, documents)
