"""A file fetched from a server of SFTP becomes a file for a laboratory there, which acknowledges by a file."""

import asyncio

import asyncssh

from insigne.app.base import open_base
from insigne.app.server import Service
from insigne.config import load
from insigne.hl7 import Message, build_ack, parse_ack
from insigne.store import upgrade

GAM = "GAM&1.2.250.1.999.1&ISO"
NOW = "20260301083000+0100"
CONFIG = """
[mllp]
port = 0
[http]
port = 0

[[remote_folders]]
name = "GAM"
path = "/out"
acks = "acks"
poll_seconds = 0.05
[remote_folders.sftp]
host = "127.0.0.1"
port = {port}
user = "insigne"
host_key = "{key}"
password_file = "{password}"

[[destinations]]
name = "LABO"
[destinations.sftp]
path = "/labo"
semaphore = "{{file}}.ok"
acks = "acks"
[destinations.sftp.server]
host = "127.0.0.1"
port = {port}
user = "insigne"
host_key = "{key}"
password_file = "{password}"
[destinations.subscription]
edition = "2.5"
charset = "iso8859-1"
"""


def adt(control_id, ipp):
    return (
        f"MSH|^~\\&|GAM|CHU|RI|GHT|{NOW}||ADT^A28^ADT_A05|{control_id}|P|2.5^FRA^2.11||||||UNICODE UTF-8\r"
        f"EVN||{NOW}\rPID|||{ipp}^^^{GAM}^PI||BÉRANGER^MAËLLE^MAËLLE JEANNE^^^^L||19810412|F|||\rPV1||N\r"
    ).encode()


class Server(asyncssh.SSHServer):
    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return (username, password) == ("insigne", "correct horse")


async def until(condition):
    async with asyncio.timeout(30):
        while not (found := condition()):
            await asyncio.sleep(0.02)
        return found


def test_a_feed_by_files_reaches_a_laboratory_that_answers_by_files(tmp_path):
    there = tmp_path / "server"
    for folder in ("out", "labo", "labo/acks"):
        (there / folder).mkdir(parents=True)
    (tmp_path / "password").write_text("correct horse\n")
    key = asyncssh.generate_private_key("ssh-ed25519")
    upgrade(f"sqlite:///{tmp_path}/insigne.db")

    async def scenario():
        server = await asyncssh.create_server(
            Server,
            "127.0.0.1",
            0,
            server_host_keys=[key],
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=bytes(there)),
        )
        config = tmp_path / "insigne.toml"
        fingerprint = key.get_fingerprint("sha256")
        config.write_text(CONFIG.format(port=server.get_port(), key=fingerprint, password=tmp_path / "password"))
        loaded = load(config, [], {}, tmp_path)
        base = open_base(loaded)
        service = Service(base, loaded)
        try:
            await service.start()
            (there / "out/day.hl7").write_bytes(adt("M1", "9001"))
            ack = await until(lambda: list((there / "out").glob("acks/day.hl7.0001.ack")))
            assert parse_ack(ack[0].read_bytes()).code == "AA"
            await until(lambda: not (there / "out/day.hl7").exists())
            [semaphore] = await until(lambda: list((there / "labo").glob("*.ok")))
            deposited = semaphore.with_suffix("")
            message = Message.parse(deposited.read_bytes())
            assert message.declared_charset == "8859/1"
            assert message.value("PID-5.1") == "BÉRANGER"
            answer = build_ack(deposited.read_bytes(), "AA", time=NOW, control_id="L1")
            (there / "labo/acks" / f"{deposited.name}.ack").write_bytes(answer)

            def settled():
                with base.store.read() as view:
                    return not list(view.waiting("LABO", 0, 10))

            await until(settled)
            assert list((there / "labo/acks/taken").iterdir())
        finally:
            await service.stop()
            base.close()
            server.close()
            await server.wait_closed()

    asyncio.run(scenario())
