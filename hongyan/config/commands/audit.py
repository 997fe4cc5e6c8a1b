"""``hongyan audit verify``"""

from rich.console import Console

from hongyan.audit.services import seal
from hongyan.audit.services import verify as verify_chain

console = Console()


def verify() -> int:
    seal()  # without a running worker, what was done last would stand outside the chain
    result = verify_chain()
    if result.broken_at is None:
        console.print(f"[green]✓[/] {result.entries} entries, the chain is whole.")
        return 0
    console.print(f"[red]✗[/] The chain breaks at entry {result.broken_at}: it, or the entry before it, was altered.")
    console.print("Compare with a backup from before; entries up to the one before are intact.")
    return 1
