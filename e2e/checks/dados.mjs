// The open data: the files can be had and checked, also by keyboard and without
// script; the dictionary, the API's examples and the charts hold what they say.
import { createHash } from "node:crypto";

const words = [
	{ prefix: "", files: "Arquivos", dictionary: "Dicionário de dados", charts: "Gráficos", api: "Documentação da API", table: "Ver em tabela" },
	{ prefix: "/en", files: "Files", dictionary: "Data dictionary", charts: "Charts", api: "API documentation", table: "See as a table" },
	{ prefix: "/es", files: "Archivos", dictionary: "Diccionario de datos", charts: "Gráficos", api: "Documentación de la API", table: "Ver en tabla" },
];

export default async function data(tools) {
	const { site } = tools;
	// The digests are worked out at the first request for them.
	const stated = await (await fetch(`${site}/api/v1/publicacoes`)).json();
	const number = stated.publicacoes[0].numero;
	await fetch(`${site}/api/v1/dados/${number}/resumos`);
	for (const language of words) await pages(tools, language);
	await files(tools, number);
	await copying(tools);
	await examples(tools);
	await charts(tools);
}

// pages goes from one page of the open data to the others, without script on a phone.
async function pages({ browser, site, open, check, phone }, language) {
	const { page, context } = await open(browser, site, { script: language.prefix !== "", viewport: phone });
	await page.goto(`${site}${language.prefix}/dados`);
	for (const name of [language.dictionary, language.charts, language.api, language.files]) {
		await page.locator("nav.tabs").getByRole("link", { name, exact: true }).click();
		await page.waitForLoadState();
		check((await page.locator("nav.tabs [aria-current]").innerText()) === name, `${page.url()}: is marked among the pages`);
		check(new URL(page.url()).pathname.startsWith(`${language.prefix}/dados`), `${page.url()}: keeps the language`);
	}
	await page.goto(`${site}${language.prefix}/dados/graficos`);
	await page.getByText(language.table).first().click();
	check(await page.locator("details table").first().isVisible(), `${language.prefix}: the numbers of a chart stand in a table`);
	await context.close();
}

// files downloads each form and holds it against the digest on the page.
async function files({ browser, site, open, check, axe, fits, narrowest, themes }, number) {
	const { page, context } = await open(browser, site, { script: false });
	await page.goto(`${site}/dados`);
	const rows = page.locator(".files tbody tr");
	check((await rows.count()) === 4, "four forms");
	for (const row of await rows.all()) {
		const digest = await row.locator("code.digest").innerText();
		const link = row.getByRole("link");
		await link.focus();
		const coming = page.waitForEvent("download");
		await page.keyboard.press("Enter");
		const download = await coming;
		const chunks = [];
		for await (const chunk of await download.createReadStream()) chunks.push(chunk);
		const sum = createHash("sha256").update(Buffer.concat(chunks)).digest("hex");
		check(sum === digest, `${download.suggestedFilename()}: ${sum} is ${digest}`);
		check(download.suggestedFilename().startsWith(`selo-certificados-${number}.`), `${download.suggestedFilename()}: bears the publication`);
	}
	await context.close();
	for (const theme of themes) {
		const small = await open(browser, site, { theme: theme.cookie, viewport: narrowest });
		await small.page.goto(`${site}/dados`);
		await fits(small.page, `/dados with digests (${theme.name})`);
		await axe(small.page, `/dados with digests (${theme.name})`);
		await small.context.close();
	}
}

// copying copies a digest with a button that only a script shows.
async function copying({ browser, site, open, check }) {
	const { page, context } = await open(browser, site);
	await context.grantPermissions(["clipboard-read", "clipboard-write"]);
	await page.goto(`${site}/dados`);
	const button = page.getByRole("button", { name: "Copiar o SHA-256 do CSV" });
	await button.focus();
	await page.keyboard.press("Enter");
	await page.getByText("Copiado").waitFor();
	check((await page.evaluate(() => navigator.clipboard.readText())) === (await page.locator("#sha256-csv").innerText()), "the digest is in the clipboard");
	await context.close();
}

// examples follows the examples of the API's documentation that a browser can open.
async function examples({ browser, site, open, check }) {
	const { page, context } = await open(browser, site);
	await page.goto(`${site}/dados/api`);
	const links = await page.locator(".operation > p > a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
	check(links.length >= 10, `${links.length} examples`);
	for (const link of links) {
		const answer = await fetch(site + link);
		check(answer.ok, `${link}: the example gives ${answer.status}`);
	}
	await page.getByRole("link", { name: "Certificado", exact: true }).first().click();
	check(await page.locator("#esquema-Certificado").isVisible(), "a schema is where its link leads");
	await page.locator("details summary").first().focus();
	await page.keyboard.press("Enter");
	check(await page.locator("details table").first().isVisible(), "fields unfold by keyboard");
	await context.close();
}

// charts are drawn within the page, in ink that stands out, on paper too.
async function charts({ browser, site, open, check, narrowest, themes }) {
	for (const theme of themes) {
		const { page, context } = await open(browser, site, { theme: theme.cookie, viewport: narrowest });
		await page.goto(`${site}/dados/graficos`);
		const drawn = await page.locator(".chart > svg").evaluateAll((all) => all.map((svg) => {
			const own = svg.getBoundingClientRect();
			const inside = [...svg.querySelectorAll("rect, text")].every((e) => {
				const box = e.getBoundingClientRect();
				return box.width === 0 || box.left >= own.left - 1 && box.right <= own.right + 1 && box.bottom <= own.bottom + 1;
			});
			const bar = svg.querySelector("rect.full");
			const letters = parseFloat(getComputedStyle(svg.querySelector("text")).fontSize);
			return { inside, letters, ink: bar && getComputedStyle(bar).fill, page: getComputedStyle(document.body).backgroundColor };
		}));
		check(drawn.length >= 4, `${drawn.length} charts (${theme.name})`);
		for (const d of drawn) {
			check(d.inside, `a chart is cut off at ${narrowest.width} px (${theme.name})`);
			check(d.letters >= 14, `letters of ${d.letters} px (${theme.name})`);
			check(d.ink !== d.page, `a bar of ${d.ink} on ${d.page} (${theme.name})`);
		}
		await page.emulateMedia({ media: "print" });
		check(await page.locator(".chart > svg").first().isVisible(), `charts are printed (${theme.name})`);
		await context.close();
	}
}
