"""Values for the parameters of questions, to which the article and the fixtures have an answer."""

EVENT = {"event": "event/us-iran-deportation"}

VALUES = {
    "attribution-chain": EVENT,
    "statements-by": {"speaker": "person/ada-invented"},
    "posts": {"on": "2017-03-10"},
    "dyad": {"a": "country/irn", "b": "government/usa"},
    "coding-records": {"b": "country/qat"},
    "monthly-balance": {"a": "country/irn", "b": "country/usa", "scheme": "scheme/plover"},
    "who-held-post-on": {"event": "event/invented-treaty"},
    "head-of-mission": {"place": "place/tehran-irn", "first": "1978-01-01", "last": "1978-12-31"},
    "mission-status-on": {"receiver": "country/irn", "on": "1980-05-01"},
    "missions-closed": {"first": "1980-01-01", "last": "1980-12-31"},
    "find-country": {"text": "الولايات المتحدة"},
    "members-in-events": {"organization": "organization/united-nations"},
    "events-by-type": {"type": "event-type/plover-consult"},
    "contested-names": {"country": "country/tur", "on": "2020-01-01"},
    "events-before": {"event": "event/invented-border-treaty"},
    "known-by": {"on": "2017-12-31"},
    "neighbours": {"country": "country/tur"},
    "asserted-on": {"on": "2016-03-03"},
    "did-it-happen": {"event": "event/us-iran-deportation-arrival"},
    "talks-about": {"type": "event-type/cameo-046"},
    "offices": {"person": "person/donald-trump"},
    "took-part": {"agent": "country/usa"},
    "votes": {"resolution": "instrument/resolution-7"},
    "sanctions": {"on": "2031-06-30"},
    "relations-between": {"country": "country/xat"},
    "figure-over-time": {"thing": "event/invented-evacuation"},
}
