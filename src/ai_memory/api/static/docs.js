// The try-it forms: each sends its request to this server and shows the response.
"use strict";

const key = document.querySelector("#api-key");
key.value = sessionStorage.getItem("api-key") ?? "";
key.addEventListener("input", () => sessionStorage.setItem("api-key", key.value));

function requestOf(form) {
  const values = JSON.parse(form.elements.fields.value || "{}");
  const method = form.dataset.method;
  const path = form.dataset.path.replace(/{(\w+)}/g, (_, name) => {
    const value = values[name] ?? "";
    delete values[name];
    return encodeURIComponent(value);
  });
  const headers = key.value ? { Authorization: `Bearer ${key.value}` } : {};
  if (form.dataset.lines) {
    headers["Content-Type"] = "application/x-ndjson";
    return [path, { method, headers, body: form.elements.lines.value }];
  }
  if (method === "GET" || method === "DELETE") {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(values)) {
      for (const one of [value].flat()) query.append(name, one);
    }
    return [query.size ? `${path}?${query}` : path, { method, headers }];
  }
  headers["Content-Type"] = "application/json";
  return [path, { method, headers, body: JSON.stringify(values) }];
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function send(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const output = form.querySelector("output");
  output.hidden = false;
  output.textContent = "…";
  try {
    const [path, options] = requestOf(form);
    const begun = performance.now();
    const response = await fetch(path, options);
    const text = await response.text();
    const took = (performance.now() - begun).toFixed(1);
    output.textContent = `${response.status} ${response.statusText} · ${took} ms\n\n${readable(text)}`;
  } catch (error) {
    output.textContent = `${error.name}: ${error.message}`;
  }
}

for (const form of document.querySelectorAll("form[data-path]")) form.addEventListener("submit", send);
