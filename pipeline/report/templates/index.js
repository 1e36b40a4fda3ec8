"use strict";
// Everything of a test's reaches the page through textContent alone.
const data = JSON.parse(document.getElementById("data").textContent);
const SUITE = 0, NATIVE = 1, VERDICT = 2, WORKER = 3, START = 4, SECONDS = 5, TRIES = 6, FLAKY = 7, DETAIL = 8;
const CHUNK = 200, MOST_FAILURES = 500, OPEN_FAILURES = 3;
const byId = (id) => document.getElementById(id);
const verdictOf = (row) => data.verdicts[row[VERDICT]];
const idOf = (row) => data.suites[row[SUITE]] + "::" + row[NATIVE];
const workerOf = (row) => row[WORKER] < 0 ? "" : data.workers[row[WORKER]].name;
const isBad = (row) => data.bad.includes(verdictOf(row));

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function seconds(value) {
  return value < 1 ? Math.round(value * 1000) + " ms" : value.toFixed(value < 100 ? 2 : 0) + " s";
}

// Details of one result.
function block(parent, title, text) {
  if (!text) return;
  if (title) parent.append(make("div", "quiet", title));
  parent.append(make("pre", "", text));
}

function fillDetails(parent, row) {
  const detail = row[DETAIL] < 0 ? null : data.details[row[DETAIL]];
  const facts = [verdictOf(row), seconds(row[SECONDS])];
  if (workerOf(row)) facts.push("on " + workerOf(row));
  if (row[TRIES] > 1) facts.push("try " + row[TRIES]);
  parent.append(make("p", "quiet", facts.join(" · ")));
  if (!detail) {
    parent.append(make("p", "quiet", verdictOf(row) === "missing" ? data.missing : data.kept));
    return;
  }
  block(parent, "", detail.message);
  for (const [when, text] of detail.phases || []) block(parent, when, text);
  for (const [title, text] of detail.sections || []) block(parent, title, text);
  for (const [number, text] of (detail.earlier || []).entries()) block(parent, "failed on try " + (number + 1), text);
  for (const [name, value] of detail.properties || []) parent.append(make("p", "quiet", name + " = " + value));
  block(parent, "by hand", detail.reproduce);
  block(parent, "all that it printed is in the file", detail.log);
}

function showFailures() {
  const bad = data.rows.filter(isBad);
  if (!bad.length) return;
  byId("failures").hidden = false;
  const list = byId("failure-list");
  bad.slice(0, MOST_FAILURES).forEach((row, position) => {
    const details = make("details");
    const summary = make("summary");
    summary.append(make("span", "verdict v-" + verdictOf(row), verdictOf(row)), " ", idOf(row));
    details.append(summary);
    let filled = false;
    const fill = () => {
      if (!filled) { filled = true; fillDetails(details, row); }
    };
    details.addEventListener("toggle", fill);
    if (position < OPEN_FAILURES) { fill(); details.open = true; }
    list.append(details);
  });
  if (bad.length > MOST_FAILURES) list.append(make("p", "quiet", "and " + (bad.length - MOST_FAILURES) + " more in the table"));
  window.addEventListener("beforeprint", () => list.querySelectorAll("details").forEach((each) => { each.open = true; }));
}

// The table: only rows that are looked at become elements.
const columns = [
  ["verdict", (row) => verdictOf(row)],
  ["test", (row) => idOf(row)],
  ["time", (row) => row[SECONDS]],
  ["worker", (row) => workerOf(row)],
  ["tries", (row) => row[TRIES]],
];
const state = { filter: "", text: "", column: -1, descending: false, rows: data.rows, drawn: 0 };

function matches(row) {
  if (state.filter === "flaky" ? !row[FLAKY] : state.filter && verdictOf(row) !== state.filter) return false;
  if (!state.text) return true;
  const detail = row[DETAIL] < 0 ? null : data.details[row[DETAIL]];
  return (idOf(row) + "\n" + (detail ? detail.message : "")).toLowerCase().includes(state.text);
}

function choose() {
  state.rows = data.rows.filter(matches);
  if (state.column >= 0) {
    const key = columns[state.column][1], sign = state.descending ? -1 : 1;
    const keyed = state.rows.map((row) => [key(row), row]);
    keyed.sort((a, b) => (a[0] < b[0] ? -sign : a[0] > b[0] ? sign : 0));
    state.rows = keyed.map((pair) => pair[1]);
  }
  state.drawn = 0;
  byId("rows").replaceChildren();
  byId("shown").textContent = state.rows.length.toLocaleString("en") + " of " + data.rows.length.toLocaleString("en");
  draw();
}

function draw() {
  const part = document.createDocumentFragment();
  const end = Math.min(state.rows.length, state.drawn + CHUNK);
  for (; state.drawn < end; state.drawn++) part.append(tableRow(state.rows[state.drawn]));
  byId("rows").append(part);
  byId("more").hidden = state.drawn >= state.rows.length;
}

function tableRow(row) {
  const line = make("tr"), verdict = verdictOf(row) + (row[FLAKY] ? " (flaky)" : "");
  line.append(make("td", "verdict v-" + (row[FLAKY] ? "flaky" : verdictOf(row)), verdict));
  const cell = make("td"), name = make("button", "name", idOf(row));
  name.type = "button";
  name.setAttribute("aria-expanded", "false");
  let box = null;
  name.addEventListener("click", () => {
    if (box) { box.remove(); box = null; } else { box = make("div"); fillDetails(box, row); cell.append(box); }
    name.setAttribute("aria-expanded", String(box !== null));
  });
  cell.append(name);
  line.append(cell, make("td", "", seconds(row[SECONDS])), make("td", "", workerOf(row)), make("td", "", String(row[TRIES])));
  return line;
}

function prepareTable() {
  columns.forEach(([title], position) => {
    const head = make("th"), button = make("button", "", title);
    head.scope = "col";
    button.type = "button";
    button.addEventListener("click", () => {
      state.descending = state.column === position ? !state.descending : title === "time" || title === "tries";
      state.column = position;
      document.querySelectorAll("#heads th").forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
      choose();
    });
    head.append(button);
    byId("heads").append(head);
  });
  for (const name of data.filters) {
    const button = make("button", "v-" + name, name);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      state.filter = state.filter === name ? "" : name;
      document.querySelectorAll("#filters button").forEach((each) => each.setAttribute("aria-pressed", String(each === button && state.filter !== "")));
      choose();
    });
    byId("filters").append(button);
  }
  let waiting = 0;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { state.text = event.target.value.trim().toLowerCase(); choose(); }, 120);
  });
  byId("more").addEventListener("click", draw);
  new IntersectionObserver((seen) => { if (seen[0].isIntersecting && !byId("more").hidden) draw(); }, { rootMargin: "600px" }).observe(byId("more"));
}

// The timeline: one canvas, because there may be many thousand bars.
const lanes = data.workers.map(() => []);
for (const row of data.rows) if (row[WORKER] >= 0 && verdictOf(row) !== "not-run") lanes[row[WORKER]].push(row);
lanes.forEach((lane) => lane.sort((a, b) => a[START] - b[START]));
const LABEL = 110, AXIS = 20;
const laneHeight = Math.max(8, Math.min(22, Math.floor(900 / Math.max(1, lanes.length))));
let span = data.workers.reduce((most, worker) => Math.max(most, worker.end), data.seconds);
for (const row of data.rows) span = Math.max(span, row[START] + row[SECONDS]);
const base = data.workers.reduce((least, worker) => worker.stages.reduce((first, stage) => Math.min(first, stage[1]), least), 0);
span = (span - base) || 1;

function drawTimeline() {
  const canvas = byId("timeline"), ratio = window.devicePixelRatio || 1, width = canvas.clientWidth;
  const height = AXIS + lanes.length * laneHeight;
  canvas.style.height = height + "px";
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue("--" + name).trim();
  const scale = (width - LABEL) / span;
  pen.scale(ratio, ratio);
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  const steps = Math.max(1, Math.floor((width - LABEL) / 120));
  for (let step = 0; step < steps; step++) {
    pen.fillStyle = colour("quiet");
    pen.fillText(seconds(base + span * step / steps), LABEL + (width - LABEL) * step / steps, AXIS / 2);
  }
  lanes.forEach((lane, number) => {
    const worker = data.workers[number], top = AXIS + number * laneHeight;
    pen.fillStyle = colour("text");
    pen.fillText(worker.name.slice(0, 16), 4, top + laneHeight / 2, LABEL - 8);
    pen.fillStyle = colour("line");
    pen.fillRect(LABEL + (worker.start - base) * scale, top + laneHeight / 2, (worker.end - worker.start) * scale, 1);
    worker.stages.forEach((stage, step) => {
      pen.globalAlpha = step % 2 ? 0.35 : 0.6;
      pen.fillStyle = colour("quiet");
      pen.fillRect(LABEL + (stage[1] - base) * scale, top + laneHeight / 3, (stage[2] - stage[1]) * scale, laneHeight / 3);
      pen.globalAlpha = 1;
    });
    for (const row of lane) {
      pen.fillStyle = colour(row[FLAKY] ? "flaky" : verdictOf(row));
      const wide = row[SECONDS] * scale;
      pen.fillRect(LABEL + (row[START] - base) * scale, top + 1, Math.max(0.6, wide > 3 ? wide - 0.7 : wide), laneHeight - 2);
    }
    if (worker.lost) {
      const label = "✖ " + worker.lost, wide = pen.measureText(label).width + 6;
      const left = Math.min(width - wide, LABEL + (worker.end - base) * scale);
      pen.fillStyle = colour("back");
      pen.fillRect(left, top + 1, wide, laneHeight - 2);
      pen.fillStyle = colour("failed");
      pen.fillText(label, left + 3, top + laneHeight / 2);
    }
  });
}

function point(event) {
  const box = event.target.getBoundingClientRect();
  const lane = lanes[Math.floor((event.clientY - box.top - AXIS) / laneHeight)];
  const at = base + (event.clientX - box.left - LABEL) * span / (box.width - LABEL);
  if (!lane) return;
  const worker = data.workers[lanes.indexOf(lane)], stage = worker.stages.find((each) => each[1] <= at && at < each[2]);
  if (stage && !lane.some((row) => row[START] <= at && at < row[START] + row[SECONDS])) {
    byId("timeline-text").textContent = worker.name + ": until " + stage[0] + " (" + seconds(stage[2] - stage[1]) + ")";
    return;
  }
  let low = 0, high = lane.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lane[middle][START] <= at) low = middle; else high = middle - 1;
  }
  const row = lane[low];
  if (row) byId("timeline-text").textContent = workerOf(row) + ": " + idOf(row) + " (" + verdictOf(row) + ", " + seconds(row[SECONDS]) + ")";
}

showFailures();
prepareTable();
choose();
drawTimeline();
byId("timeline").addEventListener("pointermove", point);
window.addEventListener("resize", drawTimeline);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawTimeline);
document.body.dataset.ready = "yes";
