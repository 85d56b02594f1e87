"use strict";
const form = document.getElementById("setup");
const fault = document.getElementById("fault");
const fragment = location.hash.slice(1);
if (fragment) {
  form.token.value = fragment;
  history.replaceState(null, "", location.pathname);
} else {
  document.getElementById("token-field").hidden = false;
}

function describe(problem) {
  const faults = (problem.errors || []).map((error) => error.detail);
  if (faults.length) return faults.join(" ");
  const said = [problem.title, problem.detail].map((text) => (text || "").replace(/\.$/, ""));
  return [...new Set(said)].filter(Boolean).join(". ") + ".";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  fault.textContent = "";
  const button = form.querySelector("button");
  button.disabled = true;
  const body = {
    token: form.token.value.trim(),
    email: form.email.value.trim(),
    password: form.password.value,
  };
  if (form.username.value.trim()) body.username = form.username.value.trim();
  try {
    const answer = await fetch("/admin/setup", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      form.hidden = true;
      const done = document.getElementById("done");
      done.hidden = false;
      done.focus();
      return;
    }
    fault.textContent = describe(await answer.json());
  } catch {
    fault.textContent = "The server did not answer. Is it still running?";
  }
  button.disabled = false;
});
