"""Calls of the DMP over mutual TLS: one call, one result, its trace without the bytes of the document.

Nothing is repeated here but a call that met a connection the server had already closed, when twice does no harm; retry,
rate and outages are the caller's (`net.backoff`, `net.breaker`).
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, Literal, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml import etree

from insigne import __version__
from insigne.dmp.settings_wire import ServiceSettings
from insigne.dmp.wire import iti18, iti41, iti57, names, soap, td02
from insigne.dmp.wire.answers import OTHER_INS, read_response
from insigne.dmp.wire.cda import canonical_digest, measure
from insigne.dmp.wire.model import (
    Deletion,
    DmpFault,
    Existence,
    FaultKind,
    Feeding,
    Ins,
    Reference,
    RegistryAnswer,
    VihfContext,
    WireError,
)
from insigne.dmp.wire.mtom import Attachment, Multipart, is_multipart, read_multipart
from insigne.dmp.wire.sign import SigningKey, new_digest, sign_lot
from insigne.dmp.wire.vihf import VihfForm, build_assertion
from insigne.net.http import HttpClient, HttpError, HttpFailure, HttpLimits, HttpResponse, Streamed
from insigne.net.settings import ClientTlsSettings
from insigne.net.tls import Renewed, RenewedContext, TlsError, client_context, load_key

Transaction = Literal["TD0.2", "TD2.1", "TD3.1", "TD3.3c"]
R = TypeVar("R")


class DmpUnusable(Exception):  # noqa: N818 - named for what happened
    """The DMP cannot be called with these settings. The text names the key and the remedy."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A call as it was made. `request` and `response` are personal data, to be kept as such; the document itself is not
    in `request`. `outcome` is "ok", the first error's code, or "KIND" / "KIND:CODE" of a fault; `http_status` 0 when
    nothing came.
    """

    transaction: Transaction
    message_id: str
    endpoint: str
    started: datetime
    seconds: float
    http_status: int
    outcome: str
    request: bytes = field(repr=False)
    response: bytes = field(repr=False)


def _forget(_call: Traced) -> None:
    """Keep no trace."""


class DmpClient:
    """Calls with one certificate. Threads may share it.

    `clock` returns an aware time, `new_uuid` a UUID as text; `on_call` is told of every call, answered or not.
    Every call raises DmpFault when it brought no answer, and WireError for what no message can say, before anything is
    sent. The client itself raises DmpUnusable, and TlsError for files that cannot be used.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        clock: Callable[[], datetime],
        new_uuid: Callable[[], str],
        on_call: Callable[[Traced], None] = _forget,
    ) -> None:
        if not settings.endpoint:
            raise DmpUnusable("dmp.service.endpoint is not set: give the address of the services of the DMP")
        self._settings, self._clock, self._new_uuid, self._on_call = settings, clock, new_uuid, on_call
        self._key = Renewed(partial(_signing_key, settings), _signing_files(settings))
        self._form = _form(settings)
        limits = HttpLimits(settings.connect_seconds, settings.total_seconds, settings.max_answer_bytes)
        secure = settings.endpoint.startswith("https:")
        context = RenewedContext(settings.tls, partial(_context, settings.ciphers)) if secure else None
        try:
            self._http = HttpClient(settings.endpoint, context, limits=limits, server_name=settings.tls.server_name)
        except ValueError as error:
            raise DmpUnusable(f"dmp.service.endpoint: {error}") from error

    def existence(self, ins: Ins, vihf: VihfContext) -> Existence:
        """Ask whether the patient has a DMP, and for our authorisation (TD0.2).

        An answer that is neither yes nor no is a fault of kind `soap`, with the code of its first detail; one about
        another matricule than the one asked about is a fault of code OtherIns.
        """
        software = self._settings.software
        payload = td02.build_query(
            ins,
            sender=software.oid,
            software=software.name,
            message=self._new_uuid(),
            query=self._new_uuid(),
            now=self._clock(),
        )

        def read(answer: etree._Element) -> Existence:
            found = _existence(answer)
            if found.ins and ins.matricule not in {one.matricule for one in found.ins}:
                raise DmpFault(
                    "malformed", OTHER_INS, "the DMP answers about another INS than the one asked about", 200
                )
            return found

        return self._alone("TD0.2", names.EXISTENCE_ACTION, payload, ins, vihf, read)

    def feed(self, feeding: Feeding) -> RegistryAnswer:
        """Feed a document, or replace one (TD2.1, ITI-41). Raises WireError when its bytes are not those measured."""
        lot, now = feeding.lot, self._clock()
        measured = measure(feeding.document)
        if (measured.sha1, measured.size) != (lot.entry.hash.value, lot.entry.size.value):
            raise WireError("the document changed since its metadata were composed")
        algorithm = self._settings.signature
        digest = canonical_digest(measured, feeding.document, new_digest(algorithm))
        signature = sign_lot(
            ((lot.entry.unique_id.value, digest),),
            lot_id=lot.submission.unique_id.value,
            signature_id=f"id-{self._new_uuid()}",
            key=self._key(),
            algorithm=algorithm,
            now=now,
        )
        document_cid, signature_cid = f"{self._new_uuid()}@insigne", f"{self._new_uuid()}@insigne"
        payload = iti41.build_provide(lot, document_cid, signature_cid)
        ins = lot.entry.patient.value
        path = self._settings.repository
        message_id, envelope = self._envelope(names.PROVIDE_ACTION, payload, ins, feeding.vihf, path)
        message = Multipart(
            f"insigne-{self._new_uuid()}",
            names.PROVIDE_ACTION,
            envelope,
            (
                Attachment(document_cid, lot.entry.mime.value, feeding.document, measured.size),
                Attachment(signature_cid, "text/xml", signature, len(signature)),
            ),
        )
        call = _Call("TD2.1", message_id, envelope, path, message.content_type)
        return self._exchange(call, message, read_response)

    def delete(self, deletion: Deletion) -> RegistryAnswer:
        """Delete a document logically (TD3.3c, ITI-57)."""
        payload = iti57.build_deletion(deletion)
        ins = deletion.submission.patient.value
        return self._alone("TD3.3c", names.UPDATE_ACTION, payload, ins, deletion.vihf, read_response)

    def find(self, unique_id: str, ins: Ins, vihf: VihfContext) -> list[Reference]:
        """Return the references of a document (TD3.1 limited to them, GetDocuments), none when it is not known.

        References of another document, or of another patient, are an answer that cannot be read (fault `malformed`).
        """
        payload = iti18.build_get_documents((unique_id,), self._settings.find_returns)

        def read(answer: etree._Element) -> list[Reference]:
            found = iti18.read_found(answer)
            errors = [one for one in found.errors if not one.warning]
            if found.status == "failure" or errors:
                first = errors[0] if errors else None
                raise DmpFault("refused", first.code if first else "", first.context if first else "", 200)
            for one in found.references:
                if one.unique_id not in ("", unique_id) or one.ins not in (None, ins):
                    raise WireError("a reference of another document, or of another patient")
            return list(found.references)

        return self._alone("TD3.1", names.QUERY_ACTION, payload, ins, vihf, read)

    def close(self) -> None:
        """Close the connections kept."""
        self._http.close()

    def _alone(
        self,
        transaction: Transaction,
        action: str,
        payload: etree._Element,
        ins: Ins,
        vihf: VihfContext,
        read: Callable[[etree._Element], R],
    ) -> R:
        """Make a call whose message has one part."""
        path = self._settings.patients if transaction == "TD0.2" else self._settings.registry
        message_id, envelope = self._envelope(action, payload, ins, vihf, path)
        call = _Call(transaction, message_id, envelope, path, soap.content_type(action))
        return self._exchange(call, envelope, read, repeatable=transaction in ("TD0.2", "TD3.1"))

    def _envelope(
        self, action: str, payload: etree._Element, ins: Ins, vihf: VihfContext, path: str
    ) -> tuple[str, bytes]:
        now = self._clock()
        assertion = build_assertion(self._form, vihf, ins, self._key(), self._settings.signature, now, self._new_uuid())
        message_id = f"urn:uuid:{self._new_uuid()}"
        signed = etree.tostring(assertion, encoding="UTF-8")
        return message_id, soap.build(action, message_id, payload, assertion=signed, to=f"{self._http.url}{path}")

    def _exchange(
        self,
        call: "_Call",
        body: bytes | Streamed,
        read: Callable[[etree._Element], R],
        *,
        repeatable: bool = False,
    ) -> R:
        started, clocked = self._clock(), time.perf_counter()
        response: HttpResponse | None = None
        outcome = "ok"
        try:
            headers = {"Content-Type": call.content_type, "Accept": "application/soap+xml, multipart/related"}
            response = self._http.post(body, headers, path=call.path, repeatable=repeatable)
            answer = read(_payload(response, call.message_id, self._settings.max_answer_bytes))
            if isinstance(answer, RegistryAnswer) and not answer.success:
                outcome = next((one.code for one in answer.errors), answer.status)
        except HttpError as error:
            outcome = _KINDS[error.kind]
            # A failure of TLS may come with the answer: only without a connection is it certain that nothing left.
            raise DmpFault(_KINDS[error.kind], text=str(error), sent=error.kind != "unreachable") from error
        except DmpFault as fault:
            outcome = f"{fault.kind}:{fault.code}".removesuffix(":")
            raise
        except WireError as error:
            outcome = "malformed"
            raise DmpFault(
                "malformed", text=str(error), status=response.status if response is not None else 0
            ) from error
        finally:
            self._on_call(
                Traced(
                    call.transaction,
                    call.message_id,
                    f"{self._http.url}{call.path}",
                    started,
                    time.perf_counter() - clocked,
                    response.status if response is not None else 0,
                    outcome,
                    call.envelope,
                    response.body if response is not None else b"",
                )
            )
        return answer


@dataclass(frozen=True, slots=True)
class _Call:
    """A call about to be made."""

    transaction: Transaction
    message_id: str
    envelope: bytes = field(repr=False)
    path: str
    content_type: str


_KINDS: Final[dict[HttpFailure, FaultKind]] = {
    "unreachable": "unreachable",
    "cut": "unreachable",
    "timeout": "timeout",
    "tls": "tls",
    "malformed": "malformed",
    "large": "malformed",
}


def _payload(response: HttpResponse, message_id: str, max_bytes: int) -> etree._Element:
    """Return what the body of an answer holds. Raises DmpFault for faults, WireError for what cannot be read."""
    content_type = response.headers.get("content-type", "")
    try:
        data = read_multipart(content_type, response.body).envelope if is_multipart(content_type) else response.body
        envelope = soap.read(data, max_bytes)
    except WireError:
        if 400 <= response.status < 500:
            raise DmpFault("refused", f"HTTP {response.status}", status=response.status) from None
        if response.status >= 500:
            raise DmpFault("malformed", f"HTTP {response.status}", status=response.status) from None
        raise
    fault = soap.read_fault(envelope.payload)
    if fault is not None:
        raise DmpFault("soap", fault.code or fault.role, fault.text or fault.detail, response.status)
    if not 200 <= response.status < 300:
        raise DmpFault("malformed", f"HTTP {response.status}", status=response.status)
    if envelope.relates_to and envelope.relates_to != message_id:
        raise WireError("an answer to another question")
    return envelope.payload


def _existence(payload: etree._Element) -> Existence:
    found = td02.read_answer(payload)
    if not found.answered:
        code, text = next(iter(found.details), (found.code or found.acknowledgement, ""))
        raise DmpFault("soap", code, text, 200)
    return found


def _signing_key(settings: ServiceSettings) -> SigningKey:
    if not settings.sign_cert_file:
        raise DmpUnusable("dmp.service.sign_cert_file is not set: the DMP asks for signatures of ORG_SIGN")
    key, certificates = load_key(*_signing_files(settings))
    if not isinstance(key, RSAPrivateKey):
        raise TlsError(f"{settings.sign_cert_file}: its key is not RSA, as those of ORG_SIGN are")
    return SigningKey(key, certificates)


def _signing_files(settings: ServiceSettings) -> tuple[str, str, str]:
    return settings.sign_cert_file, settings.sign_key_file, settings.sign_key_password_file


def _context(ciphers: tuple[str, ...], tls: ClientTlsSettings) -> ssl.SSLContext:
    """TLS 1.2 with the suites listed; what OpenSSL offers when none is."""
    context = client_context(tls)
    if ciphers:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.set_ciphers(":".join(ciphers))
        except ssl.SSLError as error:
            raise DmpUnusable("dmp.service.ciphers: OpenSSL knows none of these suites") from error
    return context


def _form(settings: ServiceSettings) -> VihfForm:
    vihf, software = settings.vihf, settings.software
    return VihfForm(
        version=vihf.version,
        mode=vihf.mode,
        mode_attribute=vihf.mode_attribute,
        authn_context=vihf.authn_context,
        purpose=vihf.purpose,
        purpose_label=vihf.purpose_label,
        hidden_code=vihf.hidden_code,
        validity_seconds=vihf.validity_seconds,
        software={
            "LPS_ID": software.id,
            "LPS_Nom": software.name,
            "LPS_Version": software.version or __version__,
            "LPS_ID_HOMOLOGATION_DMP": software.homologation,
        },
    )
