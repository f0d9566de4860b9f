"""Door: the data of the pictures on a page, as JSON."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from api.links import href, path_of
from api.state import state
from kg.describe import neighbours_of, spots_of
from kg.errors import ParameterError
from kg.search import exists, kind_of, unknown

blueprint = Blueprint("pictures", __name__)


@blueprint.get("/neighbours")
def neighbours() -> Response:
    """Give the network around the thing named by `iri`: nodes, the thing itself first, and edges."""
    network = neighbours_of(state().store, _asked())
    return jsonify(
        {
            "nodes": [
                {"id": name.iri, "label": name.label, "kind": kind_of(name.iri), "page": href(name)}
                for name in network.things
            ],
            "edges": [
                {
                    "source": edge.source.iri,
                    "target": edge.target.iri,
                    "label": ", ".join(name.label for name in edge.properties),
                }
                for edge in network.edges
            ],
        }
    )


@blueprint.get("/places")
def places() -> Response:
    """Give the places of the thing named by `iri`, in degrees of WGS 84; those of its way in order."""
    spots = spots_of(state().store, _asked())
    return jsonify(
        {
            "places": [
                {
                    "id": spot.name.iri,
                    "label": spot.name.label,
                    "page": path_of(spot.name.iri),
                    "role": spot.role.label if spot.role else None,
                    "way": spot.way,
                    "latitude": spot.latitude,
                    "longitude": spot.longitude,
                    "exact": spot.exact,
                    "country": spot.country.label if spot.country else None,
                    "isoNumeric": spot.iso_numeric,
                }
                for spot in spots
            ]
        }
    )


def _asked() -> str:
    iri = request.args.get("iri", "")
    if not iri:
        raise ParameterError("no iri was given", mend="Write ?iri=IRI.")
    if not exists(state().store, iri):
        raise unknown(state().store, iri)
    return iri
