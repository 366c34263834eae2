"""How much one job may take. Beyond any of these it is stopped and refused."""

from dataclasses import dataclass


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
    program_memory_bytes: int = 1_500_000_000  # data of a program of others
    program_cpu_seconds: int = 60
    text_characters: int = 16_000_000  # of all pages together
    nice: int = 0  # nice(2): how far a worker stands back for others
