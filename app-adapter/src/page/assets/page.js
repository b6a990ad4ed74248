// Puts the parts of the page that have changed in their places, as the program tells of them.
"use strict";

function replace(part) {
  const place = document.getElementById(part.id);
  if (!place || place.dataset.version === part.version) return;
  const active = place.contains(document.activeElement) ? document.activeElement.id : "";
  const open = [...place.querySelectorAll("details")].map((details) => details.open);
  place.dataset.version = part.version;
  place.innerHTML = part.html;
  // What somebody has opened stays open, as long as there is as much of it.
  const now = place.querySelectorAll("details");
  if (now.length === open.length) now.forEach((details, at) => { details.open ||= open[at]; });
  if (active) document.getElementById(active)?.focus();
}

const live = new EventSource("/live");
live.addEventListener("parts", (event) => JSON.parse(event.data).forEach(replace));
// Another start of the program, or another login elsewhere: the forms of this page are of no use any more.
live.addEventListener("reload", () => location.reload());
live.addEventListener("error", () => {
  if (live.readyState !== EventSource.CLOSED) return;
  const place = document.getElementById("said");
  place.textContent = "This page is not connected to the program any more. Load it again.";
});
addEventListener("online", () => fetch("/api/sync/trigger", { method: "POST" }).catch(() => {}));
