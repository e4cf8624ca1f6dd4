// The comparison's page: a table that sorts and filters, curves and points drawn as SVG.
const content = JSON.parse(document.getElementById("content").textContent);
const entries = content.entries;
const COLOURS = ["#2274b5", "#d9792b", "#2f9268", "#a64ca6", "#c0443c", "#7a6a50", "#5b8fa8", "#b59a1e"];
const DASHES = ["", "8 4", "2 3", "9 3 2 3"]; // where there are more entries than colours
const look = (i) => ({ stroke: COLOURS[i % COLOURS.length], "stroke-dasharray": DASHES[Math.floor(i / COLOURS.length) % DASHES.length] });
entries.forEach((entry, i) => { entry.look = look(i); entry.colour = entry.look.stroke; });
for (const part of document.querySelectorAll("[hidden]:not(#one)")) part.hidden = false; // all that needs this script

const state = { key: "rank", up: true, filter: "", chosen: null };
const element = (name, attributes = {}, text = null) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  return made;
};
const html = (name, text = null) => {
  const made = document.createElement(name);
  if (text !== null) made.textContent = text;
  return made;
};
const visible = () => entries.filter((e) => e.name.toLowerCase().includes(state.filter));

// --- the table -----------------------------------------------------------------------
function inOrder(list) {
  const sign = state.up ? 1 : -1;
  return [...list].sort((a, b) => {
    const [x, y] = [a[state.key], b[state.key]];
    if (x === null || y === null) return (x === null) - (y === null); // unknown comes last
    return sign * (typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y);
  });
}

function swatch(entry) {
  const svg = element("svg", { class: "swatch", viewBox: "0 0 24 8", "aria-hidden": "true" });
  svg.append(element("path", { d: "M0 4H24", "stroke-width": 4, ...entry.look }));
  return svg;
}

function showTable() {
  const body = document.querySelector("#board tbody");
  body.replaceChildren(...inOrder(visible()).map((entry) => {
    const row = html("tr");
    row.append(...entry.cells.map((text) => html("td", text)));
    row.children[1].prepend(swatch(entry));
    row.tabIndex = 0;
    row.classList.toggle("chosen", entry === state.chosen);
    row.addEventListener("click", () => choose(entry));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(entry); });
    return row;
  }));
  for (const head of document.querySelectorAll("#board th")) {
    if (head.dataset.key === state.key) head.setAttribute("aria-sort", state.up ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
}

for (const head of document.querySelectorAll("#board th")) {
  head.addEventListener("click", () => {
    const key = head.dataset.key;
    state.up = state.key === key ? !state.up : true;
    state.key = key;
    showTable();
  });
}
document.getElementById("filter").addEventListener("input", (event) => {
  state.filter = event.target.value.trim().toLowerCase();
  show();
});

// --- drawing -------------------------------------------------------------------------
const [HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [300, 62, 40, 12, 16];
const [WIDE, NARROW] = [880, 440]; // a card's width, and half of it

const isShare = (metric, values) => /(^|\/)accuracy[^/]*$/.test(metric) && values.every((v) => v >= 0 && v <= 1);

function niceTicks(low, high, isLog) {
  if (isLog && high - low < 0.7) return niceTicks(10 ** low, 10 ** high, false).map(Math.log10); // too near for 1, 2, 5
  if (isLog) {
    const ticks = [];
    for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
      for (const digit of high - low > 3 ? [1] : [1, 2, 5]) ticks.push(power + Math.log10(digit));
    }
    return ticks.filter((tick) => tick >= low - 1e-9 && tick <= high + 1e-9);
  }
  const raw = (high - low) / 5 || 1;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = size * [1, 2, 5, 10].find((factor) => size * factor >= raw);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-9; tick += step) ticks.push(tick);
  return ticks;
}
function short(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  for (const [unit, name] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (size >= unit) return `${+(value / (name === "k" ? 1e3 : unit)).toPrecision(3)} ${name}`;
  }
  return String(+value.toPrecision(3));
}

// Axes over all given points; returns the drawing and the functions that place a point.
// What is a share is shown in percent, and its axis ends at 0 and 100 %.
function frame(xs, ys, { logX = false, logY = false, share = false, labelX, width = WIDE }) {
  const [toX, toY] = [logX ? Math.log10 : Number, logY ? Math.log10 : Number];
  const bounds = (values, pad) => {
    let [low, high] = [Math.min(...values), Math.max(...values)];
    if (low === high) [low, high] = [low - (Math.abs(low) / 10 || 1), high + (Math.abs(high) / 10 || 1)];
    return [low - pad * (high - low), high + pad * (high - low)];
  };
  const [lowX, highX] = bounds(xs.map(toX), logX ? 0.06 : 0);
  let [lowY, highY] = bounds(ys.map(toY), 0.06);
  if (share) [lowY, highY] = [Math.max(lowY, 0), Math.min(highY, 1)];
  const x = (value) => LEFT + (width - LEFT - RIGHT) * (toX(value) - lowX) / (highX - lowX);
  const y = (value) => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (toY(value) - lowY) / (highY - lowY);
  const svg = element("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img" });
  for (const tick of niceTicks(lowY, highY, logY)) {
    const value = logY ? 10 ** tick : tick;
    svg.append(element("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
      element("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, share ? `${short(100 * value)} %` : short(value)));
  }
  for (const tick of niceTicks(lowX, highX, logX)) {
    const value = logX ? 10 ** tick : tick;
    svg.append(element("text", { x: x(value), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, short(value)));
  }
  svg.append(element("text", { x: (LEFT + width - RIGHT) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, labelX));
  return { svg, x, y };
}
const isLogarithmic = (values) => Math.min(...values) > 0 && Math.max(...values) > 20 * Math.min(...values);
const path = (points) => points.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
function line(plot, xs, ys, look) {
  if (xs.length === 1) return element("circle", { cx: plot.x(xs[0]), cy: plot.y(ys[0]), r: 3.5, fill: look.stroke });
  return element("path", { d: path(xs.map((x, i) => [plot.x(x), plot.y(ys[i])])), fill: "none", "stroke-width": 2, ...look });
}
const titled = (shape, text) => { shape.append(element("title", {}, text)); return shape; };

function drawBands(place, metric) {
  const shown = visible().filter((e) => e.bands[metric]);
  if (!shown.length) return place.replaceChildren(html("p", "No entry has this curve."));
  const all = (part) => shown.flatMap((e) => e.bands[metric][part]);
  const values = [...all("least"), ...all("most")];
  const share = isShare(metric, values);
  const plot = frame(all("steps"), values, { share, logY: !share && isLogarithmic(values), labelX: "optimizer steps" });
  for (const entry of shown) {
    const { steps, mean, least, most } = entry.bands[metric];
    const upper = steps.map((s, i) => [plot.x(s), plot.y(most[i])]);
    const lower = steps.map((s, i) => [plot.x(s), plot.y(least[i])]).reverse();
    plot.svg.append(element("path", { d: `${path([...upper, ...lower])}Z`, fill: entry.colour, opacity: 0.18 }));
    plot.svg.append(titled(line(plot, steps, mean, entry.look), entry.name));
  }
  place.replaceChildren(plot.svg);
}

function drawPoints(place, key, label) {
  const shown = visible().filter((e) => e.value !== null && e[key] > 0);
  if (!shown.length) return place.replaceChildren(html("p", "Not known of any entry."));
  const share = isShare(content.metric, shown.map((e) => e.value));
  const within = (value) => share ? Math.min(Math.max(value, 0), 1) : value; // of an interval's ends
  const ends = (e) => [within(e.value - (e.half ?? 0)), within(e.value + (e.half ?? 0))];
  const plot = frame(shown.map((e) => e[key]), shown.flatMap(ends), { logX: true, share, labelX: label, width: NARROW });
  for (const entry of shown) {
    const [x, [low, high]] = [plot.x(entry[key]), ends(entry)];
    plot.svg.append(
      element("line", { x1: x, x2: x, y1: plot.y(low), y2: plot.y(high), stroke: entry.colour, "stroke-width": 2 }),
      titled(element("circle", { cx: x, cy: plot.y(entry.value), r: 5, fill: entry.colour }), `${entry.name}: ${entry.cells[2]}`));
  }
  place.replaceChildren(plot.svg);
}

// --- one entry's runs ------------------------------------------------------------------
function choose(entry) {
  state.chosen = state.chosen === entry ? null : entry;
  show();
}
function showOne() {
  const section = document.getElementById("one");
  const entry = state.chosen;
  section.hidden = entry === null;
  if (entry === null) return;
  const metric = document.getElementById("metric").value;
  section.querySelector("h2").textContent = `${entry.name}: ${metric} of each run`;
  const runs = entry.runs.filter((run) => run.curves[metric]);
  const place = section.querySelector(".drawing");
  if (runs.length) {
    const values = runs.flatMap((run) => run.curves[metric].values);
    const steps = runs.flatMap((run) => run.curves[metric].steps);
    const share = isShare(metric, values);
    const plot = frame(steps, values, { share, logY: !share && isLogarithmic(values), labelX: "optimizer steps" });
    runs.forEach((run, i) => {
      const curve = run.curves[metric];
      plot.svg.append(titled(line(plot, curve.steps, curve.values, look(i)), `seed ${run.seed}`));
    });
    place.replaceChildren(plot.svg);
  } else place.replaceChildren(html("p", "No run has this curve."));
  const links = [...entry.folders.map((f, i) => [f, `seed ${f.seed}: ${+entry.runs[i].value.toPrecision(5)}`]),
    ...entry.failed.map((f) => [f, `seed ${f.seed}: ${f.status}${f.cause ? `, ${f.cause}` : ""}`])];
  section.querySelector("ul").replaceChildren(...links.map(([run, text]) => {
    const item = html("li");
    const link = html("a", run.folder);
    link.href = `${encodeURI(run.folder)}/report.html`;
    item.append(`${text}, `, link);
    return item;
  }));
}

// --- all of it -------------------------------------------------------------------------
const select = document.getElementById("metric");
const names = [...new Set(entries.flatMap((e) => Object.keys(e.bands)))].sort();
const twin = content.metric.replace("test/", "val/");
select.replaceChildren(...names.map((name) => html("option", name)));
select.value = names.includes(twin) ? twin : names.find((n) => n.startsWith("val/")) ?? names[0] ?? "";
select.addEventListener("change", show);

function show() {
  showTable();
  showOne();
  drawBands(document.getElementById("curves"), select.value);
  drawPoints(document.getElementById("parameters"), "parameters", "parameters");
  drawPoints(document.getElementById("seconds"), "seconds", "seconds of training");
}
show();
