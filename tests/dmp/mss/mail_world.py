"""A site that mails: a real base, a real SMTP server over TLS that hands mail to a real IMAP server, their boxes."""

import asyncio
import hashlib
import imaplib
import io
import itertools
import re
import ssl
import threading
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from random import Random

import msgspec
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import DictBackend, Identity
from pymap.imap import IMAPServer
from pymap.user import Passwords, UserMetadata
from pysasl.hashing import BuiltinHash

from insigne.dmp.follower import DocumentFollower
from insigne.dmp.leaving import Leaving
from insigne.dmp.model import Content, Flags
from insigne.dmp.mss.answering import Answering
from insigne.dmp.mss.carrier import MailCarrier
from insigne.dmp.mss.mailbox import MailboxReader
from insigne.dmp.mss.smtp import SmtpSender
from insigne.dmp.reception import receive
from insigne.dmp.service import DmpService
from insigne.dmp.settings import DmpSettings
from insigne.dmp.site import Site
from insigne.dmp.whose import standing
from insigne.dmp.zam import zam
from insigne.documents.cda.build import write_cda
from insigne.documents.cda.description import Event
from insigne.exchange.apply import Registrar
from insigne.exchange.delivery.model import Attempt
from insigne.ins.cog import bundled_cog
from insigne.registry import events as ev
from insigne.registry.settings import Policy
from insigne.registry.values import Authority, Details, Dmp, Identifier, Ins, Traits
from insigne.registry.workingset import WorkingSet
from insigne.store import open_store

from ...discharge_letter import described as letter_described
from ...discharge_letter import kept as letter_kept

HOSPITAL = Authority("CHEX", "1.2.250.1.999.1", "ISO")
INS = Ins("279035121518989", "1.2.250.1.213.1.4.10")
"""Of the ANS's own test patient."""
OURS = "pfi@ch-exemple.mssante.fr"
DOCTOR = "paul.martin@cabinet.mssante.fr"
PATIENT_BOX = "279035121518989@patient.mssante.fr"
SENT_DATE = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 64
PASSWORD = "mot de passe"


class Mailboxes:
    """An IMAP server (pymap) in a thread: TLS from the first byte, a box for each address it is told of."""

    def __init__(self, certificate):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._context)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(20)

    def _run(self):
        self._loop.run_until_complete(self._serve())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _serve(self):
        self._stop = asyncio.Event()
        given = Namespace(
            demo_data=False, demo_user="nobody", demo_password=PASSWORD, host=None, port="0", debug=False, tls=False,
            cert=None, key=None, proxy_protocol=None, passlib_cfg=None, inherited_sockets=None,
        )  # fmt: skip
        self._backend, self._config = await DictBackend.init(
            given, secure_auth=False, hash_context=BuiltinHash(rounds=1)
        )
        handle = ProxyProtocolReader(self._config.proxy_protocol).get_callback(
            IMAPServer(self._backend.login, self._config)
        )
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=self._context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await self._stop.wait()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def empty(self):
        """Forget every box, and what is in it."""
        self._loop.call_soon_threadsafe(self._forget)

    def _forget(self):
        self._backend.login.users_dict.clear()
        self._config.set_cache.clear()

    def add(self, address):
        asyncio.run_coroutine_threadsafe(self._add(address), self._loop).result(20)

    async def _add(self, address):
        password = await Passwords(self._config).hash_password(PASSWORD)
        user = UserMetadata(self._config, address, password=password)
        await Identity(address, self._backend.login, None, frozenset()).set(user)

    def stop(self):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)


class _WithReceipts(SMTP):
    """aiosmtpd with the parameters of RFC 3461, which it does not know."""

    async def smtp_MAIL(self, arg):
        self.event_handler.parameters = {}
        await super().smtp_MAIL(self._kept(arg))

    async def smtp_RCPT(self, arg):
        await super().smtp_RCPT(self._kept(arg))

    def _kept(self, arg):
        pattern = r" (ENVID|RET|NOTIFY|ORCPT)=(\S+)"
        self.event_handler.parameters |= dict(re.findall(pattern, arg))
        return re.sub(pattern, "", arg)


class Post:
    """An SMTP server over STARTTLS, with a login: what it takes goes to the boxes of an IMAP server.

    `refuse`: the next answers to RCPT or to the mail itself, such as ("RCPT", "550 5.1.1 no such box").
    """

    def __init__(self, certificate):
        self.serve(None)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        self._controller = _Controller(self, context)
        self._controller.start()
        self.port = self._controller.port

    def serve(self, deliver, *, receipts=True):
        """Begin anew, handing mail to `deliver(address, raw)`; with or without the extension of receipts."""
        self._deliver = deliver
        self.receipts = receipts
        self.refuse = []
        self.parameters = {}
        self.taken = []

    def login(self, server, session, envelope, mechanism, data):
        known = data.login == OURS.encode() and data.password == PASSWORD.encode()
        return AuthResult(success=known, handled=False)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]] if self.receipts else responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if answer := self._refusal("MAIL"):
            return answer
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if answer := self._refusal("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if answer := self._refusal("DATA"):
            return answer
        self.taken.append((envelope.mail_from, tuple(envelope.rcpt_tos), dict(self.parameters)))
        for address in envelope.rcpt_tos:
            await asyncio.to_thread(self._deliver, address, envelope.original_content)
        return "250 2.0.0 OK"

    def _refusal(self, step):
        if self.refuse and self.refuse[0][0] == step:
            return self.refuse.pop(0)[1]
        return None

    def stop(self):
        self._controller.stop()


class _Controller(Controller):
    def __init__(self, post, context):
        self._context = context
        super().__init__(post, hostname="127.0.0.1", port=0)

    def factory(self):
        kind = _WithReceipts if self.handler.receipts else SMTP
        return kind(
            self.handler, loop=self.loop, tls_context=self._context, require_starttls=True, auth_required=True,
            authenticator=self.handler.login, data_size_limit=30_000_000,
        )  # fmt: skip

    def _trigger_server(self):
        """See how it answers, at the port it was given."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Servers:
    """The two servers, their certificates, and the secret of the logins."""

    def __init__(self, folder):
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.password_file = folder / "password"
        self.password_file.write_text(PASSWORD + "\n", encoding="utf-8")
        certificate = authority.issue_cert("127.0.0.1")
        self.boxes = Mailboxes(certificate)
        self.post = Post(certificate)

    def stop(self):
        self.post.stop()
        self.boxes.stop()


class Killed(BaseException):
    """The process dies here."""


def kill():
    raise Killed


class Mortal:
    """A carrier whose process may die right after it sent a mail."""

    def __init__(self, carrier):
        self._carrier = carrier
        self.after_send = lambda: None
        self.close = carrier.close

    def carry(self, errand):
        outcome = self._carrier.carry(errand)
        self.after_send()
        return outcome


class World:
    """A site, its post and its boxes."""

    def __init__(self, servers, database, *, receipts=True, **settings):
        self.servers, self.boxes, self.post = servers, servers.boxes, servers.post
        self.ca_file, self.password_file = servers.ca_file, servers.password_file
        self.boxes.empty()
        self.post.serve(self.deliver, receipts=receipts)
        self._known = set()
        self.moment = SENT_DATE
        self.numbers = itertools.count(1)
        self.store = open_store(database, wait=5.0)
        self.policy = Policy(environment="test", own=frozenset({HOSPITAL.key}))
        followers = [DocumentFollower(now=self.now)]
        self.registrar = Registrar(self.store, self.policy, self.new_id, followers)
        self.settings = msgspec.convert(self._settings(settings), DmpSettings)
        self.site = Site(self.settings, self.policy, self.registrar, zam, self.now, self.new_id)
        self.service = self.new_service()

    def _settings(self, more):
        server = {"host": "127.0.0.1", "tls": {"ca_file": str(self.ca_file)}, "user": OURS, "timeout_seconds": 20}
        server["password_file"] = str(self.password_file)
        box = {"name": "pfi", "imap": {**server, "port": self.boxes.port}, "destination": "DPI", "facility": "CHEX"}
        mss = {
            "address": OURS,
            "smtp": {**server, "port": self.post.port, "encryption": "starttls"},
            "mailboxes": [{**box, **more.pop("box", {})}],
            **more.pop("mss", {}),
        }
        service = {
            "software": {"oid": "1.2.250.1.999.1.5"},
            "caller": {"structure": "1750000001", "structure_name": "CH Exemple", "person": "810099999999"},
        }
        service["caller"]["family"] = "RESPONSABLE"
        return {"without_consent": "feed", "answers": {"DPI|CHEX": "RETOUR"}, "mss": mss, "service": service, **more}

    def close(self):
        self.service.close()
        self.store.close()

    # --- what is passed in

    def now(self):
        self.moment += timedelta(milliseconds=1)
        return self.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def new_id(self):
        return f"{next(self.numbers):020}000000"

    def clock(self):
        return self.moment

    # --- boxes

    def _imap(self, address):
        if address not in self._known:
            self.boxes.add(address)
            self._known.add(address)
        context = ssl.create_default_context(cafile=str(self.ca_file))
        connection = imaplib.IMAP4_SSL("127.0.0.1", self.boxes.port, ssl_context=context, timeout=20)
        connection.login(address, PASSWORD)
        connection.select("INBOX")
        return connection

    def deliver(self, address, raw):
        with self._imap(address) as connection:
            status, _ = connection.append("INBOX", None, None, raw)
        assert status == "OK"

    def raw_mails(self, address):
        with self._imap(address) as connection:
            _, [numbers] = connection.uid("SEARCH", "ALL")
            return [connection.uid("FETCH", n.decode(), "(BODY.PEEK[])")[1][0][1] for n in numbers.split()]

    def mails(self, address):
        return [message_from_bytes(raw, policy=policy.default) for raw in self.raw_mails(address)]

    def flags(self, address):
        with self._imap(address) as connection:
            _, lines = connection.uid("FETCH", "1:*", "(FLAGS)")
        found = (re.search(rb"FLAGS \(([^)]*)\)", line) for line in lines if line)
        return [set(one[1].decode().split()) - {r"\Recent"} for one in found]

    def erase(self, address):
        with self._imap(address) as connection:
            connection.uid("STORE", "1:*", "+FLAGS", r"(\Deleted)")
            connection.expunge()

    def begin_anew(self, address):
        """The server numbers the folder anew, with the same mails in it."""
        kept = self.raw_mails(address)
        with self._imap(address) as connection:
            connection.unselect() if "UNSELECT" in connection.capabilities else connection.close()
            connection.rename("INBOX", f"Avant{next(self.numbers)}")
        for raw in kept:
            self.deliver(address, raw)

    # --- people and documents

    def admit(self, name="A", ins=INS):
        event = ev.IdentityCreated(
            domain=HOSPITAL.key,
            identifiers=(pi(name),),
            traits=Traits("PAT-TROIS", "DOMINIQUE", "DOMINIQUE MARIE-LOUISE", "19790328", "F", "51215"),
            details=Details(dmp=Dmp()),
            checked=True,
            attributes=(),
            reliability=(),
            trusted=True,
        )
        events = [event]
        if ins is not None:
            events.append(ev.InsRecorded(ins, before=None, reason="retrieved"))
        with self.store.begin(5.0) as transaction:
            changes = WorkingSet(transaction)
            for version, one in enumerate(events, 1):
                changes.add(ev.Recorded("identity", name, version, self.now(), "gam", "message", "M", one))
            transaction.write(changes, ())
            transaction.commit()

    def lose_ins(self, name):
        with self.store.begin(5.0) as transaction:
            changes = WorkingSet(transaction)
            state = changes.identity(name)
            event = ev.InsWithdrawn(state.ins.ins, "strict trait edited")
            record = ev.Recorded("identity", name, state.version + 1, self.now(), "gam", "message", "M", event)
            changes.add(record)
            DocumentFollower(now=self.now).follow(changes, transaction)
            transaction.write(changes, ())
            transaction.commit()

    def act(self, act, sending_id):
        with self.store.begin(5.0) as transaction:
            act(transaction, self.site, sending_id, "claire")
            transaction.commit()

    def cda(self, number=42, pdf=PDF, identity="A", **changes):
        with self.store.read() as view:
            target = io.BytesIO()
            write_cda(
                io.BytesIO(pdf), target, view.identity(identity), described(number, **changes), "test", bundled_cog()
            )
        return target.getvalue()

    def document(self, body, number=42, **fields):
        row = {
            "id": f"D{self.new_id()}",
            "received": self.now(),
            "message": f"M{number}",
            "control_id": f"C{number}",
            "identity": "A",
            "patient": msgspec.json.encode((pi("A"),)),
            "content": Content(hashlib.sha256(body).hexdigest(), len(body), "text/xml"),
            "flags": Flags(to_dmp=False, to_professionals=True, ack_reception=True, ack_read=True),
            "recipients": (DOCTOR,),
        }
        return letter_kept(unique_id(number), **{**row, **fields})

    def take(self, body=None, number=42, **fields):
        body = body if body is not None else self.cda(number)
        return self.receive(self.document(body, number, **fields), body)

    def receive(self, document, body):
        with self.store.begin(5.0) as transaction:
            identity = standing(transaction, document.identity)
            sendings = receive(transaction, document, [body], identity, self.site)
            transaction.commit()
        return sendings

    # --- at work

    def new_service(self):
        self.carrier = Mortal(
            MailCarrier(
                self.settings.mss,
                self.settings.service,
                Leaving("test", bundled_cog(), complete=True),
                clock=self.clock,
            )
        )
        carriers = {"mss-ps": self.carrier, "mss-patient": self.carrier}
        return DmpService(self.store, self.site, carriers, clock=self.clock, chance=Random(1))

    def work(self):
        for _ in range(100):
            if not self.service.work():
                return
        raise AssertionError("the queue never ends")

    def die(self):
        """The process dies; another one starts once the lease ran out."""
        self.service.close()
        self.moment += timedelta(hours=1)
        self.service = self.new_service()

    @property
    def box(self):
        return self.settings.mss.mailboxes[0]

    def reader(self):
        return MailboxReader(self.box, self.store, self.site, self.clock)

    def answering(self):
        sender = SmtpSender(self.settings.mss.smtp)
        return Answering(self.box, self.store, self.site, sender, self.clock)

    # --- the DPI and the sender of documents, at the other end of the outbox

    def rows(self, destination):
        with self.store.read() as view:
            return [row for row in reversed(view.outbox()) if row.destination == destination]

    def messages(self, destination):
        with self.store.read() as view:
            return [view.outgoing_bytes(row.control_id).raw.decode() for row in self.rows(destination)]

    def end(self, row, state, ack=b""):
        """A message ends at its destination."""
        with self.store.begin(5.0) as transaction:
            attempt = Attempt(row.id, 1, self.now(), row.control_id, "refused" if ack else state, "", "", ack, 1)
            transaction.put_attempts([attempt])
            transaction.settle(row.id, state, "", self.now())
            transaction.commit()

    def sendings(self):
        with self.store.read() as view:
            return view.sendings(limit=100)[::-1]

    def kept(self, state):
        with self.store.read() as view:
            return [one.mail for one in reversed(view.mails(state))]

    def open_items(self):
        with self.store.read() as view:
            return sorted((item.kind, item.cause) for item in view.work_items())


def pi(name):
    return Identifier("PI", HOSPITAL, f"IPP-{name}")


def unique_id(number):
    return f"1.2.250.1.999.1.7.{number}"


def described(number, **changes):
    given = {"time": SENT_DATE, "event": Event(start=SENT_DATE, end=SENT_DATE)}
    return letter_described(unique_id(number), **{**given, **changes})
