// Turning pages by key; and a page image is neither dragged nor saved by accident.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target instanceof Element && event.target.closest("input, textarea, select, audio, video")) return;
  const wanted = {
    ArrowRight: "a[rel=next]", PageDown: "a[rel=next]", n: "a[rel=next]",
    ArrowLeft: "a[rel=prev]", PageUp: "a[rel=prev]", p: "a[rel=prev]",
    "+": "a[data-key='+']", "=": "a[data-key='+']", "-": "a[data-key='-']",
  }[event.key];
  const paper = document.querySelector(".sheet-of-paper");
  // An enlarged page is wider than the window: the arrows move it.
  if (wanted?.includes("rel=") && event.key.startsWith("Arrow") && paper.scrollWidth > paper.clientWidth) return;
  const link = wanted && document.querySelector(wanted);
  if (!link) return;
  event.preventDefault();
  link.click();
});

// On a narrow screen the row of documents is longer than the screen: the open one is never out of sight.
const tabs = document.querySelector(".desk .tabs");
const open = tabs?.querySelector("[aria-current]");
if (open) tabs.scrollLeft = open.offsetLeft - (tabs.clientWidth - open.offsetWidth) / 2;

document.addEventListener("contextmenu", (event) => {
  if (event.target instanceof HTMLImageElement) event.preventDefault();
});

// A picture that does not come is no blank page: the reason stands in its place.
const picture = document.querySelector(".sheet-of-paper img");
const unshown = document.getElementById("unshown");
let asked = false; // once: each asking is a look, and recorded
const explain = async () => {
  if (asked) return;
  asked = true;
  const answer = await fetch(picture.src, { headers: { Accept: "image/jpeg" } }).catch(() => null);
  if (answer?.ok) { picture.src = picture.src; return; } // it was a passing trouble
  unshown.querySelector("p").textContent = answer === null ? unshown.dataset.unreachable : await answer.text();
  picture.hidden = true;
  unshown.hidden = false;
};
picture?.addEventListener("error", explain);
if (picture?.complete && !picture.naturalWidth && picture.loading !== "lazy") explain();
