// Evidence: several files by drop or choice, each checked at once, each with its own line; then one upload with progress.
// Without this script the same form sends everything in one go, and the server checks it all the same.
"use strict";

(() => {
  const form = document.getElementById("filing");
  if (!form) return;
  const drop = document.getElementById("drop");
  const input = document.getElementById("evidence");
  const list = document.getElementById("uploads");
  const words = form.dataset;
  const tokenField = form.querySelector("[name=csrf_token]");
  let pieces = []; // {file, row, state: "checking" | "ok" | "no", request}

  const size = (bytes) => {
    const units = ["B", "KB", "MB", "GB"];
    let amount = bytes, unit = 0;
    while (amount >= 1000 && unit < 3) { amount /= 1000; unit += 1; }
    return `${Math.round(amount * 10) / 10} ${units[unit]}`;
  };

  // A field asked about while it is typed goes alone, not with the whole form and its files.
  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement: field, request } = event.detail.ctx;
    if (!field.matches("[data-alone]")) return;
    request.body = new FormData();
    request.body.set("field", field.name);
    request.body.set("text", field.value);
  });

  // What the form sends is the pieces that are left, in the order in which they came.
  const keep = () => {
    const transfer = new DataTransfer();
    for (const piece of pieces) if (piece.state !== "no") transfer.items.add(piece.file);
    input.files = transfer.files;
  };

  const tell = (piece, state, text) => {
    piece.state = state;
    piece.row.className = state;
    piece.row.querySelector(".file-state").textContent = text;
    if (state !== "checking") piece.row.querySelector("progress")?.remove();
    keep();
  };

  const remove = (piece) => {
    piece.request?.abort();
    pieces = pieces.filter((each) => each !== piece);
    piece.row.remove();
    keep();
    if (!pieces.some((each) => each.state === "no")) refusal.replaceChildren();
    (list.querySelector(".no button") ?? input).focus();
  };

  const line = (file) => {
    const row = document.createElement("li");
    const name = document.createElement("span");
    name.className = "file-name";
    name.textContent = `${file.name} `;
    const weight = document.createElement("small");
    weight.className = "quiet";
    weight.textContent = size(file.size);
    name.append(weight);
    const state = document.createElement("span");
    state.className = "file-state";
    const progress = document.createElement("progress");
    progress.max = 100;
    progress.value = 0;
    progress.setAttribute("aria-label", file.name);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "outline secondary";
    button.textContent = words.remove;
    button.setAttribute("aria-label", `${words.remove} ${file.name}`);
    row.append(name, button, progress, state);
    list.append(row);
    return row;
  };

  const answer = (request) => {
    try { return JSON.parse(request.responseText); } catch { return {}; }
  };

  const check = (piece) => {
    const request = new XMLHttpRequest();
    const data = new FormData();
    data.append("file", piece.file, piece.file.name);
    piece.request = request;
    tell(piece, "checking", words.checking);
    request.upload.onprogress = (event) => {
      const bar = piece.row.querySelector("progress");
      if (!bar) return;
      if (event.loaded < event.total) bar.value = (100 * event.loaded) / event.total;
      else bar.removeAttribute("value");
    };
    request.onload = () => tell(piece, request.status === 200 ? "ok" : "no", answer(request).message ?? words.unreachable);
    request.onerror = () => tell(piece, "no", words.unreachable);
    request.onloadend = next;
    request.open("POST", words.check);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", tokenField.value);
    request.send(data);
  };

  // One at a time: the server converts each file to see whether it can be kept.
  let running = null;
  const next = () => {
    running = pieces.find((piece) => piece.state === "checking" && !piece.request) ?? null;
    if (running) check(running);
  };

  const take = (files) => {
    for (const file of files) {
      const piece = { file, row: line(file), state: "checking", request: null };
      piece.row.querySelector("button").addEventListener("click", () => { remove(piece); next(); });
      pieces.push(piece);
      tell(piece, "checking", words.waiting);
    }
    if (!running) next();
  };

  input.addEventListener("change", () => {
    const fresh = [...input.files].filter((file) => !pieces.some((piece) => piece.file === file));
    take(fresh);
  });
  for (const type of ["dragenter", "dragover"]) {
    drop.addEventListener(type, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  for (const type of ["dragleave", "drop"]) {
    drop.addEventListener(type, () => drop.classList.remove("over"));
  }
  drop.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files); });

  const bar = document.getElementById("progress");
  const saying = document.getElementById("progress-said");
  const refusal = document.getElementById("refusal");
  const button = document.getElementById("send");

  const busy = (on) => {
    bar.hidden = saying.hidden = !on;
    button.disabled = on;
    button.setAttribute("aria-busy", String(on));
  };

  const show = (message) => {
    const box = document.createElement("div");
    box.className = "notice bad";
    box.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = message;
    box.append(text);
    refusal.replaceChildren(box);
    button.before(refusal); // where the eye is, and where it stays while the form is put right
  };

  const signedOut = () => {
    busy(false);
    show(words.signedOut);
    const link = document.createElement("a");
    link.href = "/sign-in";
    link.target = "_blank";
    link.textContent = words.signIn;
    refusal.querySelector("p").append(" ", link);
  };

  const clearFields = () => {
    for (const each of form.querySelectorAll(".field-problem.live")) each.remove();
    for (const each of form.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  };

  const showFields = (problems) => {
    let first = null;
    for (const [path, texts] of Object.entries(problems)) {
      const field = form.querySelector(`[name="${CSS.escape(path)}"]`);
      if (!field) continue;
      field.setAttribute("aria-invalid", "true");
      first ??= field;
      const said = document.createElement("span");
      said.className = "field-problem live";
      said.textContent = texts.join(" ");
      (field.closest(".field") ?? field.closest("fieldset") ?? field.parentElement).append(said);
    }
    return first;
  };

  // Whoever signed in again elsewhere goes on here: the form gets a token of the new session, and nothing typed is lost.
  const renewed = async () => {
    const page = await fetch(location.href).then((answer) => answer.text());
    const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("#filing [name=csrf_token]");
    if (fresh) tokenField.value = fresh.value;
    return fresh !== null;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // What was refused would be missing from the file without a word: whoever files takes it off the list knowingly.
    const refused = pieces.filter((piece) => piece.state === "no");
    if (refused.length) {
      show(`${words.refusedLeft} ${refused.map((piece) => piece.file.name).join(", ")}`);
      refused[0].row.querySelector("button").focus();
      return;
    }
    send(true);
  });

  const send = (again) => {
    keep();
    clearFields();
    refusal.replaceChildren();
    const request = new XMLHttpRequest();
    request.upload.onprogress = (progress) => {
      const percent = Math.round((100 * progress.loaded) / progress.total);
      bar.value = percent;
      saying.textContent = percent < 100 ? `${words.sending} ${percent}%` : words.sealing;
      if (percent === 100) bar.removeAttribute("value");
    };
    request.onerror = () => { busy(false); show(words.unreachable); };
    request.onload = () => {
      const said = answer(request);
      if (request.status === 201) { location.assign(said.location); return; }
      if (said.code === "form-expired" && again) {
        renewed().then((good) => (good ? send(false) : signedOut()), () => { busy(false); show(words.unreachable); });
        return;
      }
      if (request.status === 401) { signedOut(); return; }
      busy(false);
      show(said.message ?? words.unreachable);
      for (const each of said.refused ?? []) {
        const piece = pieces.find((one) => one.file.name === each.name && one.state !== "no");
        if (piece) tell(piece, "no", each.message);
      }
      showFields(said.problems ?? {})?.focus();
      form.querySelector("#uploads .no button")?.focus();
    };
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", tokenField.value);
    busy(true);
    request.send(new FormData(form));
  };
})();
