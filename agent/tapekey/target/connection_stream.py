"""A session in a stream: receive, compare, take, answer, follow; until something comes that is not like the last."""

import socket

from tapekey.exchange import Buffer
from tapekey.iscsi.events import Event
from tapekey.iscsi.pdu import HEADER
from tapekey.iscsi.repeats import Repeats
from tapekey.iscsi.target import TargetSession
from tapekey.target import connection_link
from tapekey.target.stream import Stream


def run(link: socket.socket, repeats: Repeats, stream: Stream) -> tuple[int, memoryview, memoryview]:
    """Serve while it goes on: how many commands, and what had come of the next one, header and data.

    Silence, and the end of the connection, end it as well: both are found again by whoever receives next.
    """
    header, room = repeats.header, stream.room
    answer: list[Buffer] = [repeats.reply, stream.data] if stream.data else [repeats.reply]
    size, served = sum(map(len, answer)), 0
    while True:
        came = _receive(link, header)
        if came < HEADER or not repeats.came():
            return served, header[:came], room[:0]
        if room and (came := _receive(link, room)) < len(room):
            return served, header, room[:came]
        if not stream.take():
            return served, header, room
        repeats.number()
        connection_link.send_all(link, answer, size)
        stream.follow()
        served += 1


def feed(session: TargetSession, data: memoryview) -> list[Event]:
    """Give a session what was received elsewhere."""
    events: list[Event] = []
    while data and (place := session.wants()):
        count = min(len(place), len(data))
        place[:count] = data[:count]
        events += session.took(count)
        data = data[count:]
    return events


def _receive(link: socket.socket, place: memoryview) -> int:
    try:
        return link.recv_into(place, 0, socket.MSG_WAITALL)
    except BlockingIOError:  # silence
        return 0
