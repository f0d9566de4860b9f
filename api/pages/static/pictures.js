// Maps and networks. The page has the same content as lists, which remain if this script fails.

const vendor = new URL("vendor/", import.meta.url).href;
const draw = { network, map };

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function script(name) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = vendor + name;
    element.onload = resolve;
    element.onerror = reject;
    document.head.append(element);
  });
}

function sheet(name) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("link");
    element.rel = "stylesheet";
    element.href = vendor + name;
    element.onload = resolve;
    element.onerror = reject;
    document.head.prepend(element);
  });
}

async function json(address) {
  if (address.startsWith("#")) return JSON.parse(document.getElementById(address.slice(1)).textContent);
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.json();
}

// Characters that change the direction of writing are removed: a canvas cannot isolate them.
function plain(text, most) {
  const clean = text.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
  return clean.length > most ? clean.slice(0, most - 1) + "…" : clean;
}

async function network(box) {
  const [data] = await Promise.all([json(box.dataset.source), script("cytoscape.min.js")]);
  // Cytoscape would add a style rule to the page, which the content policy forbids. Our style sheet has the rule;
  // an element with this id prevents the attempt.
  if (!document.getElementById("__________cytoscape_stylesheet")) {
    document.head.append(Object.assign(document.createElement("meta"), { id: "__________cytoscape_stylesheet" }));
  }
  const many = new Set(data.nodes.map((node) => node.id));
  const tones = { country: "--link", event: "--warn", person: "--good", place: "--muted" };
  const picture = window.cytoscape({
    container: box,
    elements: [
      ...data.nodes.map((node, number) => ({
        data: { id: node.id, label: plain(node.label, 40), page: node.page, tone: colour(tones[node.kind] ?? "--muted") },
        classes: number || data.equal ? "" : "self",
      })),
      ...data.edges
        .filter((edge) => many.has(edge.source) && many.has(edge.target))
        .map((edge, number) => ({ data: { ...edge, id: `edge-${number}`, label: plain(edge.label, 30) } })),
    ],
    style: [
      {
        selector: "node",
        style: {
          "background-color": "data(tone)", label: "data(label)", color: colour("--ink"), "font-size": 11,
          "text-wrap": "wrap", "text-max-width": 110, "text-valign": "bottom", "text-margin-y": 3, width: 16, height: 16,
          "text-background-color": colour("--paper"), "text-background-opacity": 0.8,
        },
      },
      { selector: ".self", style: { width: 26, height: 26, "font-weight": "bold", "border-width": 3, "border-color": colour("--ink") } },
      {
        selector: "edge",
        style: {
          width: 1, "line-color": colour("--rule"), "target-arrow-color": colour("--rule"), "target-arrow-shape": "triangle",
          "curve-style": "bezier", "arrow-scale": 0.8,
        },
      },
      { selector: "edge.near", style: { label: "data(label)", "font-size": 10, color: colour("--muted"), "line-color": colour("--link"), "target-arrow-color": colour("--link"), "text-rotation": "autorotate" } },
    ],
    layout: {
      name: "cose", animate: false, randomize: false, nodeRepulsion: () => 60000, idealEdgeLength: () => 90,
      nodeOverlap: 30, padding: 30,
    },
    userZoomingEnabled: false,
    boxSelectionEnabled: false,
  });
  fill(picture, box);
  picture.on("tap", "node", (event) => window.location.assign(event.target.data("page")));
  picture.on("mouseover", "node", (event) => event.target.connectedEdges().addClass("near"));
  picture.on("mouseout", "node", (event) => event.target.connectedEdges().removeClass("near"));
}

// Stretch the layout over the box, so that labels keep their size however wide or narrow it is.
function fill(picture, box) {
  const nodes = picture.nodes();
  const near = nodes.boundingBox({ includeLabels: false });
  const [width, height, side] = [box.clientWidth, box.clientHeight, Math.min(80, box.clientWidth / 6)];
  nodes.positions((node) => ({
    x: side + ((node.position("x") - near.x1) / (near.w || 1)) * (width - 2 * side),
    y: 24 + ((node.position("y") - near.y1) / (near.h || 1)) * (height - 100),
  }));
  picture.viewport({ zoom: 1, pan: { x: 0, y: 0 } });
}

// The centre of the largest ring of an outline, for countries without a centroid.
function middle(feature) {
  const parts = feature.geometry.type === "Polygon" ? [feature.geometry.coordinates] : feature.geometry.coordinates;
  const ring = parts.map((part) => part[0]).sort((a, b) => span(b) - span(a))[0];
  const [west, east, south, north] = bounds(ring);
  return [(south + north) / 2, (west + east) / 2];
}

function bounds(ring) {
  const xs = ring.map((point) => point[0]);
  const ys = ring.map((point) => point[1]);
  return [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
}

function span(ring) {
  const [west, east, south, north] = bounds(ring);
  return (east - west) * (north - south);
}

async function map(box) {
  const [data, world] = await Promise.all([
    json(box.dataset.source), json(vendor + "countries-50m.json"), sheet("leaflet.css"), script("leaflet.js"),
    script("topojson-client.min.js"),
  ]);
  const L = window.L;
  const lands = window.topojson.feature(world, world.objects.countries).features;
  const byCode = new Map(lands.map((land) => [land.id, land]));
  const named = new Set(data.places.map((place) => place.isoNumeric));
  const chart = L.map(box, { attributionControl: false, scrollWheelZoom: false, worldCopyJump: true, maxZoom: 7, minZoom: 1, zoomSnap: 0.5 });
  L.control.attribution({ prefix: false }).addAttribution("Outlines: Natural Earth").addTo(chart);
  L.geoJSON(lands, {
    interactive: false,
    style: (land) => ({
      color: colour("--paper"), weight: 0.7, fillOpacity: 1,
      fillColor: colour(named.has(land.id) ? "--land-named" : "--land"),
    }),
  }).addTo(chart);
  const stops = [];
  let before = null;
  for (const place of data.places) {
    let point = place.latitude === null ? null : [place.latitude, place.longitude];
    if (!point && byCode.has(place.isoNumeric)) point = middle(byCode.get(place.isoNumeric));
    if (!point) continue;
    // Draw the line across the date line if that is shorter.
    if (before) point = [point[0], point[1] + 360 * Math.round((before[1] - point[1]) / 360)];
    stops.push({ place, point });
    before = point;
  }
  if (!stops.length) throw new Error("no place is known");
  const points = stops.map((stop) => stop.point);
  if (points.length === 1) chart.setView(points[0], 3);
  else chart.fitBounds(points, { padding: [60, 40], maxZoom: 5 });
  const way = stops.filter((stop) => stop.place.way).map((stop) => stop.point);
  L.polyline(way, { color: colour("--bad"), weight: 2, dashArray: "6 4", interactive: false }).addTo(chart);
  for (const { place, point } of stops) {
    const words = document.createElement("bdi");
    words.textContent = (place.role ? place.role + ": " : "") + place.label;
    L.circleMarker(point, { radius: 6, color: colour("--ink"), weight: 2, fillColor: colour("--link"), fillOpacity: place.exact ? 1 : 0.4 })
      .bindTooltip(words, { permanent: stops.length < 7 && box.clientWidth > 600, direction: "auto", offset: [8, 0] })
      .on("click", () => window.location.assign(place.page))
      .addTo(chart);
  }
}

const watcher = new IntersectionObserver((seen) => {
  for (const entry of seen.filter((one) => one.isIntersecting)) {
    watcher.unobserve(entry.target);
    const box = entry.target;
    draw[box.dataset.picture](box).then(() => { box.dataset.drawn = "yes"; }, (fault) => {
      console.warn(fault);
      box.hidden = true;
    });
  }
}, { rootMargin: "200px" });

for (const box of document.querySelectorAll(".picture")) {
  watcher.observe(box);
}
