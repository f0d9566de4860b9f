"""Data for maps and networks on pages, as JSON."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from api.pages.maps_and_networks import drawn_network, drawn_places
from api.web.state import state
from kg.describe.entity.map_points import spots_of
from kg.describe.entity.neighbourhood import neighbours_of
from kg.errors import ParameterError
from kg.search import exists, unknown

blueprint = Blueprint("pictures", __name__)


@blueprint.get("/neighbours")
def neighbours() -> Response:
    """Send the network around the thing `iri`: nodes, the thing itself first, and edges."""
    network = state().store.run(neighbours_of, _asked())
    return jsonify(
        drawn_network(
            list(network.things),
            [
                (edge.source, edge.target, ", ".join(name.label for name in edge.properties))
                for edge in network.edges
            ],
        )
    )


@blueprint.get("/places")
def places() -> Response:
    """Send the places of the thing `iri`, in degrees (WGS 84); those of a route in order."""
    return jsonify(drawn_places(state().store.run(spots_of, _asked())))


def _asked() -> str:
    iri = request.args.get("iri", "")
    if not iri:
        raise ParameterError("the parameter iri is missing", mend="Use ?iri=IRI.")
    if not state().store.run(exists, iri):
        raise unknown(state().store, iri)
    return iri
