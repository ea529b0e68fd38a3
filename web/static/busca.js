// The suggestions below the search box: arrows walk through them, Escape closes
// them, their number is said. htmx fetches them; without script the box is a form.
"use strict";

const box = document.getElementById("q");
const list = document.getElementById("sugestoes");
const said = document.getElementById("sugestoes-ditas");

const links = () => [...list.querySelectorAll("a")];
const close = () => {
	list.replaceChildren();
	said.textContent = "";
};

document.addEventListener("htmx:afterSwap", (event) => {
	if (event.target !== list) return;
	const n = links().length;
	said.textContent = n === 0 ? "" : n === 1 ? said.dataset.uma : said.dataset.varias.replace("{numero}", n);
});

// An answer that comes when the visitor has gone on is not shown.
document.addEventListener("htmx:beforeSwap", (event) => {
	if (event.target === list && !box.form.contains(document.activeElement)) event.detail.shouldSwap = false;
});

box.form.addEventListener("keydown", (event) => {
	const stops = [box, ...links()];
	const at = stops.indexOf(document.activeElement);
	if (event.key === "Escape" && stops.length > 1) {
		event.preventDefault();
		close();
		box.focus();
	} else if (at >= 0 && stops.length > 1 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
		event.preventDefault();
		stops[(at + (event.key === "ArrowDown" ? 1 : stops.length - 1)) % stops.length].focus();
	}
});

box.form.addEventListener("focusout", (event) => {
	if (event.relatedTarget && !box.form.contains(event.relatedTarget)) close();
});
document.addEventListener("pointerdown", (event) => {
	if (!box.form.contains(event.target)) close();
});
