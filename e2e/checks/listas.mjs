// Bodies, classes and companies: from a certificate to each of them and back
// into a search, by mouse and by keyboard, with and without script.
const certificate = "/certificados/DEMO/DEMO-BRIN-108%2F25.001";

const words = [
	{ prefix: "", bodies: "Organismos", classes: "Classes", companies: "Empresas", search: "Buscar", fresh: "Última remessa com novidades", force: "Documentos em vigor", day: "Ver essa data", today: "Voltar para hoje", none: "Nenhuma empresa encontrada" },
	{ prefix: "/en", bodies: "Bodies", classes: "Classes", companies: "Companies", search: "Search", fresh: "Last remessa with news", force: "Documents in force", day: "Show that date", today: "Back to today", none: "No company found" },
	{ prefix: "/es", bodies: "Organismos", classes: "Clases", companies: "Empresas", search: "Buscar", fresh: "Última remessa con novedades", force: "Documentos vigentes", day: "Ver esa fecha", today: "Volver a hoy", none: "Ninguna empresa encontrada" },
];

export default async function lists({ browser, site, open, check, axe, fits, phone, narrowest, themes }) {
	for (const language of words) {
		for (const script of [true, false]) {
			const { page, context } = await open(browser, site, { script, viewport: script ? undefined : phone });
			const where = `${language.prefix} ${script ? "with" : "without"} script`;
			await fromCertificate(page, site, check, language, where);
			await fromMenu(page, site, check, language, where, script);
			await context.close();
		}
	}
	await keyboard({ browser, site, open, check });
	await states({ browser, site, open, check, axe, fits, narrowest, themes });
}

// fromCertificate follows the names in a certificate.
async function fromCertificate(page, site, check, language, where) {
	await page.goto(site + language.prefix + certificate);
	await page.locator(`main a[href="${language.prefix}/organismos/DEMO"]`).first().click();
	await page.waitForURL(/organismos\/DEMO$/);
	check((await page.locator("main").innerText()).includes(language.fresh), `${where}: the body says how fresh its data are`);
	await page.getByRole("searchbox").fill("capacete");
	await page.getByRole("searchbox").press("Enter");
	await page.waitForURL(/organismo=DEMO&q=capacete/);
	check((await page.locator(".hit").count()) >= 2, `${where}: the search inside the body finds its helmets`);

	await page.goto(site + language.prefix + certificate);
	await page.locator(`main a[href="${language.prefix}/classes/brinquedos"]`).first().click();
	await page.waitForURL(/classes\/brinquedos$/);
	check((await page.locator("main").innerText()).includes(language.force), `${where}: the class says what is in force`);
	await page.locator("#em").fill("2025-03-01");
	await page.getByRole("button", { name: language.day }).click();
	await page.waitForURL(/em=2025-03-01/);
	check((await page.locator("#em").inputValue()) === "2025-03-01", `${where}: the day asked for stays in the field`);
	await page.getByRole("link", { name: language.today }).click();
	await page.waitForURL(/classes\/brinquedos(#.*)?$/);

	await page.goto(site + language.prefix + certificate);
	await page.locator(`main a[href="${language.prefix}/empresas/99900010000140"]`).first().click();
	await page.waitForURL(/empresas\/99900010000140$/);
	check((await page.locator("h1").innerText()).includes("Companhia Fictícia"), `${where}: the company has its name`);
	await page.locator(".chips a").first().click();
	await page.waitForURL(/cnpj=99900010000140&q=Fictoy|q=Fictoy&cnpj=99900010000140/);
	check((await page.locator(".hit").count()) >= 1, `${where}: a brand leads to its certificates`);
}

// fromMenu finds a company by the menu, the way of one who has no certificate.
async function fromMenu(page, site, check, language, where, script) {
	await page.goto(site + language.prefix + "/");
	if (!script) await page.locator(".menu-open").click(); // the phone
	await page.locator("#menu").getByRole("link", { name: language.companies, exact: true }).click();
	await page.waitForURL(/\/empresas$/);
	await page.getByRole("searchbox").fill("shenzhen invented");
	await page.getByRole("button", { name: language.search, exact: true }).click();
	await page.waitForURL(/q=shenzhen/);
	await page.locator("main tbody a").first().click();
	await page.waitForURL(/empresas\/[0-9a-f-]{36}$/);
	check((await page.locator("main").innerText()).includes("Shenzhen"), `${where}: a company from abroad has a page`);
	await page.goBack();
	check((await page.getByRole("searchbox").inputValue()) === "shenzhen invented", `${where}: going back keeps what was typed`);
	await page.getByRole("searchbox").fill("99.900.010/0001-40");
	await page.getByRole("searchbox").press("Enter");
	await page.waitForURL(/empresas\/99900010000140$/);
	await page.goto(site + language.prefix + "/empresas?q=mentirex+fulana");
	check((await page.locator("main").innerText()).includes(language.none), `${where}: says that no company was found`);
	for (const [name, path] of [[language.bodies, "/organismos"], [language.classes, "/classes"]]) {
		if (!script) await page.locator(".menu-open").click();
		await page.locator("#menu").getByRole("link", { name, exact: true }).click();
		await page.waitForURL(new RegExp(`${path}$`));
		check((await page.locator("#menu [aria-current=page]").innerText()) === name, `${where}: the menu shows where one is`);
	}
}

// keyboard goes from the list of bodies to a search without a mouse.
async function keyboard({ browser, site, open, check }) {
	const { page, context } = await open(browser, site);
	await page.goto(site + "/organismos");
	await page.keyboard.press("Tab");
	await page.keyboard.press("Enter"); // past the header
	await page.keyboard.press("Tab");
	check(await page.getByRole("searchbox").evaluate((e) => e === document.activeElement), "/organismos: the search box is the first stop of the content");
	await page.keyboard.type("demonstracao");
	await page.keyboard.press("Enter");
	await page.waitForURL(/q=demonstracao/);
	await page.locator("main tbody a").first().focus();
	await page.keyboard.press("Enter");
	await page.waitForURL(/organismos\/DEMO$/);
	const box = page.locator(".tally a").first();
	const counted = await box.locator(".amount").innerText();
	await box.focus();
	check((await box.evaluate((e) => getComputedStyle(e).outlineStyle)) !== "none", "/organismos/DEMO: the focus on a count is seen");
	await page.keyboard.press("Enter");
	await page.waitForURL(/\?organismo=DEMO$/);
	check((await page.locator("#resultados").innerText()).startsWith(`${counted} `), "the count of active certificates leads to as many");
	await context.close();
}

// states looks at folded documents, a company from abroad and paper.
async function states({ browser, site, open, check, axe, fits, narrowest, themes }) {
	for (const theme of themes) {
		const { page, context } = await open(browser, site, { theme: theme.cookie, viewport: narrowest });
		await page.goto(site + "/empresas?q=shenzhen");
		await page.locator("main tbody a").first().click();
		await page.waitForURL(/empresas\/[0-9a-f-]{36}$/);
		await axe(page, `a company from abroad (${theme.name})`);
		await fits(page, `a company from abroad (${theme.name})`);
		await page.goto(site + "/classes/servico");
		await axe(page, `/classes/servico (${theme.name})`);
		await fits(page, `/classes/servico (${theme.name})`);
		await page.emulateMedia({ media: "print" });
		check(!(await page.locator("main form").first().isVisible()), "paper has no forms");
		await context.close();
	}
}
