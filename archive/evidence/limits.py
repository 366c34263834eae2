"""How much one job may take. Beyond any of these it is stopped and refused."""

from dataclasses import dataclass
from typing import Final

# A sound or film up to here rides inside its PDF; a larger one lies beside its cover as a sealed stream. A PDF is held
# in memory as a whole, two and a half times at least, while it is made and whenever it is read.
ATTACHED: Final = 32 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one job in the sandbox."""

    memory_bytes: int = 1_200_000_000  # address space of a worker
    cpu_seconds: int = 60
    wall_seconds: float = 90.0
    pages: int = 2000
    pixels: int = 100_000_000  # of one image frame
    output_bytes: int = 1 << 30
    source_bytes: int = 100_000_000
    media_bytes: int = 4_096_000_000  # of a sound or film
    attached_bytes: int = ATTACHED
    parts: int = 200  # attachments of a mail that are shown; the others are only named
    parts_seconds: float = 120.0  # for trying them one by one, where together they were refused
    helped_parts: int = 8  # attachments of a mail for which programs of others are started
    helped_seconds: float = 90.0  # that these programs take together while somebody waits for the mail
    program_memory_bytes: int = 1_500_000_000  # data of a program of others
    program_cpu_seconds: int = 60
    text_characters: int = 16_000_000  # of all pages together
    nice: int = 0  # nice(2): how far a worker stands back for others
