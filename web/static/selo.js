// Changes contrast and text size without leaving the page. Without this script
// the form does the same by loading the page again.
"use strict";

const form = document.querySelector("[data-aparencia]");

form?.addEventListener("submit", async (event) => {
	event.preventDefault();
	const pressed = event.submitter;
	const data = new URLSearchParams(new FormData(form, pressed));
	try {
		// The answer is a redirect to this page; its cookie is what is wanted.
		const answer = await fetch(form.action, { method: "POST", body: data, redirect: "manual" });
		if (answer.type !== "opaqueredirect") throw new Error(answer.status);
	} catch {
		const field = document.createElement("input");
		field.type = "hidden";
		field.name = pressed.name;
		field.value = pressed.value;
		form.append(field);
		form.submit();
		return;
	}
	const old = document.getElementById("aparencia");
	const next = old.cloneNode();
	next.href = "/aparencia.css?" + Date.now();
	next.addEventListener("load", () => {
		old.remove();
		// The button that was pressed may have given way to its opposite.
		if (!pressed.checkVisibility()) {
			[...form.elements].find((b) => b.name === pressed.name && b.checkVisibility())?.focus();
		}
		form.querySelector("[role=status]").textContent = form.dataset.dito;
	});
	old.after(next);
});
