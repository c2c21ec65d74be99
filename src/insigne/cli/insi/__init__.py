"""`insigne insi`: the téléservice INSi. A member is a module with a function of its name, and EXAMPLES for its help."""

from insigne.cli.common import group_app
from insigne.cli.insi import campaign, queue, search, simulator, vitale

app = group_app("Call the téléservice INSi, or simulate it.")
app.command(epilog=search.EXAMPLES)(search.search)
app.command(epilog=vitale.EXAMPLES)(vitale.vitale)
app.command(epilog=simulator.EXAMPLES)(simulator.simulator)
app.add_typer(queue.app, name="queue")
app.add_typer(campaign.app, name="campaign")
