// The way of most visitors in each language, with script and without: search,
// certificate, a day of its past, the PDF; then back and forward over all of it.
const number = "DEMO-BRIN-108/25.001";
const past = { "pt-BR": "Você está vendo", en: "You are seeing", es: "Está viendo" };
const then = { "pt-BR": "Ver nesse dia", en: "Show that day", es: "Ver ese día" };

export default async function journeys({ browser, site, languages, open, check }) {
	for (const language of languages) {
		for (const script of [true, false]) await journey({ browser, site, open, check }, language, script);
	}
}

async function journey({ browser, site, open, check }, language, script) {
	const where = `${language.tag} ${script ? "with" : "without"} script`;
	const { page, context } = await open(browser, site, { script });
	const at = async (what, step) => {
		check((await page.locator("html").getAttribute("lang")) === language.tag, `${where}, ${what}: the language is lost`);
		check(await step(), `${where}, ${what}: ${page.url()}`);
	};
	const isHome = async () => (await page.locator("#q").inputValue()) === "" && (await page.locator(".hit").count()) >= 0;
	const isSearch = async () => (await page.locator("#q").inputValue()) === "trenzinho" && (await page.locator(".hit").count()) > 0;
	const isCertificate = async () => (await page.locator("h1").innerText()).includes(number) && !(await page.locator("main").innerText()).includes(past[language.tag]);
	const isPast = async () => (await page.locator("h1").innerText()).includes(number) && (await page.locator("main").innerText()).includes(past[language.tag]);

	await page.goto(`${site}${language.prefix}/`);
	await at("home", isHome);
	await page.locator("#q").fill("trenzinho");
	await page.locator("#q").press("Enter");
	await page.waitForURL(/q=trenzinho/);
	await at("search", isSearch);
	await page.locator(".hit a", { hasText: number }).first().click();
	await page.waitForURL(/\/certificados\//);
	await at("certificate", isCertificate);
	const address = page.url();
	await page.locator("#em").fill(await page.locator("#em").getAttribute("max"));
	await page.getByRole("button", { name: then[language.tag] }).click();
	await page.waitForURL(/em=/);
	await at("a day of its past", isPast);
	const day = page.url();

	for (const [what, step, move] of [
		["back to the certificate", isCertificate, () => page.goBack()],
		["back to the search", isSearch, () => page.goBack()],
		["back home", isHome, () => page.goBack()],
		["forward to the search", isSearch, () => page.goForward()],
		["forward to the certificate", isCertificate, () => page.goForward()],
		["forward to the day", isPast, () => page.goForward()],
	]) {
		await move();
		await at(what, step);
	}
	check(page.url() === day, `${where}: forward ends at ${page.url()}`);
	await page.goto(address);
	await mirror({ site, check, page }, language, where);
	await context.close();
}

// mirror follows the link to the PDF.
async function mirror({ site, check, page }, language, where) {
	const href = await page.locator('a[href$="espelho.pdf"]').first().getAttribute("href");
	check(href.startsWith(`${language.prefix}/certificados/`), `${where}: the PDF is at ${href}`);
	const answer = await page.request.get(site + href);
	const file = await answer.body();
	check(answer.status() === 200 && answer.headers()["content-type"] === "application/pdf" && file.subarray(0, 5).toString() === "%PDF-", `${where}: ${href} gives ${answer.status()}`);
	check(answer.headers()["content-disposition"]?.includes("espelho-DEMO-DEMO-BRIN-108-25.001.pdf"), `${where}: its name is ${answer.headers()["content-disposition"]}`);
	check(file.includes(`/Lang (${language.tag})`), `${where}: the PDF is not in the language`);
}
