"""`diplograph check`: checks of the ontology and of the graph."""

from __future__ import annotations

from collections import Counter

import click

from api.commands.options import data_option, read_file
from api.commands.tables import opened_folder
from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import ToolMissingError, ValidationFailedError
from kg.ontology import article_graphs, reference_graphs
from kg.rdf.parsing import read_rdf
from kg.reasoning import check_consistency, explain
from kg.settings import Settings
from kg.table.current import known_tables
from kg.table.record_quads import find_fault
from kg.table.record_table import FOLDER as TABLES
from kg.terms import GRAPH_ALIGNMENTS, GRAPH_COUNTRIES, compact
from kg.validation import validate as apply_shapes
from kg.validation.ontology_checks import CheckFinding, read_checks, run_checks

_SHOWN = 100


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE…]")
@data_option
@click.pass_obj
def check(settings: Settings, files: tuple[str, ...]) -> None:
    """Check ontology, concepts and first graph, and RDF files together with them.

    Three things are looked at: the queries in ontology/checks (missing labels, cycles, wrong inverses and the
    like), the shapes, and with HermiT whether everything can be true at once. In a data folder, each table of
    coding records is compared with its graph. Ends with 1 on errors, with 3 when Java is not installed.
    """
    graphs = {**reference_graphs(), **article_graphs()}
    extra = {path: list(read_rdf(read_file(path), path)) for path in files}
    shapes = read_rdf((ONTOLOGY_FOLDER / "shapes.ttl").read_bytes(), "shapes.ttl")
    faults: list[str] = []

    # The countries are facts from libraries: nothing in them is a term or a concept.
    looked_at = [t for graph, triples in graphs.items() if graph != GRAPH_COUNTRIES for t in triples]
    looked_at += [*shapes, *(t for triples in extra.values() for t in triples)]
    findings = run_checks(looked_at)
    click.echo(f"Checks: {len(read_checks())} over {len(looked_at):,} statements: {_tally(findings)}")
    for finding in findings[:_SHOWN]:
        if finding.check.severity == "warning":
            click.echo(f"  warning: {finding.text}")
        else:
            faults.append(finding.text)

    background = [t for triples in (*graphs.values(), *extra.values()) for t in triples]
    for name, triples in {**{g.value: ts for g, ts in article_graphs().items()}, **extra}.items():
        found = apply_shapes(triples, background)
        faults += [f"{compact(name)}: {f.text}" for f in found if f.severity == "violation"]
        click.echo(f"Shapes: {compact(name)}: {len(triples):,} statements, {len(found)} findings")

    # Alignments speak of other vocabularies, which are not here to reason with.
    together = [t for graph, triples in graphs.items() if graph != GRAPH_ALIGNMENTS for t in triples]
    together += [t for triples in extra.values() for t in triples]
    missing: ToolMissingError | None = None
    try:
        outcome = check_consistency(together)
    except ToolMissingError as error:
        missing = error
        faults += explain(together)
    else:
        if outcome.consistent:
            click.echo("HermiT: ontology and facts are consistent")
            kinds = Counter(found.type for found in outcome.inferred_types)
            for iri, number in sorted(kinds.items()):
                click.echo(f"  {compact(iri)}: {number} inferred")
        else:
            faults += ["HermiT: ontology and facts contradict each other", *outcome.explanation]
        faults += [f"{compact(iri)} can have no member" for iri in outcome.unsatisfiable]
    faults += _table_faults(settings)
    if faults:
        raise ValidationFailedError(
            f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}",
            findings=tuple(faults),
            mend="Correct what the lines name in the files of ontology/, or in those that were given."
            " If another file describes it, name that file as well."
            " A table is written anew with: diplograph tables --rebuild.",
        )
    if missing is not None:
        raise missing


def _table_faults(settings: Settings) -> list[str]:
    folder = settings.data / TABLES
    if settings.store or not folder.is_dir():
        return []
    faults = []
    with opened_folder(settings) as store:
        for table in known_tables(store):
            if table.in_force:
                fault = find_fault(store, folder, table)
                faults += [f"table of {compact(table.graph)}: {fault}"] if fault else []
                said = "differs" if fault else "says the same as the graph"
                click.echo(f"Table: {compact(table.graph)}: {table.rows:,} records, {said}")
    return faults


def _tally(findings: list[CheckFinding]) -> str:
    counts = Counter(finding.check.severity for finding in findings)
    return ", ".join(
        f"{counts[name]} {name}{'' if counts[name] == 1 else 's'}" for name in ("error", "warning")
    )
