"""The greet command."""

import click

from greetcore.service import Service


@click.command()
@click.argument("name", required=False)
@click.option("--language", help="language of the greeting, such as de")
def main(name, language):
    """Greet NAME, or whom the settings name."""
    click.echo(Service().greet(name, language))
