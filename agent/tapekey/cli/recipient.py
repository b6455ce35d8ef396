"""`tapekey recipient`: who may open a data key."""

from pathlib import Path

import click

from tapekey import wiring
from tapekey.cli import key_file
from tapekey.cli.options import store_options
from tapekey.cli.render import emit, json_option, table
from tapekey.errors import Usage
from tapekey.wiring import Access

KINDS = ("x25519", "rsa-3072", "p256", "p384", "mlkem768-x25519", "mlkem1024-p384", "kek")


@click.group()
def recipient() -> None:
    """Who may open a data key."""


@recipient.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--seal-with", metavar="F|-", help="Seal the private key with the passphrase in F.")
def generate(kind: str, file: Path, seal_with: str | None) -> None:
    """Make a key pair without a keystore: private half in FILE, public half in FILE.pub.

    For recovery recipients and partners: keep FILE offline, hand out FILE.pub.
    """
    from tapekey.keys import identity, identity_file, recipient_file
    from tapekey.keys.recipient import PublicRecipient

    made = identity.generate(identity.Kind(kind))
    sealing = wiring.read_passphrase(seal_with) if seal_with else None
    public = file.with_name(file.name + ".pub")
    key_file.demand_free(file, public)
    with identity_file.dump(made, sealing) as content:
        key_file.write_private(file, content)
    click.echo(f"private key  {file}")
    if isinstance(made.recipient, PublicRecipient):
        key_file.write_public(public, recipient_file.dump(made.recipient))
        click.echo(f"public key   {public}")
    click.echo(f"fingerprint  {made.recipient.fingerprint.hex()}")


@recipient.command()
@click.argument("name")
@click.option("--generate", "kind", type=click.Choice(KINDS), help="Make a key pair and keep it in the keystore.")
@click.option("--certificate", type=click.Path(path_type=Path), help="A certificate, PEM or DER.")
@click.option("--public-key", type=click.Path(path_type=Path), help="A public key, PEM or DER.")
@click.option("--private-key", type=click.Path(path_type=Path), help="A private key file, kept in the keystore.")
@store_options
def add(
    access: Access,
    name: str,
    kind: str | None,
    certificate: Path | None,
    public_key: Path | None,
    private_key: Path | None,
) -> None:
    """Put a recipient on record."""
    from tapekey.keys import identity, identity_file, recipient_file
    from tapekey.keystore import recipients

    given = [source for source in (kind, certificate, public_key, private_key) if source]
    if len(given) != 1:
        raise Usage("a recipient is one key", mend="give --generate, --certificate, --public-key or --private-key")
    expires = ""
    whose: object
    if kind:
        whose = identity.generate(identity.Kind(kind))
    elif private_key:
        whose = identity_file.load(bytes(key_file.read(private_key)))
    else:
        file = certificate or public_key
        assert file is not None
        loaded = recipient_file.load(bytes(key_file.read(file)))
        if certificate and loaded.certificate is None:
            raise Usage(f"{file} is no certificate", mend="give it as --public-key")
        whose = loaded.recipient
        expires = loaded.certificate.not_after.isoformat() if loaded.certificate else ""
    with wiring.manager(access) as manager, manager.store.writing() as transaction:
        record = recipients.add(transaction, name, whose, expires=expires)
    click.echo(f"recipient {name}  {record.suite.name}  {record.fingerprint.hex()}")


@recipient.command("list")
@json_option
@store_options
def list_(access: Access, as_json: bool) -> None:
    """List the recipients."""
    from tapekey.keystore import recipients

    with wiring.manager(access) as manager, manager.store.reading() as transaction:
        found = [
            {
                "name": record.name,
                "suite": record.suite.name,
                "role": record.role.value,
                "private_half_here": record.held,
                "expires": record.expires or None,
                "fingerprint": record.fingerprint.hex(),
            }
            for record in recipients.every(transaction)
        ]
    head = ("name", "suite", "role", "private half", "expires", "fingerprint")
    rows = (
        (
            row["name"],
            row["suite"],
            row["role"],
            "here" if row["private_half_here"] else "elsewhere",
            row["expires"] or "",
            str(row["fingerprint"])[:16],
        )
        for row in found
    )
    emit("recipients", {"recipients": found}, as_json, table(head, rows))


@recipient.command()
@click.argument("name")
@click.option("--private", type=click.Path(path_type=Path), help="Write the private half, which is here, to FILE.")
@click.option("--seal-with", metavar="F|-", help="Seal the private key with the passphrase in F.")
@store_options
def export(access: Access, name: str, private: Path | None, seal_with: str | None) -> None:
    """Print a recipient's public key, or write its private key to a file."""
    from tapekey.keys import identity_file, recipient_file
    from tapekey.keys.recipient import PublicRecipient
    from tapekey.keystore import recipients

    with wiring.manager(access) as manager:
        if private is None:
            with manager.store.reading() as transaction:
                public = recipients.recipient_of(transaction, recipients.get(transaction, name))
            if not isinstance(public, PublicRecipient):
                raise Usage(f"{name} is a group key", why="it has no public half", mend="export it with --private FILE")
            click.echo(recipient_file.dump(public).decode(), nl=False)
            return
        sealing = wiring.read_passphrase(seal_with) if seal_with else None
        with manager.store.writing() as transaction:
            held = recipients.identity_of(transaction, recipients.get(transaction, name))
            transaction.note("private key exported", recipient=name, sealed=int(sealing is not None))
        with identity_file.dump(held, sealing) as content:
            key_file.write_private(private, content)
    click.echo(f"private key  {private}")
