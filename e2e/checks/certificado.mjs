// A certificate: its products can be searched, its past shown, its proof
// checked in the page; all but the check works without script.
const active = "/certificados/DEMO/DEMO-BRIN-108%2F25.001";
const suspended = "/certificados/DEMO/DEMO-PLUG-233%2F24";

const words = [
	{ prefix: "", find: "Procurar", none: "Nenhum produto ativo", then: "Ver nesse dia", past: "Você está vendo", check: "Conferir agora, neste navegador", root: "assinada com a chave" },
	{ prefix: "/en", find: "Find", none: "No active product", then: "Show that day", past: "You are seeing", check: "Check now, in this browser", root: "signed with the key" },
	{ prefix: "/es", find: "Buscar", none: "Ningún producto activo", then: "Ver ese día", past: "Está viendo", check: "Comprobar ahora, en este navegador", root: "firmada con la clave" },
];

export default async function certificate({ browser, site, open, check, axe, fits, phone, narrowest, themes }) {
	for (const language of words) {
		for (const script of [true, false]) {
			const where = `${language.prefix}${active} ${script ? "with" : "without"} script`;
			const { page, context } = await open(browser, site, { script, viewport: script ? undefined : phone });
			await page.goto(site + language.prefix + active);
			check((await page.locator("img.qr").evaluate((i) => i.complete ? i.naturalWidth : 0)) > 0, `${where}: the QR code is drawn`);
			await page.getByRole("searchbox").last().fill("trenzinho ft 10");
			await page.getByRole("button", { name: language.find, exact: true }).last().click();
			await page.waitForURL(/q=trenzinho/);
			check((await page.locator("#lista-produtos tbody tr").count()) === 1, `${where}: one product matches`);
			await page.getByRole("searchbox").last().fill("zzzz");
			await page.keyboard.press("Enter");
			await page.waitForURL(/q=zzzz/);
			check((await page.locator("#lista-produtos").innerText()).includes(language.none), `${where}: says why nothing matches`);
			await page.goBack();
			check(page.url().includes("trenzinho") && (await page.getByRole("searchbox").last().inputValue()) === "trenzinho ft 10", `${where}: going back keeps the search`);
			const today = await page.locator("#em").getAttribute("max");
			await page.locator("#em").fill(today);
			await page.getByRole("button", { name: language.then }).click();
			await page.waitForURL(/em=/);
			check((await page.locator("main").innerText()).includes(language.past), `${where}: shows the day asked for`);
			await context.close();
		}
		await proof({ browser, site, open, check }, language);
	}
	await states({ browser, site, open, check, axe, fits, narrowest, themes });
	await downloads({ browser, site, open, check });
}

// proof presses the button that has the browser check the proof.
async function proof({ browser, site, open, check }, language) {
	const where = `${language.prefix}${active}: proof`;
	const { page, context } = await open(browser, site);
	await page.goto(site + language.prefix + active);
	const button = page.getByRole("button", { name: language.check });
	await button.focus();
	await page.keyboard.press("Enter");
	await page.locator(".proof-result li").first().waitFor();
	const said = await page.locator(".proof-result").innerText();
	check(said.includes(language.root) && !said.includes("✗"), `${where}: ${said}`);
	await page.route("**/prova", async (route) => {
		const answer = await route.fetch();
		const proof = await answer.json();
		await route.fulfill({ response: answer, json: { ...proof, revisao: proof.revisao.replace("Fictoy", "Outra").replace("ativo", "cancelado") } });
	});
	await button.click();
	await page.locator(".proof-result li", { hasText: "✗" }).waitFor();
	check((await page.locator(".proof-result").innerText()).includes("✗"), `${where}: a changed revision is found out`);
	await context.close();
}

// states looks at what only some certificates show.
async function states({ browser, site, open, check, axe, fits, narrowest, themes }) {
	for (const theme of themes) {
		const { page, context } = await open(browser, site, { theme: theme.cookie, viewport: narrowest });
		await page.goto(site + suspended);
		const text = await page.locator("main").innerText();
		check(text.includes("Suspenso") && text.includes("Justificativa:") && text.includes("Revisão 2"), `${suspended}: says what changed and why`);
		const day = await page.locator("#em").getAttribute("max");
		for (const path of [`${suspended}?em=${day}`, `${suspended}?em=2000-01-01`, `${suspended}?q=zzzz`, `${suspended}?historico=completo`]) {
			await page.goto(site + path);
			await axe(page, `${path} (${theme.name})`);
			await fits(page, `${path} (${theme.name})`);
		}
		await page.emulateMedia({ media: "print" });
		check(!(await page.locator(".header-menu").isVisible()), "paper has no menu");
		await context.close();
	}
}

async function downloads({ browser, site, open, check }) {
	const { page, context } = await open(browser, site);
	for (const [tail, type] of [["espelho.pdf", "application/pdf"], ["qr.png", "image/png"], ["qr.svg", "image/svg+xml"], ["dados.jsonld", "application/ld+json"]]) {
		const answer = await page.request.get(`${site}${active}/${tail}`);
		check(answer.status() === 200 && answer.headers()["content-type"] === type, `${tail}: ${answer.status()} ${answer.headers()["content-type"]}`);
	}
	await context.close();
}
