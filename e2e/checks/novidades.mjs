// The page of news: choosing by keyboard and by form with and without script,
// pages, the feeds that pages announce, in every language, on a phone.
export default async function novidades({ browser, site, themes, languages, open, check, axe, fits, phone, narrowest }) {
	for (const script of [true, false]) {
		const how = script ? "with script" : "without script";
		const { page, context } = await open(browser, site, { script });
		await page.goto(`${site}/novidades`);
		const all = await page.locator(".news-day .events > li").count();
		check(all > 1, `${how}: ${all} news`);
		await page.getByLabel("Suspenso", { exact: true }).check();
		await page.getByRole("button", { name: "Mostrar" }).click();
		await page.waitForURL(/tipo=suspenso/);
		const some = await page.locator(".news-day .events > li").count();
		check(some > 0 && some < all, `${how}: ${some} of ${all} are suspended`);
		check(await page.getByLabel("Suspenso", { exact: true }).isChecked(), `${how}: the choice is kept`);
		check((await page.title()).startsWith("Novidades: Suspenso"), `${how}: the title says what is chosen`);
		await page.locator(".news-what a").first().click();
		await page.waitForURL(/\/certificados\//);
		await page.goBack();
		await page.getByRole("link", { name: /Retirar o filtro/ }).click();
		await page.waitForURL(/\/novidades$/);
		check((await page.locator(".news-day .events > li").count()) === all, `${how}: all news again`);
		await context.close();
	}

	// By keyboard alone: to the first kind, choose it, send with Enter.
	{
		const { page, context } = await open(browser, site);
		await page.goto(`${site}/novidades`);
		await page.locator("#conteudo").focus();
		await page.keyboard.press("Tab");
		check(await page.evaluate(() => document.activeElement.value === "novo"), "the first stop of the page is the first kind");
		await page.keyboard.press("Space");
		await page.keyboard.press("Enter");
		await page.waitForURL(/tipo=novo/);
		check((await page.locator(".news-day .events > li").count()) > 0, "Enter shows what was chosen");
		await context.close();
	}

	// Feeds: announced, well formed for the browser's own parsers, of the same news.
	for (const language of languages) {
		const { page, context } = await open(browser, site);
		await page.goto(`${site}${language.prefix}/novidades?tipo=suspenso`);
		const told = await page.locator(".news-what a").allInnerTexts();
		const feeds = await page.locator('link[rel="alternate"][title]').evaluateAll((list) => list.map((l) => ({ type: l.type, href: l.href })));
		check(feeds.length === 2 && feeds.every((f) => f.href.includes(`${language.prefix}/novidades.`) && f.href.includes("tipo=suspenso")), `${language.tag}: feeds ${JSON.stringify(feeds)}`);
		const read = await page.evaluate(async ([atom, json]) => {
			const doc = new DOMParser().parseFromString(await (await fetch(atom)).text(), "application/xml");
			const items = (await (await fetch(json)).json()).items;
			const all = (name) => [...doc.getElementsByTagNameNS("http://www.w3.org/2005/Atom", name)];
			return { broken: doc.getElementsByTagName("parsererror").length, titles: all("entry").map((e) => e.getElementsByTagName("title")[0].textContent), items: items.map((i) => i.title) };
		}, feeds.map((f) => f.href));
		check(read.broken === 0, `${language.tag}: the Atom feed is well formed`);
		check(told.length > 0 && told.length === read.titles.length && told.every((number, i) => read.titles[i].includes(number) && read.items[i].includes(number)), `${language.tag}: the feeds tell the page's news`);
		await page.locator(".news-what a").first().click();
		await page.waitForURL(/\/certificados\//);
		check((await page.locator("html").getAttribute("lang")) === language.tag, `${language.tag}: the certificate is in the language`);
		await context.close();
	}

	// A page further down, and back to the newest, on a phone.
	{
		const { page, context } = await open(browser, site, { viewport: phone });
		await page.goto(`${site}/novidades?antes=1`);
		check((await page.getByText("Não há novidades mais antigas").count()) === 1, "the end of the list says so");
		await page.getByRole("link", { name: "Mais recentes" }).click();
		await page.waitForURL(/\/novidades$/);
		check((await page.locator(".news-what").count()) > 0, "back at the newest");
		await page.getByRole("link", { name: "Certificados que vencem em até 30 dias" }).click();
		await page.waitForURL(/validade=30-dias/);
		check((await page.locator("h1").count()) === 1, "what expires is a search");
		await context.close();
	}

	for (const theme of themes) {
		const { page, context } = await open(browser, site, { theme: theme.cookie, viewport: narrowest });
		await page.goto(`${site}/novidades?tipo=cancelado&tipo=suspenso`);
		await axe(page, `/novidades (${theme.name}) ${narrowest.width} px`);
		await fits(page, `/novidades (${theme.name})`);
		await context.close();
	}
}
