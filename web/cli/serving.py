"""Serving the pages."""

from dataclasses import replace

import click

from web.cli.frame import Frame, framed
from web.settings import check


@click.command()
@click.option(
    "--host", help="Default: the setting host, else 127.0.0.1 · 监听的地址，默认取设置 host，否则 127.0.0.1."
)
@click.option(
    "--port",
    type=int,
    help="Default: the setting port, else 8000; 0 takes a free one · "
    "端口，默认取设置 port，否则 8000；0 表示任选空闲端口.",
)
@click.option("--sample", is_flag=True, help="Make and fill a sample archive first · 先建立示例档案库.")
@framed
def serve(frame: Frame, *, host: str | None, port: int | None, sample: bool) -> None:
    """Serve the archive in the browser · 启动网页服务."""
    wanted = frame.settings
    settings = replace(
        wanted, host=wanted.host if host is None else host, port=wanted.port if port is None else port
    )
    check(settings)
    if sample:
        from web.sample.loading import load  # noqa: PLC0415

        load(frame)
    from web.serving import serve as run  # noqa: PLC0415

    with replace(frame, settings=settings).house() as house:
        journal = house.journalling.status()
        if journal.missing:
            frame.tell(frame.words("cli.journal_lacking", count=len(journal.missing)))
        if journal.mended:
            frame.tell(frame.words("cli.journal_mended"))
        run(house, lambda address: frame.tell(frame.words("cli.serving", address=address)))


COMMANDS = (serve,)
