// Every page says and does the same without script: the same words, no control
// that does nothing, nothing that waits for what never comes.
export default async function noScript({ browser, site, pages, open, check, fits, phone, desktop }) {
	const scripted = await open(browser, site);
	const plain = await open(browser, site, { script: false });
	for (const { path, status = 200 } of pages) {
		const answer = await plain.page.goto(site + path);
		check(answer.status() === status, `${path} without script: ${answer.status()}`);
		await scripted.page.goto(site + path);
		const heads = [];
		for (const { page } of [scripted, plain]) heads.push(await page.locator("h1, h2, h3").evaluateAll((list) => list.filter((e) => e.checkVisibility()).map((e) => e.textContent.trim().replace(/\s+/g, " "))));
		const missing = heads[0].filter((h) => !heads[1].includes(h));
		check(missing.length === 0, `${path} without script lacks ${JSON.stringify(missing)}`);
		for (const dead of await plain.page.evaluate(deadControls)) check(false, `${path} without script has a dead control: ${dead}`);
		check((await plain.page.locator("main").innerText()).trim().length > 80, `${path} without script is empty`);
		check((await plain.page.locator('[aria-busy="true"], .loading').count()) === 0, `${path} without script waits for something`);
		await plain.page.setViewportSize(phone);
		await fits(plain.page, `${path} without script`);
		await plain.page.setViewportSize(desktop);
	}
	await scripted.context.close();
	await plain.context.close();
}

// deadControls finds what looks as if it could be pressed and cannot.
function deadControls() {
	const seen = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
	const dead = [
		...[...document.querySelectorAll("button")].filter((e) => e.type !== "submit" || e.form === null),
		...[...document.querySelectorAll('a:not([href]), a[href="#"], a[href^="javascript:"], [role="button"]:not(a)')],
		...[...document.querySelectorAll("input, select, textarea")].filter((e) => e.type !== "hidden" && e.form === null),
		...[...document.querySelectorAll("form")].filter((f) => f.querySelector('button:not([type="button"]), input[type="submit"]') === null),
	];
	return dead.filter(seen).map((e) => e.outerHTML.slice(0, 160));
}
