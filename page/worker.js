// Python in a thread of its own. Messages in: {id, name, content, wavelength, radiation, cell}; messages out:
// {state}, {ready: facts, seconds}, {id, answer, seconds} and {failed}.
"use strict";

let answered;

async function start() {
  const began = performance.now();
  const bytes = async (path) => {
    const got = await fetch(path);
    if (!got.ok) throw new Error(`${path} could not be loaded (${got.status})`);
    return new Uint8Array(await got.arrayBuffer());
  };
  const parts = JSON.parse(new TextDecoder().decode(await bytes("page.json")));
  const models = [parts.network, parts.card].filter(Boolean);
  // all at once: what takes time over a network is waiting
  const waiting = Promise.all([...parts.archives, ...models].map(bytes));
  importScripts("pyodide/pyodide.js");
  const python = await loadPyodide({indexURL: "pyodide/"});
  postMessage({state: "Loading numpy and the network …"});
  const loaded = await waiting;
  // from here on this thread has no way to send anything anywhere, whatever the code in it does
  for (const name of ["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "WebTransport", "importScripts"]) {
    Object.defineProperty(self, name, {value: undefined, writable: false, configurable: false});
  }
  const home = python.runPython("import site; site.getsitepackages()[0]");
  parts.archives.forEach((_, i) => python.unpackArchive(loaded[i], "zip", {extractDir: home}));
  models.forEach((name, i) => python.FS.writeFile(`/home/pyodide/${name}`, loaded[parts.archives.length + i]));
  python.globals.set("network", `/home/pyodide/${parts.network}`);
  python.runPython(`
import importlib
importlib.invalidate_caches()
from paperlib.answers.answer import released_asker
from paperlib.answers import on_a_page
asker = released_asker(network)
def answered(content, *given):
    return on_a_page.answered(asker, content.to_bytes(), *given)
`);
  answered = python.globals.get("answered");
  const facts = python.runPython("on_a_page.facts(asker)");
  postMessage({ready: JSON.parse(facts), licences: parts.licences, seconds: (performance.now() - began) / 1000});
}

function ask({id, name, content, wavelength, radiation, cell}) {
  const began = performance.now();
  const given = Number.isFinite(wavelength) ? wavelength : undefined;
  const answer = answered(new Uint8Array(content), name, given, radiation, cell);
  postMessage({id, answer: JSON.parse(answer), seconds: (performance.now() - began) / 1000});
}

const started = start().then(() => true, (error) => {
  postMessage({failed: String(error.message || error)});
  return false;
});

onmessage = async ({data}) => {
  if (!(await started)) return;
  try {
    ask(data);
  } catch (error) {
    postMessage({id: data.id, failed: String(error.message || error).trim().split("\n").pop()});
  }
};
