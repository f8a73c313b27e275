// The page: takes a file, asks the worker, shows its answer. Nothing is computed here but places in the drawing.
"use strict";

const TOP = 5, MORE = 25, LINES = 8, MARKED = 12;
const at = (id) => document.getElementById(id);
const percent = (p) => p > 0 && p < 0.0005 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`;

let symbols = {}, chosen = null, asked = 0, shown = TOP, current = null;

function element(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

function drawn(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function status(text, busy = false) {
  at("status").textContent = text;
  at("status").classList.toggle("busy", busy);
}

function failed(text) {
  at("error").textContent = text;
  at("error").hidden = !text;
  if (text) at("answer").hidden = true;
}

// ---- asking ----

const worker = location.protocol === "file:" ? null : new Worker("worker.js");
if (!worker) {
  status("");
  failed("Browsers run no Python for a page that is opened as a file. In the folder of this page start a web server, " +
    "'python3 -m http.server 8000', and open http://localhost:8000");
} else {
  status("Starting Python in this browser (some 20 MB the first time) …", true);
  worker.onmessage = ({data}) => told(data);
  worker.onerror = (event) => { status(""); failed(`This browser cannot run the page: ${event.message}`); };
}

function told(data) {
  if (data.state) return status(data.state, true);
  if (data.ready) {
    symbols = data.ready.symbols;
    about(data.ready, data.licences);
    if (!chosen) status(`Ready (started in ${data.seconds.toFixed(1)} s).`);
    return;
  }
  if (data.id !== undefined && data.id !== asked) return; // of a file that is no longer asked about
  if (data.failed) {
    status("");
    return failed(data.failed);
  }
  if (data.answer.error) {
    status("");
    failed(data.answer.error);
    if (data.answer.error.includes("states no wavelength")) at("wavelength").focus();
    return;
  }
  status(`Answered in ${data.seconds.toFixed(1)} s.`);
  show(data.answer);
}

function about(facts, licences) {
  const limits = facts.limits.map((text) => element("li", {}, `Limit: ${text}`));
  const rest = facts.about.filter((line) => !line.startsWith("  limit: ")).map((line) => element("li", {}, line.trim()));
  at("about").replaceChildren(...rest, ...limits);
  at("licences").textContent = `Made with ${licences.join("; ")}.`;
}

function numberOf(text) {
  return text.trim() ? Number(text.trim().replace(",", ".")) : undefined;
}

async function ask(file) {
  chosen = file;
  at("again").disabled = false;
  failed("");
  if (!worker) return;
  const wavelength = numberOf(at("wavelength").value);
  if (Number.isNaN(wavelength)) {
    at("wavelength").focus();
    return failed(`The wavelength is "${at("wavelength").value}"; give a number in Å, such as 1.5406`);
  }
  if (file.size > 64 * 2 ** 20) return failed(`${file.name}: more than 64 MB; no powder pattern needs that`);
  asked += 1;
  status(`Asking about ${file.name} …`, true);
  try {
    const content = await file.arrayBuffer();
    const rest = {radiation: at("radiation").value, cell: at("cell").value};
    worker.postMessage({id: asked, name: file.name, content, wavelength, ...rest}, [content]);
  } catch (error) {
    status("");
    failed(`${file.name} could not be read: ${error.message}`);
  }
}

at("file").addEventListener("change", (event) => {
  if (event.target.files.length) ask(event.target.files[0]);
  event.target.value = ""; // so that the same file, changed, can be chosen again
});
at("question").addEventListener("submit", (event) => {
  event.preventDefault();
  if (chosen) ask(chosen);
});
// anywhere on the page: a file that misses the box would otherwise be opened in place of the page
for (const name of ["dragover", "dragleave", "drop"]) {
  addEventListener(name, (event) => {
    event.preventDefault();
    at("place").classList.toggle("over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) ask(event.dataTransfer.files[0]);
  });
}

// ---- showing ----

function show(answer) {
  current = answer;
  shown = TOP;
  const [first] = answer.predictions;
  const known = answer.known;
  at("found").textContent = known ? `${first.symbol}: ${percent(first.probability)}` : "I do not know";
  at("said").textContent = known
    ? `${answer.file}: extinction class ${first.symbol}, ${first.crystal_system}.`
    : `${answer.file}: the best class, ${first.symbol}, has ${percent(first.probability)}, and less than ` +
      `${percent(answer.shown.refuse_below)} is not answered.`;
  at("warnings").replaceChildren(...answer.warnings.map((text) => element("li", {}, `Warning: ${text}`)));
  classes();
  const best = answer.space_groups.slice(0, TOP);
  at("groups").textContent = "Single space groups, as far as intensities tell them: " +
    best.map((g) => `${symbols[g.number]} (${g.number}) ${percent(g.probability)}`).join(", ");
  lines(answer);
  plot(answer);
  saving(answer);
  at("answer").hidden = false;
  at("found").focus();
}

function classes() {
  const rows = current.predictions.slice(0, shown).map((one) => {
    const bar = element("span", {class: "bar", "aria-hidden": "true"});
    bar.style.width = `${100 * one.probability}%`;
    return element("tr", {},
      element("td", {}, percent(one.probability), bar),
      element("td", {}, one.symbol),
      element("td", {}, one.crystal_system),
      element("td", {}, one.space_groups.map((number) => `${symbols[number]} (${number})`).join(", ")));
  });
  at("classes").tBodies[0].replaceChildren(...rows);
  at("more").hidden = shown >= MORE;
}
at("more").addEventListener("click", () => { shown = MORE; classes(); });

function lines(answer) {
  const [first, second] = answer.predictions;
  const indexed = answer.lines.some((line) => line.reflections.length);
  at("between").textContent = answer.lines.length
    ? `Between ${first.symbol} (1) and ${second.symbol} (2): by how much the logarithm of their odds falls when a line ` +
      "is taken out of the pattern. Angles are those of the file."
    : "No lines were found in this pattern.";
  at("lines").hidden = !answer.lines.length;
  for (const cell of document.querySelectorAll("#lines .indexed")) cell.hidden = !indexed;
  const rows = answer.lines.slice(0, LINES).map((line) => {
    const one = line.effect > 0;
    const row = element("tr", {},
      element("td", {}, line.two_theta.toFixed(2)),
      element("td", {}, line.d.toFixed(4)),
      element("td", {}, percent(line.height)),
      element("td", {}, `${one ? "+" : "−"}${Math.abs(line.effect).toFixed(2)}`),
      element("td", {class: one ? "for-1" : "for-2"}, one ? `1: ${first.symbol}` : `2: ${second.symbol}`));
    if (indexed) row.append(element("td", {}, line.reflections.slice(0, 3).map(reflection).join("; ")));
    return row;
  });
  at("lines").tBodies[0].replaceChildren(...rows);
}

function reflection({hkl, allowed, forbidden_by}) {
  const said = [0, 1].filter((k) => allowed[k] !== null).map((k) =>
    `${allowed[k] ? "allowed" : "forbidden"} by ${k + 1}${forbidden_by[k] ? ` (${forbidden_by[k]})` : ""}`);
  const words = allowed[0] && allowed[1] ? "allowed by both" : said.join(", ");
  return hkl.join(" ") + (words ? `: ${words}` : "");
}

function plot(answer) {
  const {first, step, pattern, line_places: places} = answer.shown;
  const [best, second] = answer.predictions;
  const [left, right, top, bottom] = [8, 892, 24, 262];
  const last = first + step * (pattern.length - 1);
  const x = (angle) => left + (right - left) * (angle - first) / (last - first);
  // the root, in which weak lines are seen beside strong ones
  const y = (height) => bottom - (bottom - top) * Math.sqrt(Math.max(height, 0));
  const parts = [];
  for (let i = 0; i < pattern.length;) {
    const seen = pattern[i] !== null;
    let end = i;
    while (end + 1 < pattern.length && (pattern[end + 1] !== null) === seen) end += 1;
    if (seen) {
      const points = pattern.slice(i, end + 1).map((v, k) => `${x(first + step * (i + k)).toFixed(1)} ${y(v).toFixed(1)}`);
      parts.push(drawn("path", {class: "pattern", d: `M${points.join("L")}`}));
    } else {
      const width = x(first + step * end) - x(first + step * i);
      parts.push(drawn("rect", {class: "gap", x: x(first + step * i), y: top, width, height: bottom - top}));
    }
    i = end + 1;
  }
  parts.push(drawn("path", {class: "axis", d: `M${left} ${bottom}H${right}`}));
  for (let angle = Math.ceil(first / 10) * 10; angle <= last; angle += 10) {
    parts.push(drawn("path", {class: "axis", d: `M${x(angle)} ${bottom}v5`}));
    const kind = angle % 20 ? "odd" : "even"; // a narrow screen shows every other one
    parts.push(drawn("text", {class: kind, x: x(angle), y: bottom + 26}, `${angle}°`));
  }
  answer.lines.slice(0, MARKED).forEach((line, i) => {
    const kind = line.effect > 0 ? "for-1" : "for-2";
    const mark = drawn("path", {class: `mark ${kind}`, d: `M${x(places[i])} ${top - 18}v12`});
    mark.append(drawn("title", {}, `${line.two_theta.toFixed(2)}°, d = ${line.d.toFixed(4)} Å`));
    parts.push(mark);
  });
  at("plot").replaceChildren(...parts);
  const {wavelength, second_wavelength: other, radiation, drawn_at: at_, format} = answer.shown;
  const beam = `${radiation === "xray" ? "X-rays" : radiation} of ${wavelength}${other ? ` and ${other}` : ""} Å`;
  at("plot-words").replaceChildren(
    `The pattern as the network reads it, drawn as the square root of the intensity against 2θ at ${at_.toFixed(4)} Å ` +
    `(${format}, ${beam}). Marks above: lines that speak for `,
    element("span", {class: "key for-1"}, `1, ${best.symbol}`), ", or for ",
    element("span", {class: "key for-2"}, `2, ${second.symbol}`), ". Shaded: not measured.");
}

function saving(answer) {
  const {shown: _, ...kept} = answer;
  const link = at("save");
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([`${JSON.stringify([kept], null, 1)}\n`], {type: "application/json"}));
  link.download = `${answer.file.replace(/\.[^.]*$/, "")}.json`;
}
