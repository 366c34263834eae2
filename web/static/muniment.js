// Small conveniences; every page works without them.
"use strict";

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;

  const back = target.closest("[data-back]");
  if (back) history.back();

  const copy = target.closest("[data-copy]");
  if (copy) {
    navigator.clipboard.writeText(copy.dataset.copy).then(() => {
      const said = copy.querySelector("[data-said]") ?? copy;
      const before = said.textContent;
      said.textContent = copy.dataset.copied;
      setTimeout(() => { said.textContent = before; }, 1800);
    });
  }

  // Another page of results begins at its top.
  if (target.closest(".pager-row button")) document.getElementById("results")?.scrollIntoView();

  const print = target.closest("[data-print]");
  if (print) window.print();

  // A menu closes when the pointer goes elsewhere.
  for (const open of document.querySelectorAll("details.account[open], details.more[open]")) {
    if (!open.contains(target)) open.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.account[open], details.more[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

// One send a form: a second press of a slow button would ask twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  setTimeout(() => {
    for (const button of form.querySelectorAll("button:not([type=button])")) {
      button.setAttribute("aria-busy", "true");
      button.disabled = true;
    }
  });
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[aria-busy]")) {
    button.removeAttribute("aria-busy");
    button.disabled = false;
  }
});

// What is on the screen no longer answers what was asked: it says so, and does not pass for the answer.
document.addEventListener("htmx:error", (event) => {
  const told = event.target instanceof Element && document.querySelector(event.target.getAttribute("hx-target"));
  if (!told || told.matches(".flags")) return;
  const notice = document.createElement("div");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  const text = document.createElement("p");
  text.textContent = document.body.dataset.unreachable;
  notice.append(text);
  told.replaceChildren(notice);
});
