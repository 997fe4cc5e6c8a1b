"""One SMTP connection at work: takes mails, brings each to its dot, has the dot journalled, gives it, records the
answer. While the answer to one mail is awaited the envelope of the next is already with the server (RFC 2920) and its
dot with the journal, so a mail waits for the longer of the two, not for one after the other. A worker that dies leaves
at most two mails a connection in doubt.
"""

import asyncio
import logging
import secrets
from dataclasses import dataclass
from typing import Protocol

from hongyan.core import clock
from hongyan.delivery.errors import TransportProblem
from hongyan.delivery.lane.journal import Journal
from hongyan.delivery.lane.outcome import DomainPause, accepted, answer_lost, next_attempt, refused
from hongyan.delivery.lane.work import BuildRefused, Outcome, Work
from hongyan.delivery.mime.message import Built
from hongyan.delivery.transports.relay import Relay
from hongyan.delivery.transports.smtp import ConnectionCut, Envelope, Peer, Refusal, SMTPConnection, Stage
from hongyan.delivery.transports.wire import END_OF_DATA, Reply
from hongyan.delivery.types import MessageState, Reason

log = logging.getLogger(__name__)
_MAX_CUTS = 3
_random = secrets.SystemRandom()


class Lane(Protocol):
    """What a connection needs of the lane that runs it."""

    relay: Relay
    journal: Journal
    idle_s: float

    async def take(self, *, idle_s: float | None) -> Work | None:
        """The next mail; None when there was none for so long, or the lane stops."""

    def take_nowait(self) -> Work | None: ...

    def put_back(self, work: Work) -> None:
        """Not dotted: another connection may have it."""

    def drop(self, work: Work) -> None:
        """No longer ours: somebody else decides about it."""

    def record(self, work: Work, outcome: Outcome, peer: Peer | None) -> None: ...

    def hold_domain(self, pause: DomainPause) -> None: ...

    async def relay_trouble(self, problem: TransportProblem) -> None:
        """Note it and rest."""

    def relay_well(self) -> None: ...


@dataclass(slots=True)
class _Ready:
    """A mail whose bytes are made."""

    work: Work
    built: Built
    envelope: Envelope
    dot: "asyncio.Future[bool]"  # journalled, on its way to the disk while mails before it are under way


async def serve(lane: Lane) -> None:
    """Until the lane stops: wait for mail, open a connection, use it up."""
    while (work := await lane.take(idle_s=None)) is not None:
        try:
            connection = await SMTPConnection.connect(lane.relay)
        except TransportProblem as problem:
            lane.put_back(work)
            await lane.relay_trouble(problem)
            continue
        lane.relay_well()
        await _Session(lane, connection).run(work)


class _Session:
    """One connection from its first mail to its QUIT."""

    def __init__(self, lane: Lane, connection: SMTPConnection) -> None:
        self.lane, self.connection = lane, connection

    async def run(self, first: Work) -> None:
        work: Work | None = first
        try:
            while work is not None and not self.connection.worn:
                ready = self._make(work)
                work = None
                if ready is not None:
                    await self._deliver_chain(ready)
                if not self.connection.worn:
                    work = await self.lane.take(idle_s=self.lane.idle_s)
        except asyncio.CancelledError:
            self.connection.abort()
            raise
        if work is not None:
            self.lane.put_back(work)
        await self.connection.quit()

    async def _deliver_chain(self, ready: _Ready) -> None:
        """This mail, and without a pause all that follow it on this connection."""
        following: _Ready | None = ready
        offered = False
        while following is not None and not self.connection.closed:
            current, following = following, None
            if not await self._accepted_envelope(current, offered=offered):
                following, offered = self._next(), False
                continue
            if not await current.dot:
                # The server waits for a body that must not come: only hanging up ends that.
                self.lane.drop(current.work)
                self.connection.abort()
                return
            following = self._next()
            offered = following is not None and self.connection.capabilities.pipelining
            if not await self._give_dot(current, following if offered else None):
                if following is not None:
                    await self._cut(following)
                return
        if following is not None:
            await self._cut(following)

    async def _accepted_envelope(self, ready: _Ready, *, offered: bool) -> bool:
        try:
            refusal = await (self.connection.offered() if offered else self.connection.offer(ready.envelope))
        except ConnectionCut:
            await self._cut(ready)
            return False
        if refusal is not None and await self._still_ours(ready):
            self._refused(ready.work, refusal)
        return refusal is None

    async def _still_ours(self, ready: _Ready) -> bool:
        """The journal knows about the dot that will not be given: what follows is written after it."""
        if await ready.dot:
            return True
        self.lane.drop(ready.work)
        return False

    async def _give_dot(self, ready: _Ready, following: _Ready | None) -> bool:
        """Whether the connection lives on. From here a cut leaves the mail uncertain."""
        more = self.connection.envelope_bytes(following.envelope) if following is not None else b""
        try:
            reply = await self.connection.finish(ready.built.raw, END_OF_DATA, following=more)
        except ConnectionCut:
            outcome = answer_lost(ready.work, now=clock.now(), spread=_random.random)
            self.lane.record(ready.work, outcome, self.connection.peer)
            return False
        if reply.positive:
            self.lane.record(ready.work, accepted(ready.work, reply), self.connection.peer)
        else:
            self._refused(ready.work, Refusal(Stage.DOT, reply))
        return True

    def _next(self) -> _Ready | None:
        while self.connection.mails + 1 < self.lane.relay.mails_per_connection:
            work = self.lane.take_nowait()
            if work is None:
                return None
            if (ready := self._make(work)) is not None:
                return ready
        return None

    def _make(self, work: Work) -> _Ready | None:
        """The bytes, or the record of why there are none."""
        try:
            built = work.build()
        except BuildRefused as refusal:
            self.lane.record(work, Outcome(MessageState.REFUSED, refusal.reason, counts_as_attempt=False), None)
            return None
        capabilities = self.connection.capabilities
        reason = None
        if built.needs_smtputf8 and not capabilities.smtputf8:
            reason = Reason.UNSENDABLE_EAI
        elif capabilities.size and len(built.raw) > capabilities.size:
            reason = Reason.TOO_LARGE
        if reason is not None:
            self.lane.record(work, Outcome(MessageState.REFUSED, reason, counts_as_attempt=False), None)
            return None
        envelope = Envelope(work.mail_from, work.recipient, len(built.raw), built.needs_smtputf8)
        work.dotted = True
        return _Ready(work, built, envelope, self.lane.journal.dot(work, built.sha256))

    def _refused(self, work: Work, refusal: Refusal) -> None:
        outcome, pause = refused(work, _told(refusal.reply), refusal.stage, now=clock.now(), spread=_random.random)
        self.lane.record(work, outcome, self.connection.peer)
        if pause is not None:
            self.lane.hold_domain(pause)

    async def _cut(self, ready: _Ready) -> None:
        """The connection ended before this mail's dot. Nothing left us, but a mail that keeps ending connections steps
        aside for the others."""
        if not await self._still_ours(ready):
            return
        work = ready.work
        work.cuts += 1
        if work.cuts < _MAX_CUTS:
            self.lane.put_back(work)
            return
        wake_at = next_attempt(work, now=clock.now(), spread=_random.random)
        state = MessageState.FAILED if wake_at is None else MessageState.DEFERRED
        self.lane.record(work, Outcome(state, Reason.RELAY_DOWN, wake_at=wake_at), None)


def _told(reply: Reply) -> Reply:
    """A positive code where another was needed is a refusal of unknown meaning."""
    return reply if reply.code >= 400 else Reply(554, "", reply.text)
