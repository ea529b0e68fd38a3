// The search page: by keyboard with suggestions, without script, in every
// language, back and forth, on a phone, in both themes.
export default async function search({ browser, site, themes, languages, open, check, axe, fits, phone, narrowest }) {
	// Keyboard: type, go down into the suggestions, close them, search.
	{
		const { page, context } = await open(browser, site);
		await page.goto(site);
		await page.locator("#q").focus();
		await page.keyboard.type("capac", { delay: 20 });
		await page.locator("#sugestoes a").first().waitFor();
		check(/^\d+ sugest/.test(await page.locator("#sugestoes-ditas").innerText()), "the number of suggestions is said");
		await axe(page, "suggestions");
		await page.keyboard.press("ArrowDown");
		check(await page.evaluate(() => document.activeElement.closest("#sugestoes") !== null), "the arrow goes into the suggestions");
		await page.keyboard.press("ArrowUp");
		check(await page.evaluate(() => document.activeElement.id === "q"), "the arrow comes back");
		await page.keyboard.press("Escape");
		check((await page.locator("#sugestoes a").count()) === 0, "Escape closes the suggestions");
		check((await page.locator("#q").inputValue()) === "capac", "Escape keeps what was typed");
		await page.keyboard.press("Enter");
		await page.waitForURL(/\?q=capac/);
		check((await page.locator(".hit").count()) > 0, "Enter searches");
		await context.close();
	}

	// With script and without: search, filter, table, certificate, back to where it was.
	for (const script of [true, false]) {
		const how = script ? "with script" : "without script";
		const { page, context } = await open(browser, site, { script });
		await page.goto(site);
		await page.getByLabel("O que você procura?").fill("ficticia");
		await page.getByRole("button", { name: "Buscar" }).click();
		await page.waitForURL(/q=ficticia/);
		const all = await page.locator(".hit").count();
		check(all > 2, `${how}: ${all} hits`);
		await page.locator("#filtros").getByRole("link", { name: /^Brinquedos/ }).click();
		await page.waitForURL(/classe=brinquedos/);
		const narrowed = await page.locator(".hit").count();
		check(narrowed > 0 && narrowed < all, `${how}: ${narrowed} of ${all} hits with a filter`);
		await page.getByRole("link", { name: "Tabela" }).click();
		await page.waitForURL(/vista=tabela/);
		check((await page.getByRole("row").count()) === narrowed + 1, `${how}: the table has the same rows`);
		const address = page.url();
		await page.getByRole("rowheader").getByRole("link").first().click();
		await page.waitForURL(/\/certificados\//);
		await page.goBack();
		check(page.url() === address && (await page.getByRole("table").count()) === 1, `${how}: back to the results`);
		await page.goForward();
		check(page.url().includes("/certificados/"), `${how}: forward again`);
		await page.goto(address);
		check((await page.getByRole("row").count()) === narrowed + 1, `${how}: the address alone gives the results`);
		await page.goto(`${site}/?q=capasete`);
		await page.getByRole("link", { name: "capacetes", exact: true }).click();
		await page.waitForURL(/q=capacete/);
		check((await page.locator(".hit").count()) > 0, `${how}: the spelling leads to hits`);
		await context.close();
	}

	const button = { "pt-BR": "Buscar", en: "Search", es: "Buscar" };
	for (const language of languages) {
		const { page, context } = await open(browser, site, { viewport: phone });
		await page.goto(`${site}${language.prefix}/`);
		await page.locator("#q").fill("fictoy");
		await page.getByRole("button", { name: button[language.tag] }).click();
		await page.waitForURL(/q=fictoy/);
		const hit = page.locator(".hit a").first();
		check((await hit.getAttribute("href")).startsWith(`${language.prefix}/certificados/`), `${language.tag}: the hit keeps the language`);
		await hit.click();
		await page.waitForURL(/\/certificados\//);
		check((await page.locator("html").getAttribute("lang")) === language.tag, `${language.tag}: the certificate is in the language`);
		await context.close();
	}

	for (const theme of themes) {
		const { page, context } = await open(browser, site, { theme: theme.cookie, viewport: narrowest });
		await page.goto(site);
		await axe(page, `/ (${theme.name}) ${narrowest.width} px`);
		await fits(page, `/ (${theme.name})`);
		await page.goto(`${site}/?situacao=vigente`);
		await axe(page, `a wrong filter (${theme.name})`);
		await context.close();
	}
}
