"""`diplograph describe`, `search` and `validate`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click

from api.commands.options import data_option, name_file, opened, output_option, write
from api.commands.terminal_tables import term_text, text_table
from kg.errors import ValidationFailedError
from kg.load import report
from kg.rdf.formats import rdf_format
from kg.search import index_of, iri_text, name_all, plain, resolve
from kg.search import search as find
from kg.settings import Settings
from kg.store import Store
from kg.terms import compact

_SHOWN = 50


@click.command()
@click.argument("name", metavar="NAME|IRI")
@click.option(
    "--format", "form", type=click.Choice(("text", "ttl", "jsonld")), default="text", show_default=True
)
@output_option
@data_option
@click.pass_obj
def describe(settings: Settings, name: str, form: str, output: Path | None) -> None:
    """Show what the graph holds about a thing."""
    with opened(settings) as store:
        iri = resolve(store, name)
        if form == "text":
            write((line.encode() + b"\n" for line in _description(store, iri)), output)
        else:
            from kg.describe.entity.description_rdf import describe_triples

            write(describe_triples(store, iri).serialize(rdf_format(form)), output)


@click.command()
@click.argument("text")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@data_option
@click.pass_obj
def search(settings: Settings, text: str, limit: int) -> None:
    """Find things by their names."""
    with opened(settings) as store:
        hits = find(store, text, limit)
    if not hits:
        click.echo("Nothing found.", err=True)
        return
    for line in text_table(
        ("label", "type", "name"), [(h.label, h.type_label, compact(h.iri)) for h in hits], None
    ):
        click.echo(line)


@click.command()
@data_option
@click.pass_obj
def index(settings: Settings) -> None:
    """Rebuild the index of names; a running server searches the old one meanwhile."""
    with opened(settings) as store:
        found = index_of(store)
        found.rebuild(store)
        click.echo(f"{found.count():,} names are indexed")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--format", "form", help="Syntax: ttl, trig, nt, nq, rdf, jsonld. [default: by the ending]")
@data_option
@click.pass_obj
def validate(settings: Settings, files: tuple[str, ...], form: str | None) -> None:
    """Check files against the shapes; nothing is stored. Ends with 1 when a file may not enter."""
    refused: list[str] = []
    number = 0
    with opened(settings) as store:
        for path in files:
            read = report(store, name_file(path), name=path, format=form)
            number += read.checked.violations
            refused += read.violations
            others = [(severity, text) for severity, text in read.findings if severity != "violation"]
            for severity, text in others:
                click.echo(f"{severity}: {text}")
            # The last of them says how many more there are.
            for text in read.others[len(others) :]:
                click.echo(text)
            if not read.violations:
                click.echo(f"{path}: conforms to the shapes")
    if refused:
        raise ValidationFailedError(
            f"{number:,} {'violation' if number == 1 else 'violations'} of the shapes",
            findings=tuple(refused),
            mend="Correct the lines that the findings name.",
        )


def _description(store: Store, iri: str) -> Iterator[str]:
    node = iri_text(iri)
    says = [(plain(r["p"]), r["o"]) for r in store.query(f"SELECT DISTINCT ?p ?o {{ {node} ?p ?o }}").rows()]
    told = [(plain(r["p"]), r["s"]) for r in store.query(f"SELECT DISTINCT ?s ?p {{ ?s ?p {node} }}").rows()]
    iris = [term.value for _, term in says + told if str(term).startswith("<")]  # type: ignore[union-attr]
    names = name_all(store, [iri, *(p for p, _ in says + told), *iris])
    yield names[iri].label
    yield iri
    for arrow, pairs in (("", says), ("← ", told)):
        grouped: dict[str, list[str]] = defaultdict(list)
        for predicate, term in pairs:
            value = plain(term)
            label = f"{names[value].label}  <{compact(value)}>" if value in names else term_text(term)
            grouped[names[predicate].label].append(" ".join(label.split()))
        for predicate in sorted(grouped):
            yield f"\n{arrow}{predicate}"
            values = sorted(grouped[predicate])
            yield from (f"  {value}" for value in values[:_SHOWN])
            if len(values) > _SHOWN:
                yield f"  … and {len(values) - _SHOWN} more"
