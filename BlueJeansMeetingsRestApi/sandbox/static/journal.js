"use strict";

const LONGEST = 500; // rows, so that the page of a long-running sandbox stays fast
const at = (id) => document.getElementById(id);
const rows = at("requests");
let follows = false; // true once the earlier requests of the journal are shown

function kind({ method, path }) {
  const [resource] = path.split("?");
  if (resource === "/oauth2/authorize") return "sign-in";
  if (resource === "/oauth2/tokenInfo") return "info";
  if (resource === "/oauth2/token") return method === "DELETE" ? "revoke" : "grant";
  return "other";
}

function row(seen) {
  const made = at("row").content.cloneNode(true).firstElementChild;
  const when = new Date(seen.at * 1000);
  const shown = {
    status: seen.status || "dropped",
    method: seen.method,
    path: seen.path,
    grant: seen.grant || "",
    fault: seen.fault ? "fault" : "",
    duration: `${seen.seconds < 0.001 ? "<1" : Math.round(seen.seconds * 1000)} ms`,
    time: when.toLocaleTimeString([], { hour12: false }),
    request: text(seen.request),
    response: text(seen.response),
  };
  for (const [name, value] of Object.entries(shown)) {
    made.querySelector(`[data-field=${name}]`).textContent = value;
  }
  made.querySelector("time").dateTime = when.toISOString();
  made.dataset.kind = kind(seen);
  made.dataset.outcome = !seen.status || seen.status >= 400 ? "failed" : seen.status >= 300 ? "redirect" : "done";
  return made;
}

function text(body) {
  return body === null ? "none, or no JSON" : JSON.stringify(body, null, 2);
}

function connection(state) {
  at("connection").textContent = at("connection").className = state;
}

function filter() {
  const chosen = at("filter").querySelector("[name=kind]:checked").value;
  const failedOnly = at("filter").querySelector("[name=failed]").checked;
  let shown = 0;
  for (const item of rows.children) {
    const fits = chosen === "all" || chosen === item.dataset.kind;
    item.hidden = !fits || (failedOnly && item.dataset.outcome !== "failed");
    shown += !item.hidden;
  }
  const all = rows.children.length;
  at("shown").textContent = !all ? "None yet" : `${shown} of ${all}`;
  at("empty").hidden = shown > 0;
}

async function control(button) {
  const { control, arguments: given } = button.dataset;
  const counted = control.includes("next");
  const count = Math.max(1, at("count").valueAsNumber || 1);
  const answer = await fetch(`/sandbox/${control}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...JSON.parse(given), ...(counted && { count }) }),
  });
  const what = button.textContent.trim();
  if (!answer.ok) return `${what}: ${(await answer.json()).message}`;
  return `${what}: ${!counted ? "done" : count === 1 ? "once" : `${count} times`}.`;
}

at("filter").addEventListener("change", filter);

for (const button of document.querySelectorAll("[data-control]")) {
  button.addEventListener("click", async () => {
    at("outcome").textContent = await control(button).catch(() => "The sandbox does not answer.");
  });
}

if (matchMedia("(max-width: 60rem)").matches) at("switches").open = false;

const events = new EventSource("/sandbox/events");
events.addEventListener("open", () => connection("live"));
events.addEventListener("error", () => connection("lost"));
events.addEventListener("reset", () => {
  rows.replaceChildren();
  filter();
});
events.addEventListener("request", ({ data }) => {
  const seen = JSON.parse(data);
  const made = row(seen);
  rows.prepend(made);
  if (rows.children.length > LONGEST) rows.lastElementChild.remove();
  filter();
  if (follows) {
    made.classList.add("new");
    at("announcement").textContent = `${seen.method} ${seen.path}, ${seen.status || "dropped"}`;
  }
});
events.addEventListener("state", ({ data }) => {
  for (const [name, value] of Object.entries(JSON.parse(data))) at(name).textContent = value;
  follows = true;
});
