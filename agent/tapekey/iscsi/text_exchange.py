"""Text requests in full feature phase: SendTargets, and what little else may be said there (RFC 7143, 11.10, 13.3)."""

from typing import Final

from tapekey.errors import Malformed
from tapekey.exchange import Buffer
from tapekey.iscsi import keys, negotiation, text
from tapekey.iscsi.codes import NO_TAG
from tapekey.iscsi.keys import Sender, Use
from tapekey.iscsi.login import PORTAL_GROUP
from tapekey.iscsi.request import TextRequest
from tapekey.iscsi.response import TextResponse
from tapekey.iscsi.text import Pair

ALL: Final = "All"


class TextExchange:
    """One exchange at a time: its text so far, and what of the answer has not been sent.

    `max_send` follows the MaxRecvDataSegmentLength that the initiator declares here.
    """

    def __init__(
        self, target: str, portal: str, *, discovery: bool, max_send: int, beside: tuple[tuple[str, int], ...] = ()
    ) -> None:
        self._target = target
        self._portal = portal
        self._beside = beside
        self._discovery = discovery
        self._text = b""
        self._waiting = b""
        self._transfer_tag = NO_TAG
        self.max_send = max_send

    def receive(self, request: TextRequest, data: Buffer, fresh_tag: int) -> tuple[TextResponse, bytes]:
        """The response and its text. An exchange that breaks the rules raises `Malformed`, and is forgotten."""
        try:
            return self._receive(request, data, fresh_tag)
        except Malformed:
            self._forget()
            raise

    def _receive(self, request: TextRequest, data: Buffer, fresh_tag: int) -> tuple[TextResponse, bytes]:
        if request.transfer_tag == NO_TAG:
            self._forget()
        elif request.transfer_tag != self._transfer_tag:
            raise Malformed("a text request belongs to no exchange")
        if len(self._text) + len(data) > text.LONGEST or (request.more and request.final):
            raise Malformed("a text exchange is too long, or ends in the middle of a value")
        self._text += bytes(data)
        if not request.more:
            if self._text:
                self._waiting += text.image(self._answer(text.pairs(self._text)))
            self._text = b""
        return self._respond(request, fresh_tag)

    def _respond(self, request: TextRequest, fresh_tag: int) -> tuple[TextResponse, bytes]:
        piece, self._waiting = self._waiting[: self.max_send], self._waiting[self.max_send :]
        final = request.final and not self._waiting
        self._transfer_tag = NO_TAG if final else fresh_tag
        return TextResponse(
            final=final,
            more=bool(self._waiting),
            lun=request.lun,
            tag=request.tag,
            transfer_tag=self._transfer_tag,
        ), piece

    def _forget(self) -> None:
        self._text = self._waiting = b""
        self._transfer_tag = NO_TAG

    def _answer(self, found: list[Pair]) -> list[Pair]:
        names = [name for name, _ in found]
        if len(set(names)) != len(names):
            raise Malformed("a key is sent twice")
        return [reply for name, value in found for reply in self._reply(name, value)]

    def _reply(self, name: str, value: str) -> list[Pair]:
        if name == "SendTargets":
            return self._targets(value)
        key = keys.KEYS.get(name)
        if key is None:
            return [(name, keys.OBSOLETE.get(name, negotiation.NOT_UNDERSTOOD))]
        if Use.FULL_FEATURE not in key.use or Sender.INITIATOR not in key.sender or not negotiation.legal(key, value):
            return [(name, negotiation.REJECT)]
        if name == "MaxRecvDataSegmentLength":
            self.max_send = text.number(value) or self.max_send
        return []

    def _targets(self, wanted: str) -> list[Pair]:
        """All is for discovery sessions; a name, or none for the session's own, is for either (Appendix C)."""
        if (wanted == ALL and not self._discovery) or (wanted == "" and self._discovery):
            return [("SendTargets", negotiation.REJECT)]
        host = self._portal.rpartition(":")[0]
        there = {self._target: self._portal, **{name: f"{host}:{port}" for name, port in self._beside}}
        named = there if wanted == ALL else [wanted or self._target]
        found = [(name, there[name]) for name in named if name in there]
        return [
            pair
            for name, portal in found
            for pair in (("TargetName", name), ("TargetAddress", f"{portal},{PORTAL_GROUP}"))
        ]
