// Asks how the proof of life stands every three seconds, and says it when it
// changes. Without script there is the link "Atualizar agora".
const state = document.querySelector("#estado[data-espera]");
if (state) {
	const timer = setInterval(async () => {
		const answer = await fetch(location.href).catch(() => null);
		if (!answer?.ok) return; // next time
		const page = new DOMParser().parseFromString(await answer.text(), "text/html");
		const now = page.querySelector("#estado");
		if (!now || now.hasAttribute("data-espera")) return;
		clearInterval(timer);
		state.replaceChildren(...now.childNodes); // a live region: it is read aloud
		const form = page.querySelector('form[action="/prova-de-vida"]');
		if (form) document.querySelector("#enquanto")?.replaceWith(form);
	}, 3000);
}
