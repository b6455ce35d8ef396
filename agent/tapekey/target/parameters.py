"""Sets of data encryption parameters: which exist, which one a nexus uses, when they are replaced and released.

There is one shared set (scope ALL I_T NEXUS) and one for each nexus that made its own (LOCAL). A released set
leaves its counter behind, so that a lock notices the release. Key bytes are wiped when their set goes.
"""

from dataclasses import dataclass, field, replace

from tapekey.scsi.encryption import Ceem, DecryptionMode, EncryptionMode, KadFormat, Rdmc, Scope
from tapekey.scsi.kad import Kad, KadType
from tapekey.secret import Secret
from tapekey.target.cipher import Cipher
from tapekey.target.nexus import Nexus, Nexuses
from tapekey.target.unit_attention import Attention


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """One set of data encryption parameters; the defaults are those of a drive just powered on."""

    scope: Scope = Scope.PUBLIC
    creator: str = ""
    counter: int = 0
    encryption: EncryptionMode = EncryptionMode.DISABLE
    decryption: DecryptionMode = DecryptionMode.DISABLE
    algorithm_index: int = 0
    key: Secret | None = None
    kads: tuple[Kad, ...] = ()
    kad_format: KadFormat = KadFormat.UNSPECIFIED
    ceem: Ceem = Ceem.DEFAULT
    rdmc: Rdmc = Rdmc.DEFAULT
    ckod: bool = False
    ckorp: bool = False
    ckorl: bool = False

    @property
    def idle(self) -> bool:
        """Neither writing nor reading is changed by this set."""
        return self.encryption is EncryptionMode.DISABLE and self.decryption is DecryptionMode.DISABLE

    def kad(self, kind: KadType) -> bytes:
        """The value of one kind of key-associated data, or nothing."""
        return next((kad.value for kad in self.kads if kad.type == kind), b"")


@dataclass(slots=True)
class ParameterSets:
    """The shared set, the local sets, and the key instance counter that numbers their changes."""

    counter: int = 0
    shared: ParameterSet = field(default_factory=ParameterSet)
    local: dict[str, ParameterSet] = field(default_factory=dict)
    _ciphers: dict[int, Cipher] = field(default_factory=dict)

    def used_by(self, nexus: Nexus) -> ParameterSet:
        """The set that governs this nexus's reads and writes."""
        return self.local.get(nexus.name, self.shared) if nexus.scope is Scope.LOCAL else self.shared

    def cipher(self, made: ParameterSet, algorithm: int) -> Cipher:
        """The expanded key of a set that has one; it is dropped with the set."""
        if made.key is None:
            raise ValueError("a set without a key has no cipher")
        if made.counter not in self._ciphers:
            self._ciphers[made.counter] = Cipher.keyed(algorithm, made.key)
        return self._ciphers[made.counter]

    def establish(self, nexus: Nexus, parameters: ParameterSet, nexuses: Nexuses) -> ParameterSet:
        """Put a set in place of the old one of its scope; tell the others whom it affects."""
        self.counter = (self.counter + 1) & 0xFFFF_FFFF
        made = replace(parameters, creator=nexus.name, counter=self.counter)
        if made.scope is Scope.LOCAL:
            self._forget(self.local.get(nexus.name))
            self.local[nexus.name] = made
        else:
            self._forget(self.shared)
            self._forget(self.local.pop(nexus.name, None))
            self.shared = made
            for other in nexuses.others(nexus):
                if other.scope is not Scope.LOCAL:
                    other.scope = Scope.PUBLIC
                    other.tell(Attention.PARAMETERS_CHANGED_BY_NEXUS)
        nexus.scope = made.scope
        return made

    def share(self, nexus: Nexus) -> None:
        """Scope PUBLIC: the nexus gives up a set of its own and uses the shared one."""
        self._forget(self.local.pop(nexus.name, None))
        nexus.scope = Scope.PUBLIC

    def demounted(self, nexuses: Nexuses) -> None:
        """The volume has gone: sets made with CKOD go with it."""
        self._clear([made for made in self.made() if made.ckod], nexuses)

    def reservation_lost(self, name: str, nexuses: Nexuses, *, preempted: bool) -> None:
        """The nexus lost its reservation: its sets made with CKORL go, and if preempted those with CKORP."""
        lost = [made for made in self.made() if made.creator == name]
        self._clear([made for made in lost if made.ckorl or (preempted and made.ckorp)], nexuses)

    def wipe(self) -> None:
        """Power off, or hard reset: nothing is left, not even the counter."""
        for made in self.made():
            self._forget(made)
        self.shared, self.local, self.counter = ParameterSet(), {}, 0

    def made(self) -> list[ParameterSet]:
        return [self.shared, *self.local.values()]

    def _clear(self, sets: list[ParameterSet], nexuses: Nexuses) -> None:
        for made in sets:
            self.counter = (self.counter + 1) & 0xFFFF_FFFF
            self._forget(made)
            affected = [nexus for nexus in nexuses.all() if self.used_by(nexus) is made]
            if made is self.shared:
                self.shared = ParameterSet(counter=self.counter)
            else:
                del self.local[made.creator]
            for nexus in affected:
                nexus.scope = Scope.PUBLIC
                nexus.tell(Attention.PARAMETERS_CHANGED_BY_EVENT)

    def _forget(self, made: ParameterSet | None) -> None:
        if made is not None and made.key is not None:
            made.key.wipe()
            self._ciphers.pop(made.counter, None)
