// Signing in and out through the simulated gov.br, and the pages of one's own:
// accessibility in each language, theme and width, sessions, privacy, refusal.
import { fileURLToPath } from "node:url";

const bruno = { cpf: "111.444.777-35", name: "Bruno Prata Fictício" };
const ana = { cpf: "529.982.247-25", name: "Ana Bronze Fictícia" };
const helena = { cpf: "900.000.005-07", name: "Helena Sócia Fictícia" };
const own = [
	{ name: "minha-conta", path: "/minha-conta" },
	{ name: "minhas-sessoes", path: "/minha-conta/sessoes" },
	{ name: "privacidade", path: "/minha-conta/privacidade" },
	{ name: "sair", path: "/sair" },
];
const titles = { "": ["Minha conta", "Sessões", "Privacidade", "Sair"], "/en": ["My account", "Sessions", "Privacy", "Sign out"], "/es": ["Mi cuenta", "Sesiones", "Privacidad", "Salir"] };
const screens = process.argv.includes("--screens") ? fileURLToPath(new URL("../../docs/screens/", import.meta.url)) : "";

// enter goes through the screens of gov.br; decision is what to say to the
// question of consent, which comes once.
async function enter(page, person, decision = "Autorizar") {
	await page.locator("button.br-sign-in").click();
	await page.locator("#cpf").fill(person.cpf);
	await page.getByRole("button", { name: "Continuar" }).click();
	await page.locator("#senha").fill("simulado");
	await page.getByRole("button", { name: "Entrar", exact: true }).click();
	await page.waitForURL((u) => !u.pathname.startsWith("/login") || u.search !== "");
	const ask = page.getByRole("button", { name: decision });
	if (await ask.count()) await ask.click();
}

export default async function entrar(tools) {
	await wayIn(tools, true);
	await wayIn(tools, false);
	await ownPages(tools);
	await companies(tools);
	await sessions(tools);
	await privacy(tools);
	await refused(tools);
}

// wayIn goes from a public page in and out again.
async function wayIn({ browser, site, open, check, phone }, script) {
	const how = script ? "with script" : "without script";
	const { page, context } = await open(browser, site, { script, viewport: script ? undefined : phone });
	await page.goto(`${site}/sobre`);
	await page.locator("a.enter").click();
	check(page.url() === `${site}/entrar`, `${how}: the header leads to ${page.url()}`);
	await page.goto(`${site}/minha-conta/sessoes`);
	check(page.url() === `${site}/entrar?volta=%2Fminha-conta%2Fsessoes`, `${how}: nobody is sent to ${page.url()}`);
	await enter(page, bruno);
	await page.waitForURL(`${site}/minha-conta/sessoes`);
	check(!page.url().includes("code="), `${how}: the code is in the address`);
	check((await page.locator(".person").innerText()).includes(bruno.name), `${how}: the header does not name the person`);
	await page.goto(`${site}/sobre`);
	check((await page.locator("a.enter").count()) === 1, `${how}: a public page differs for who is signed in`);
	await page.locator("a.enter").click();
	check(page.url() === `${site}/minha-conta`, `${how}: who is signed in is sent to ${page.url()}`);
	await page.locator(".person").getByRole("button", { name: "Sair" }).click();
	await page.waitForURL(`${site}/sair`);
	check((await page.locator("h1").innerText()) === "Você não está conectado", `${how}: after signing out`);
	await page.goto(`${site}/minha-conta`);
	await page.locator("button.br-sign-in").click();
	check((await page.locator("#cpf").count()) === 1, `${how}: gov.br still knows the browser after signing out: ${page.url()}`);
	await page.goBack();
	check(!(await page.locator("body").innerText()).includes(bruno.cpf), `${how}: going back shows what belongs to nobody here`);
	await context.close();
}

// ownPages looks at each page in every language, theme and width.
async function ownPages({ browser, site, open, check, axe, fits, languages, themes, desktop, phone, narrowest }) {
	const { page, context } = await open(browser, site);
	await page.goto(`${site}/entrar`);
	await axe(page, "/entrar");
	await enter(page, bruno);
	await page.waitForURL(`${site}/minha-conta`);
	for (const theme of themes) {
		if (theme.cookie) await context.addCookies([{ name: "aparencia", value: theme.cookie, url: site }]);
		for (const { prefix, tag } of languages) {
			for (const [i, { name, path }] of own.entries()) {
				const where = `${prefix}${path} (${theme.name})`;
				await page.goto(site + prefix + path);
				check((await page.locator("h1").innerText()) === titles[prefix][i], `${where}: title`);
				check((await page.locator("html").getAttribute("lang")) === tag, `${where}: lang`);
				check(!/\[[a-z_]+\.[a-z_.]+\]/.test(await page.locator("body").innerText()), `${where}: a text is missing`);
				await axe(page, where);
				for (const [size, viewport] of [["desktop", desktop], ["celular", phone], ["", narrowest]]) {
					await page.setViewportSize(viewport);
					if (size === "celular" && prefix === "") await axe(page, `${where} ${viewport.width} px`);
					if (size === "") await fits(page, `${where} ${viewport.width} px`);
					if (screens && size && prefix === "" && (size === "desktop" || !theme.cookie)) {
						await page.screenshot({ path: `${screens}${name}-${size}${theme.cookie ? `-${theme.name}` : ""}.png`, fullPage: true });
					}
				}
				await page.setViewportSize(desktop);
			}
		}
	}
	await context.close();
}

// companies looks at the account of a person with a company.
async function companies({ browser, site, open, check, axe, fits, phone, narrowest }) {
	const { page, context } = await open(browser, site);
	await page.goto(`${site}/entrar`);
	await enter(page, helena);
	await page.waitForURL(`${site}/minha-conta`);
	check(/PADARIA FICTÍCIA.*11\.222\.333\/0001-81.*Sócio/s.test(await page.locator("main").innerText()), "the company and the role are shown");
	await axe(page, "account with a company");
	await page.setViewportSize(phone);
	await axe(page, "account with a company, phone");
	if (screens) await page.screenshot({ path: `${screens}minha-conta-empresa-celular.png`, fullPage: true });
	await page.setViewportSize(narrowest);
	await fits(page, "account with a company");
	await context.close();
}

// sessions ends the session of one browser from another.
async function sessions({ browser, site, open, check, axe }) {
	const here = await open(browser, site);
	const there = await open(browser, site);
	for (const { page } of [here, there]) {
		await page.goto(`${site}/en/entrar`);
		await enter(page, bruno);
		await page.waitForURL(`${site}/en/minha-conta`);
	}
	await here.page.goto(`${site}/en/minha-conta/sessoes`);
	check((await here.page.locator(".own-cards li").count()) >= 2, "both browsers are in the list");
	await here.page.getByRole("button", { name: "End the others" }).focus();
	await here.page.keyboard.press("Enter");
	await here.page.waitForURL(/feito=outras/);
	check((await here.page.locator(".own-cards li").count()) === 1, "one session is left");
	await axe(here.page, "sessions ended");
	await there.page.goto(`${site}/en/minha-conta`);
	check(there.page.url() === `${site}/en/entrar?motivo=sessao&volta=%2Fen%2Fminha-conta`, `the other browser is sent to ${there.page.url()}`);
	await axe(there.page, "session ended from elsewhere");
	await here.context.close();
	await there.context.close();
}

// privacy gives and withdraws a consent, corrects a datum and takes a copy.
async function privacy({ browser, site, open, check, axe }) {
	const { page, context } = await open(browser, site);
	await page.goto(`${site}/entrar?volta=/minha-conta/privacidade`);
	await enter(page, bruno);
	await page.waitForURL(`${site}/minha-conta/privacidade`);
	await page.getByRole("button", { name: "Permitir" }).click();
	await page.waitForURL(/feito=consentido/);
	await page.goto(`${site}/entrar?motivo=nivel`);
	await axe(page, "/entrar?motivo=nivel");
	await page.locator("button.br-sign-in").click(); // gov.br knows the browser: no screens
	await page.waitForURL(`${site}/minha-conta`);
	const photo = page.locator(".own-photo");
	check((await photo.count()) === 1 && await photo.evaluate((i) => i.complete && i.naturalWidth > 0), "the photo is shown after the consent");
	await axe(page, "account with photo");
	await page.goto(`${site}/minha-conta/privacidade`);
	await page.locator("#email").fill("sem arroba");
	await page.getByRole("button", { name: "Gravar correção" }).click();
	check((await page.locator('[aria-invalid="true"]').count()) === 1 && (await page.locator("#email").inputValue()) === "sem arroba", "a mistake is shown beside its field");
	await axe(page, "correction with a mistake");
	if (screens) await page.screenshot({ path: `${screens}privacidade-erro-desktop.png`, fullPage: true });
	await page.locator("#email").fill("bruno@correto.example");
	await page.getByRole("button", { name: "Gravar correção" }).click();
	await page.waitForURL(/feito=corrigido/);
	await axe(page, "correction saved");
	const [download] = await Promise.all([page.waitForEvent("download"), page.locator("a[download]").click()]);
	check(download.suggestedFilename() === "meus-dados-selo.json", `the copy is called ${download.suggestedFilename()}`);
	await page.getByRole("button", { name: "Retirar a permissão" }).click();
	await page.waitForURL(/feito=retirado/);
	await page.goto(`${site}/minha-conta`);
	check((await page.locator(".own-photo").count()) === 0, "the photo goes with the consent");
	await page.getByRole("link", { name: "Aumentar o nível no gov.br" }).click();
	check(new URL(page.url()).origin !== site, `the level is raised at ${page.url()}`);
	await context.close();
}

// refused says no to gov.br's question.
async function refused({ browser, site, open, check, axe }) {
	const { page, context } = await open(browser, site);
	await page.goto(`${site}/es/entrar`);
	await enter(page, ana, "Negar");
	await page.waitForURL(`${site}/es/entrar?motivo=recusada&volta=%2Fes%2Fminha-conta`);
	check((await page.locator(".br-message").innerText()).includes("Usted no autorizó"), "the refusal is told");
	await axe(page, "refused consent");
	await context.close();
}
