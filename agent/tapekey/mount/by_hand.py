"""A key that an operator sets by hand, for reading only; and taking out a key of ours.

For cartridges that other software wrote, or to try what a drive says of a key. Writing is for `save` alone: it
trusts only the keystore.
"""

from dataclasses import replace

from tapekey.drive import abilities, load, modes, parameters
from tapekey.drive import identity as drive_identity
from tapekey.errors import Refused
from tapekey.exchange import Transport
from tapekey.manager.questions import KeyManager, KeyMaterial, Mount
from tapekey.mount import install, owner
from tapekey.mount.options import Options
from tapekey.mount.scene import observe
from tapekey.policy.decide import objection
from tapekey.policy.facts import Intent, Parameters


def set_key(transport: Transport, manager: KeyManager, material: KeyMaterial, options: Options) -> Mount:
    """Install a key as DISABLE / DECRYPT (MIXED with `clear_labels`), read back, and put it on record as ours."""
    scene = observe(transport, manager, Intent.RESTORE, options)
    in_clear = replace(scene.facts.drive, exposed=options.way.exposes)
    decision = objection(replace(scene.facts, drive=in_clear))
    if decision is not None:
        mend = getattr(decision, "mend", "") or "change the rule that holds for this cartridge"
        raise Refused(f"no key is set in drive {scene.drive}", why=decision.why, mend=mend)
    install.close_guard(transport, scene, manager)
    install.make_way(transport, scene)
    mount = manager.begin(scene.drive.serial, scene.cartridge.serial, scene.volser, Intent.RESTORE)
    pair = modes.READ_WITH_CLEAR_LABELS if options.clear_labels else modes.READ
    sent: modes.Status | None = None
    try:
        sent = install.send(transport, scene, material, pair, scene.evidence.kad, options)
        reference = install.verify(transport, scene, sent, pair)
        mount = replace(install.installed(mount, material, sent, reference), key_id=None)
        manager.installed(mount)
    except BaseException:
        install.withdraw(transport, scene, scene.evidence.kad, sent, manager)
        raise
    return mount


def clear_key(transport: Transport, manager: KeyManager) -> bool:
    """Take a key of ours out of the drive; False if none is there. Refused: it is somebody else's."""
    drive = drive_identity.identify(transport)
    load.presence(transport)
    able = abilities.abilities(transport)
    whose = owner.of_parameters(transport, able, manager, manager.current(drive.serial))
    if whose is Parameters.FOREIGN:
        raise Refused(
            f"the key in drive {drive} stays",
            why="somebody else set it",
            mend="let its owner clear it, or unload the cartridge and power the drive off and on",
        )
    if whose is Parameters.NONE:
        return False
    parameters.clear_key(transport, able)
    manager.note("key cleared by hand", drive=drive.serial)
    return True
