// Copies digests and commands. The page works without this script: a click on a
// digest selects it whole.
"use strict";

for (const button of document.querySelectorAll("[data-copiar]")) {
	const source = document.getElementById(button.dataset.copiar);
	const said = button.querySelector("[role=status]");
	if (!source || !said) continue;
	button.hidden = false;
	button.addEventListener("click", async () => {
		said.textContent = "";
		if (await copied(source)) said.textContent = button.dataset.dito;
	});
}

// copied puts the text into the clipboard; where the browser forbids it, the
// text is selected, ready for the keyboard.
async function copied(source) {
	try {
		await navigator.clipboard.writeText(source.innerText);
		return true;
	} catch {
		getSelection().selectAllChildren(source);
		return false;
	}
}
